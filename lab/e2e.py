"""Upstream's own end-to-end tests of ReplicaSets and of what builds on them, on the cluster without a controller.

A run counts only if exactly the specs named here ran and passed: one that was renamed, skipped or left out by
a typing error in a pattern is as bad as one that failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from lab import cache, components, controllers, docker, engine, gobuild, host, nodeimage, recover, versions, workloads
from lab.cluster import CONFORMANCE, ROOT
from lab.shell import LabError, say, step

_GC = "[sig-api-machinery] Garbage collector should"
_BUDGET = "[sig-apps] DisruptionController evictions:"

REPLICASET = tuple(
    f"[sig-apps] ReplicaSet {name}"
    for name in (
        "should serve a basic image on each replica with a public image [Conformance]",
        "should surface a failure condition on a common issue like exceeded quota",
        "should adopt matching pods on creation and release no longer matching pods [Conformance]",
        "Replicaset should have a working scale subresource [Conformance]",
        "Replace and Patch tests [Conformance]",
        "should list and delete a collection of ReplicaSets [Conformance]",
        "should validate Replicaset Status endpoints [Conformance]",
    )
)
NEIGHBOURS = (
    *(
        f"[sig-apps] Deployment {name}"
        for name in (
            "deployment reaping should cascade to its replica sets and pods",
            "RollingUpdateDeployment should delete old pods and create new ones [Conformance]",
            "RecreateDeployment should delete old pods and create new ones [Conformance]",
            "deployment should delete old replica sets [Conformance]",
            "deployment should support rollover [Conformance]",
            "iterative rollouts should eventually progress",
            "test Deployment ReplicaSet orphaning and adoption regarding controllerRef",
            "Deployment should have a working scale subresource [Conformance]",
            "deployment should support proportional scaling [Conformance]",
            "should run the lifecycle of a Deployment [Conformance]",
            "should validate Deployment Status endpoints [Conformance]",
        )
    ),
    f"{_GC} delete RS created by deployment when not orphaning [Conformance]",
    f"{_GC} orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan [Conformance]",
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replica set."
    " [Conformance]",
    f"{_BUDGET} enough pods, replicaSet, percentage => should allow an eviction",
    f"{_BUDGET} maxUnavailable allow single eviction, percentage => should allow an eviction",
)
CONTROLLERS = ("ours", "builtin", "none")
_PATIENCE = 1500.0


def conformance(controller: str) -> None:
    """All 23 specs against a controller; raises unless each of them ran and passed."""
    program = gobuild.e2e_binary()
    engine.ensure()
    host.allow_many_watchers()
    recover.up(CONFORMANCE)
    load_images()
    folder = ROOT / "build/conformance" / controller
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with cache.lock(f"{CONFORMANCE.name}.turn"):
        running = _controller(controller, folder)
        try:
            if running:
                running.start()
            specs = (*REPLICASET, *NEIGHBOURS)
            with step(f"running {len(specs)} of upstream's end-to-end tests, controller: {controller}", 3):
                wrong = run(program, CONFORMANCE.kubeconfig, specs, folder, fail_fast=running is None)
        finally:
            if running:
                running.stop()
    for line in wrong:
        say(f"lab: {line}")
    if wrong:
        raise LabError(f"a pass of {len(wrong)} of {len(specs)} specs", f"read {folder / 'e2e.log'}")
    print(f"{len(specs)} of {len(specs)} specs passed; {folder / 'junit.xml'}")


def run(program: Path, kubeconfig: Path, specs: Sequence[str], folder: Path, *, fail_fast: bool = False) -> list[str]:
    """Runs these specs and returns what is wrong with the result, one line each. Log and JUnit go to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    junit = folder / "junit.xml"
    command = [
        str(program),
        f"-kubeconfig={kubeconfig}",
        "-provider=local",
        f"-num-nodes={CONFORMANCE.workers}",
        f"-ginkgo.focus={'|'.join(pattern(spec) for spec in specs)}",
        f"-ginkgo.junit-report={junit}",
        "-ginkgo.no-color",
        f"-ginkgo.timeout={_PATIENCE:.0f}s",
        "-dump-logs-on-failure=false",
        "-disable-log-dump",
        *(["-ginkgo.fail-fast"] if fail_fast else []),
    ]
    # The program writes files where it stands; HOME keeps it away from the user's own settings.
    environment = {**os.environ, "HOME": str(folder)}
    with (folder / "e2e.log").open("wb") as log:
        subprocess.run(
            command, stdout=log, stderr=log, cwd=folder, env=environment, check=False, timeout=_PATIENCE + 60
        )
    if not junit.is_file():
        return [f"the tests did not begin: read {folder / 'e2e.log'}"]
    return judge(junit.read_text(), specs)


def judge(junit: str, specs: Sequence[str]) -> list[str]:
    """What keeps a report from being a pass of exactly these specs."""
    ran: dict[str, list[str]] = {}
    for test in ElementTree.fromstring(junit).iter("testcase"):  # noqa: S314 - the program's own report
        if test.get("status") != "skipped":
            ran.setdefault(_plain(test.get("name", "")), []).append(test.get("status", ""))
    wrong = [f"did not run: {spec}" for spec in specs if spec not in ran]
    wrong += [f"ran and was not asked for: {name}" for name in ran if name not in specs and not _around(name)]
    wrong += [f"{', '.join(states)}: {name}" for name, states in ran.items() if set(states) != {"passed"}]
    return wrong


def pattern(spec: str) -> str:
    """A regular expression (of Go) that finds the spec and no other; before the name the program has its own."""
    return "".join(f"\\{sign}" if sign in r"\.+*?()|[]{}^$" else sign for sign in spec) + "$"


def load_images() -> None:
    """Nodes of an official image have none of the tests' images; the lab's own nodes do."""
    if docker.label(versions.NODE_IMAGE, nodeimage.LABEL) == "":
        names = [name for image in components.images(components.programs()) for name in image.names]
        workloads.load([CONFORMANCE], [name for name in names if "e2e-test-images" in name or "pause:" in name])


def _controller(name: str, folder: Path) -> controllers.Controller | None:
    if name == "none":
        return None
    account = controllers.as_account(CONFORMANCE.kubeconfig, cache.root() / "conformance" / "kubeconfig")
    log = folder / "controller.log"
    return (
        controllers.built_in(account, log) if name == "builtin" else controllers.ours(account, log, "replicasets.apps")
    )


def _plain(name: str) -> str:
    """A spec's name without the node type before it and the labels behind it, which repeat what the name says."""
    return name.removeprefix("[It] ").rpartition(" [")[0] if name.endswith("]") and name.startswith("[It] ") else name


def _around(name: str) -> bool:
    """Whether it belongs to the suite as a whole, such as [BeforeSuite]."""
    return name.partition("]")[0].lstrip("[").endswith("Suite")
