"""`bench/replicasets.py [--quick] [--doc]`: our controller beside Kubernetes's own, in turns, on the same cluster.

On `make cluster-conformance`, whose kube-controller-manager leaves ReplicaSets alone. The built-in controller runs as
a kube-controller-manager with nothing else in it; both act as the same ServiceAccount, so the API server treats them
alike. Pods are put on fake nodes (kwok) by their template, so that neither a scheduler nor kubelets are measured.
Writes build/bench/operator.json; 1 when a ratio is above its bar.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import ssl
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import document  # noqa: E402 - found only once the path is set
from bench.measure import machine  # noqa: E402
from kcompanion.cluster.connect import Target  # noqa: E402
from kcompanion.model.fields import text_at  # noqa: E402
from kcompanion.model.resources import REPLICASETS  # noqa: E402
from kcompanion.reconcile.requests import Answer  # noqa: E402
from lab import cache, controllers, kwok  # noqa: E402
from operators.replicaset.client import Client, query  # noqa: E402
from operators.replicaset.login import Logins  # noqa: E402

KUBECONFIG = ROOT / ".cluster" / "kubeconfig-conformance"
TARGET = ROOT / "build" / "bench" / "operator.json"
NAMESPACE = f"bench-operator-{os.getpid()}"  # the last run's may still be on its way out
NODES = 10
PATIENCE = 400.0
NO_LIMIT = (1000.0, 2000)
# (qps, burst), replicas, how often each, the highest ratio allowed of our time to that of the built-in controller
SETTINGS: tuple[tuple[tuple[float, int], int, int, float], ...] = (
    (NO_LIMIT, 100, 7, 1.2),  # fractions of a second: only many runs tell
    (NO_LIMIT, 1000, 3, 1.2),
    ((100, 200), 100, 3, 1.05),
    ((100, 200), 1000, 2, 1.05),
    ((20, 30), 100, 2, 1.05),
    ((20, 30), 1000, 1, 1.05),
)
QUICK = ((NO_LIMIT, 100, 1, 1.2),)
REQUESTS_BAR, RATE_BAR, MEMORY_BAR = 1.0, 150.0, 200.0
REST = 1.5  # seconds without a request
MANY = 5000
KILLED = 100


@dataclass
class Seen:
    """What the watches saw, in seconds since the scaling was asked for."""

    pods: float = 0.0  # all pods exist, or are gone
    counted: float = 0.0  # the status says so
    ready: float = 0.0
    most: int = 0


@dataclass
class Cost:
    """What a controller has used since it started."""

    requests: dict[str, float] = field(default_factory=dict)  # by method; watches and the Lease are not in it
    cpu: float = 0.0
    memory: float = 0.0  # MiB

    def since(self, before: Cost) -> Cost:
        counts = {k: v - before.requests.get(k, 0) for k, v in self.requests.items()}
        return Cost({k: v for k, v in counts.items() if v}, self.cpu - before.cpu, self.memory)


@dataclass(frozen=True)
class Contender:
    """A controller that can be run here."""

    name: str
    make: Callable[[Path, Path, float, int], controllers.Controller]


def _ours(account: Path, log: Path, qps: float, burst: int) -> controllers.Controller:
    flags = (f"--kube-api-qps={qps}", f"--kube-api-burst={burst}", "--leader-elect=false", "--allow-built-in")
    return controllers.ours(account, log, REPLICASETS.name, *flags)


def _built_in(account: Path, log: Path, qps: float, burst: int) -> controllers.Controller:
    return controllers.built_in(account, log, qps=qps, burst=burst)


OURS, BUILT_IN = Contender("ours", _ours), Contender("builtIn", _built_in)


class Bench:
    """One cluster, and the folder in which logs and the account's kubeconfig are."""

    def __init__(self, admin: Client, folder: Path, kubeconfig: Path) -> None:
        self._admin, self._folder = admin, folder
        self._account = controllers.as_account(kubeconfig, folder / "account")
        self._count = 0

    @contextmanager
    def running(self, contender: Contender, limits: tuple[float, int]) -> Iterator[controllers.Controller]:
        self._count += 1
        with contender.make(self._account, self._folder / f"{self._count}.log", *limits) as controller:
            yield controller

    @asynccontextmanager
    async def replicaset(self) -> AsyncIterator[str]:
        """A ReplicaSet of no pods that the controller has seen."""
        self._count += 1
        name = f"b{self._count}"
        path = REPLICASETS.path(NAMESPACE)
        await self._wanted("POST", path, _replicaset(name))
        try:
            await self._until(name, lambda item: item.get("status", {}).get("observedGeneration", 0) >= 1)
            yield name
        finally:
            options = {"propagationPolicy": "Background"}
            await self._wanted("DELETE", f"{path}/{name}", options)

    async def scaled(self, name: str, replicas: int) -> Seen:
        """Scales, and takes the times until pods and status have followed."""
        seen, before = Seen(), await self._admin.ask("GET", _pods(name) + "&limit=1")
        existing = int(before.body["metadata"].get("remainingItemCount", 0)) + len(before.body["items"])
        pods = asyncio.create_task(
            self._count_pods(name, before.body["metadata"]["resourceVersion"], existing, replicas, seen)
        )
        current = await self._admin.ask("GET", REPLICASETS.path(NAMESPACE, name))
        began = time.monotonic()
        status = asyncio.create_task(self._follow(name, current.body["metadata"]["resourceVersion"], replicas, seen))
        await self._wanted("PUT", REPLICASETS.path(NAMESPACE, name), _with_replicas(current.body, replicas))
        try:
            await asyncio.wait_for(asyncio.gather(pods, status), PATIENCE)
        finally:
            pods.cancel()
            status.cancel()
        seen.pods, seen.counted, seen.ready = (max(0.0, at - began) for at in (seen.pods, seen.counted, seen.ready))
        return seen

    async def killed(self, name: str, replicas: int) -> tuple[float, int]:
        """Kills some pods at once: the seconds until all are ready again, and the most pods there were."""
        listed = await self._admin.ask("GET", _pods(name) + f"&limit={KILLED}")
        victims = [text_at(item, "metadata", "name") for item in listed.body["items"]]
        seen, version = Seen(), listed.body["metadata"]["resourceVersion"]
        pods = asyncio.create_task(self._count_pods(name, version, replicas, replicas, seen, after=KILLED))
        began = time.monotonic()
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        await asyncio.gather(*(self._wanted("DELETE", f"{path}/{one}", {"gracePeriodSeconds": 0}) for one in victims))
        await asyncio.wait_for(pods, PATIENCE)
        await self._until(name, lambda item: item["status"].get("readyReplicas", 0) == replicas)
        return time.monotonic() - began, seen.most

    async def _count_pods(
        self, name: str, version: str, existing: int, wanted: int, seen: Seen, *, after: int = 0
    ) -> None:
        """Counts by the first bytes of each event; nothing is parsed, so that the bench costs little."""
        count, gone, leaving = existing, 0, set[str]()
        path = _pods(name) + query(watch="true", resourceVersion=version).replace("?", "&")
        async for line in self._admin.lines(path, silence=PATIENCE):
            if line.startswith(b'{"type":"ADDED"'):
                count += 1
            elif line.startswith(b'{"type":"DELETED"'):
                count -= 1
                gone += 1
            if b'"deletionTimestamp"' in line:  # such a pod is replaced before it is gone, by either controller
                event = json.loads(line)
                (leaving.discard if event["type"] == "DELETED" else leaving.add)(event["object"]["metadata"]["uid"])
            seen.most = max(seen.most, count - len(leaving))
            if count == wanted and gone >= after:
                seen.pods = time.monotonic()
                return

    async def _follow(self, name: str, version: str, replicas: int, seen: Seen) -> None:
        path = REPLICASETS.path(NAMESPACE) + query(
            watch="true", resourceVersion=version, fieldSelector=f"metadata.name={name}"
        )
        async for line in self._admin.lines(path, silence=PATIENCE):
            item = json.loads(line)["object"]
            status = item.get("status", {})
            if (
                item["spec"]["replicas"] != replicas
                or status.get("observedGeneration") != item["metadata"]["generation"]
            ):
                continue
            if status.get("replicas", 0) == replicas and not seen.counted:
                seen.counted = time.monotonic()
            if status.get("readyReplicas", 0) == replicas and seen.counted:
                seen.ready = time.monotonic()
                return

    async def _until(self, name: str, true: Callable[[Any], bool]) -> None:
        ends = time.monotonic() + PATIENCE
        while not true((await self._admin.ask("GET", REPLICASETS.path(NAMESPACE, name))).body):
            if time.monotonic() > ends:
                raise LookupError(f"{name} did not get there")
            await asyncio.sleep(0.05)

    async def _wanted(self, method: str, path: str, body: object) -> Answer:
        answer = await self._admin.ask(method, path, json.dumps(body).encode())
        if not answer.ok and answer.code not in (404, 409):
            raise LookupError(f"{method} {path}: {answer.message}")
        return answer

    async def prepare(self) -> None:
        await self._wanted("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})

    async def clear(self) -> None:
        await self._wanted("DELETE", f"/api/v1/namespaces/{NAMESPACE}", {})


def _pods(name: str) -> str:
    return f"/api/v1/namespaces/{NAMESPACE}/pods" + query(labelSelector=f"app={name}")


def _replicaset(name: str, replicas: int = 0) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "c", "image": "registry.k8s.io/pause:3.10.2"}
    affinity = {"nodeSelector": kwok.SELECTOR, "tolerations": [kwok.TOLERATION], "nodeName": f"fake-{1}"}
    return {
        "apiVersion": REPLICASETS.api_version,
        "kind": REPLICASETS.kind,
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {**affinity, "terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


def _with_replicas(item: Mapping[str, Any], replicas: int) -> dict[str, Any]:
    return {**item, "spec": {**item["spec"], "replicas": replicas}}


# ---------------------------------------------------------------------- what a process has used


def cost(controller: controllers.Controller, contender: Contender) -> Cost:
    fields = Path(f"/proc/{controller.pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{controller.pid}/status").read_text()
    memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index] - Linux always says it
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    counts = _requests_of_ours if contender is OURS else _requests_of_built_in
    return Cost(counts(_metrics(controller)), cpu, memory)


def _metrics(controller: controllers.Controller) -> str:
    unchecked = ssl._create_unverified_context()  # noqa: S323 - its own certificate, on this machine
    address = controller.ready.rpartition("/")[0] + "/metrics"
    with urllib.request.urlopen(address, timeout=10, context=unchecked) as answer:  # noqa: S310 - our own
        text: str = answer.read().decode()
        return text


_METHOD = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}


def _requests_of_ours(metrics: str) -> dict[str, float]:
    found: dict[str, float] = {}
    pattern = r'kcompanion_operator_api_requests_total\{.*verb="(\w+)",resource="([^"]+)".*\} (\d+)'
    for verb, resource, count in re.findall(pattern, metrics):
        if verb in _METHOD and resource != "leases":
            found[_METHOD[verb]] = found.get(_METHOD[verb], 0) + float(count)
    return found


def _requests_of_built_in(metrics: str) -> dict[str, float]:
    """client-go counts by method; with no election there is no Lease in it, and GETs are lists and watches."""
    found: dict[str, float] = {}
    for method, count in re.findall(r'rest_client_requests_total\{.*method="(\w+)".*\} (\S+)', metrics):
        if method in _METHOD.values():
            found[method] = found.get(method, 0) + float(count)
    return found


# ---------------------------------------------------------------------- the parts


async def _side_by_side(
    bench: Bench, limits: tuple[float, int], replicas: int, runs: int, bar: float
) -> dict[str, Any]:
    """In the order A B B A, so that neither has the better moments."""
    found: dict[str, list[dict[str, Any]]] = {OURS.name: [], BUILT_IN.name: []}
    for number in range(runs):
        for contender in (OURS, BUILT_IN) if number % 2 == 0 else (BUILT_IN, OURS):
            found[contender.name].append(await _one(bench, contender, limits, replicas))
            print(f"{contender.name} {limits} {replicas}: {found[contender.name][-1]}", file=sys.stderr, flush=True)
    medians = {name: _medians(runs) for name, runs in found.items()}
    ours, theirs = medians[OURS.name], medians[BUILT_IN.name]
    return {
        "qps": limits[0],
        "burst": limits[1],
        "replicas": replicas,
        "runs": runs,
        "bar": bar,
        "ratio": round(ours["upSeconds"] / theirs["upSeconds"], 3),
        # to two places: when exactly a status is written is chance, and one request in a thousand tells nothing
        "requestsRatio": round(ours["requestsPerReplica"] / theirs["requestsPerReplica"], 2),
        **medians,
    }


async def _one(bench: Bench, contender: Contender, limits: tuple[float, int], replicas: int) -> dict[str, Any]:
    with bench.running(contender, limits) as controller:
        async with bench.replicaset() as name:
            before = cost(controller, contender)
            up = await bench.scaled(name, replicas)
            used = (await _at_rest(controller, contender)).since(before)
            recovery, most = (0.0, 0)
            if replicas >= 10 * KILLED:
                recovery, most = await bench.killed(name, replicas)
            down = await bench.scaled(name, 0)
    return {
        "upSeconds": up.counted,
        "podsSeconds": up.pods,
        "readySeconds": up.ready,
        "podsPerSecond": replicas / up.pods,
        "downSeconds": down.counted,
        "overshoot": max(0, max(up.most, most) - replicas),
        "recoverySeconds": recovery,
        "requestsPerReplica": sum(used.requests.values()) / replicas,
        **{f"requests{method}": count for method, count in sorted(used.requests.items())},
        "cpuSecondsPer1000": used.cpu / replicas * 1000,
        "memoryMiB": used.memory,
    }


async def _at_rest(controller: controllers.Controller, contender: Contender) -> Cost:
    """What was used once nothing more is asked: events are still written, and the readiness of pods counted.

    Taken at the moment in which the last pod exists, it would depend on who writes his events when.
    """
    ends = time.monotonic() + PATIENCE
    found = cost(controller, contender)
    while time.monotonic() < ends:
        await asyncio.sleep(REST)
        before, found = found, cost(controller, contender)
        if found.requests == before.requests:
            return found
    raise LookupError(f"{contender.name} does not come to rest")


def _medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: round(statistics.median(run.get(name, 0) for run in runs), 3) for name in names}


async def _steady(bench: Bench, seconds: float) -> dict[str, Any]:
    """What is asked while nothing happens, and the memory for many pods."""
    with bench.running(OURS, NO_LIMIT) as controller:
        async with bench.replicaset() as name:
            await bench.scaled(name, MANY)
            await asyncio.sleep(5)
            before = cost(controller, OURS)
            await asyncio.sleep(seconds)
            used = cost(controller, OURS).since(before)
            await bench.scaled(name, 0)
    return {
        "pods": MANY,
        "seconds": seconds,
        "requests": sum(used.requests.values()),
        "cpuPercent": round(100 * used.cpu / seconds, 2),
        "memoryMiB": round(used.memory, 1),
    }


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        admin = Client(Logins(Target(kubeconfig=str(options.kubeconfig))))
        bench = Bench(admin, Path(folder), options.kubeconfig)
        try:
            await bench.prepare()
            settings = QUICK if options.quick else SETTINGS
            found: dict[str, Any] = {"settings": [await _side_by_side(bench, *one) for one in settings]}
            if not options.quick:
                found["steady"] = await _steady(bench, options.steady)
            return found
        finally:
            await bench.clear()
            await admin.close()


def failures(found: dict[str, Any]) -> Iterator[str]:
    """The bars that were missed."""
    for one in found["settings"]:
        where = f"{document.limits(one)}, {one['replicas']} replicas"
        if one["ratio"] > one["bar"]:
            yield f"{where}: {one['ratio']} times as long (bar {one['bar']})"
        if one["requestsRatio"] > REQUESTS_BAR:
            yield f"{where}: {one['requestsRatio']} times as many requests (bar {REQUESTS_BAR})"
        if one["ours"]["overshoot"]:
            yield f"{where}: {one['ours']['overshoot']} pods too many"
        if one["qps"] == NO_LIMIT[0] and one["replicas"] >= 1000 and one["ours"]["podsPerSecond"] < RATE_BAR:
            yield f"{where}: {one['ours']['podsPerSecond']} pods a second (bar {RATE_BAR:.0f})"
    steady = found.get("steady", {"requests": 0, "memoryMiB": 0})
    if steady["requests"]:
        yield f"{steady['requests']} requests while nothing happened"
    if steady["memoryMiB"] > MEMORY_BAR:
        yield f"{steady['memoryMiB']} MiB for {MANY} pods (bar {MEMORY_BAR:.0f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one setting, once")
    parser.add_argument("--steady", type=float, default=600, help="seconds of doing nothing [600]")
    parser.add_argument("--kubeconfig", type=Path, default=KUBECONFIG, help="another cluster without that controller")
    parser.add_argument("--doc", action="store_true", help="write the operator's part of docs/benchmarks.md")
    options = parser.parse_args()
    if not options.kubeconfig.is_file():
        print("there is no cluster: run `make cluster-conformance`", file=sys.stderr)
        return 1
    head = {"takenAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "machine": machine()}
    head["realTime"] = os.sched_getscheduler(0) != os.SCHED_OTHER  # then the machine's load did not count
    turn = cache.lock("kcompanion-conformance.turn") if options.kubeconfig == KUBECONFIG else nullcontext()
    with turn, kwok.running(options.kubeconfig, NODES):
        found = {**head, **asyncio.run(_measure(options))}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    print(document.table({"operator": found}, {}))
    if options.doc:
        document.write(ROOT / "docs" / "benchmarks.md", {"operator": found}, {})
    missed = list(failures(found))
    for one in missed:
        print(f"missed: {one}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
