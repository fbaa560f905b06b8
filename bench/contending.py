"""A ReplicaSet controller at work on fake pods: how long it took, and what it used meanwhile.

Ours and the built-in one, each as a process of its own on this machine, one at a time. What the pods and the status
become is seen by watches that are nobody's but the bench's.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kcompanion.model.fields import text_at
from kcompanion.model.resources import REPLICASETS
from kcompanion.reconcile.requests import Answer
from lab import controllers, kwok
from operators.replicaset.client import Client, query

NAMESPACE = f"bench-operator-{os.getpid()}"  # the last run's may still be on its way out
PATIENCE = 400.0
REST = 1.5  # seconds without a request
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
    memory = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
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


async def at_rest(controller: controllers.Controller, contender: Contender) -> Cost:
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
