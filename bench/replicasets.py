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
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import document  # noqa: E402 - found only once the path is set
from bench.contending import BUILT_IN, KILLED, OURS, Bench, Contender, at_rest, cost  # noqa: E402
from bench.measure import machine  # noqa: E402
from kcompanion.cluster.connect import Target  # noqa: E402
from lab import cache, kwok  # noqa: E402
from operators.replicaset.client import Client  # noqa: E402
from operators.replicaset.login import Logins  # noqa: E402

KUBECONFIG = ROOT / ".cluster" / "kubeconfig-conformance"
TARGET = ROOT / "build" / "bench" / "operator.json"
NODES = 10
NO_LIMIT = (1000.0, 2000)
# (qps, burst), replicas, how often each, the highest ratio allowed of our time to that of the built-in controller
SETTINGS: tuple[tuple[tuple[float, int], int, int, float], ...] = (
    # A burst is as fast as the machine, and two cores are shared: the same program takes 2 s and 3 s within minutes.
    # Only many runs tell.
    (NO_LIMIT, 100, 9, 1.2),
    (NO_LIMIT, 1000, 9, 1.2),
    ((100, 200), 100, 9, 1.05),  # the burst is larger: again fractions of a second
    ((100, 200), 1000, 2, 1.05),
    ((20, 30), 100, 2, 1.05),
    ((20, 30), 1000, 1, 1.05),
)
QUICK = ((NO_LIMIT, 100, 1, 1.2),)
REQUESTS_BAR, RATE_BAR, MEMORY_BAR = 1.0, 150.0, 200.0
MANY = 5000


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
        "spread": {name: _spread(runs) for name, runs in found.items()},
    }


async def _one(bench: Bench, contender: Contender, limits: tuple[float, int], replicas: int) -> dict[str, Any]:
    with bench.running(contender, limits) as controller:
        async with bench.replicaset() as name:
            before = cost(controller, contender)
            up = await bench.scaled(name, replicas)
            used = (await at_rest(controller, contender)).since(before)
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


def _medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: round(statistics.median(run.get(name, 0) for run in runs), 3) for name in names}


def _spread(runs: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The lowest and the highest of each figure."""
    names = dict.fromkeys(name for run in runs for name in run)
    values = {name: [run.get(name, 0) for run in runs] for name in names}
    return {name: [round(min(some), 3), round(max(some), 3)] for name, some in values.items()}


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
    head: dict[str, Any] = {"takenAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "machine": machine()}
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
