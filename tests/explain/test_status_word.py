"""The STATUS and READY columns of `kubectl get pods`.

The rows say what printPod in pkg/printers/internalversion/printers.go of Kubernetes 1.36 prints for such pods; upstream
holds the same in TestPrintPod and TestPrintPodWithRestartableInitContainer. A live comparison with kubectl's own
output is in tests/cluster.
"""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.explain.pod import Pod

Json = dict[str, Any]


def running(ready: bool = True, **more: object) -> Json:
    return {"ready": ready, "state": {"running": {"startedAt": "2026-11-21T11:00:00Z"}}, **more}


def waiting(reason: str = "", **more: object) -> Json:
    return {"ready": False, "state": {"waiting": {"reason": reason} if reason else {}}, **more}


def ended(code: int = 0, reason: str = "", signal: int = 0, ready: bool = False) -> Json:
    how: Json = {"exitCode": code}
    if reason:
        how["reason"] = reason
    if signal:
        how["signal"] = signal
    return {"ready": ready, "state": {"terminated": how}}


def stateless(ready: bool = False) -> Json:
    return {"ready": ready, "state": {}}


SIDECAR = {"restartPolicy": "Always"}


def pod(
    phase: str,
    *containers: Json,
    inits: tuple[Json, ...] = (),
    init_specs: tuple[Json, ...] = (),
    reason: str = "",
    deleted: bool = False,
    **conditions: str,
) -> Pod:
    """A pod with containers c0, c1, … and init containers i0, i1, …; conditions as Ready="True", or a reason."""
    specs = [{"name": f"i{n}", **(init_specs[n] if n < len(init_specs) else {})} for n in range(len(inits))]
    told = [
        {"type": name, "status": value if value in ("True", "False") else "False", "reason": value}
        for name, value in conditions.items()
    ]
    status: Json = {
        "phase": phase,
        "conditions": told,
        "containerStatuses": [{"name": f"c{n}", **one} for n, one in enumerate(containers)],
        "initContainerStatuses": [{"name": f"i{n}", **one} for n, one in enumerate(inits)],
    }
    if reason:
        status["reason"] = reason
    meta: Json = {"name": "p"}
    if deleted:
        meta["deletionTimestamp"] = "2026-11-21T11:59:50Z"
    names = [{"name": f"c{n}"} for n in range(len(containers))]
    return Pod({"metadata": meta, "spec": {"containers": names, "initContainers": specs}, "status": status})


TABLE: dict[str, tuple[Pod, str, str]] = {
    # what: pod, READY, STATUS
    "the phase when nothing else speaks": (pod("Pending"), "0/0", "Pending"),
    "a container without a state does not speak": (pod("Running", running(), stateless()), "1/2", "Running"),
    "ready alone is not running": (pod("Running", running(), stateless(ready=True)), "1/2", "Running"),
    "the pod's reason": (pod("Failed", reason="Evicted"), "0/0", "Evicted"),
    "a container's waiting reason": (pod("Pending", running(), waiting("ErrImagePull")), "1/2", "ErrImagePull"),
    "waiting without a reason": (pod("Pending", waiting()), "0/1", "Pending"),
    "the first container speaks last": (pod("Running", waiting("First"), ended(0, "Second")), "0/2", "First"),
    "a container overrides the pod's reason": (pod("Failed", ended(1, "Error"), reason="Odd"), "0/1", "Error"),
    "a signal without a reason": (pod("Failed", ended(137, signal=9)), "0/1", "Signal:9"),
    "an exit code without a reason": (pod("Failed", ended(3)), "0/1", "ExitCode:3"),
    "gated": (pod("Pending", PodScheduled="SchedulingGated"), "0/0", "SchedulingGated"),
    "unschedulable is just pending": (pod("Pending", PodScheduled="Unschedulable"), "0/0", "Pending"),
    "succeeded": (pod("Succeeded", ended(0, "Completed")), "0/1", "Completed"),
    "failed": (pod("Failed", ended(1, "Error")), "0/1", "Error"),
    "one done, one runs, ready": (
        pod("Running", ended(0, "Completed", ready=True), running(), Ready="True"),
        "1/2",
        "Running",
    ),
    "one done, one runs, not ready": (
        pod("Running", ended(0, "Completed", ready=True), running()),
        "1/2",
        "NotReady",
    ),
    "one done, one runs unready": (
        pod("Running", ended(0, "Completed"), running(ready=False)),
        "0/2",
        "Completed",
    ),
    # https://github.com/kubernetes/kubernetes/issues/107713: an error is not hidden by a container that is done
    "error, then running": (pod("Failed", ended(1, "Crashed"), running()), "1/2", "Crashed"),
    "running, then error": (pod("Failed", running(), ended(1, "Crashed")), "1/2", "Crashed"),
    "running, error, done without a reason": (
        pod("Failed", running(), ended(1, "Crashed", ready=True), ended(0, ready=True)),
        "1/3",
        "Crashed",
    ),
    "done first, error behind it": (pod("Failed", ended(0, "Completed"), ended(1, "Crashed")), "0/2", "Crashed"),
    "done, error and one that runs": (
        pod("Running", ended(0, "Completed"), ended(2, "Crashed"), running()),
        "1/3",
        "Crashed",
    ),
    "done, error and one that runs, ready all the same": (
        pod("Running", ended(0, "Completed"), ended(2, "Crashed"), running(), Ready="True"),
        "1/3",
        "Running",
    ),
    # being deleted
    "deleted while running": (pod("Running", running(ready=False), deleted=True), "0/1", "Terminating"),
    "deleted while pending": (pod("Pending", deleted=True), "0/0", "Terminating"),
    "deleted, its node lost": (pod("Running", running(), reason="NodeLost", deleted=True), "1/1", "Unknown"),
    "node lost, not deleted": (pod("Running", running(), reason="NodeLost"), "1/1", "NodeLost"),
    "deleted after it succeeded": (pod("Succeeded", ended(0, "Completed"), deleted=True), "0/1", "Completed"),
    "deleted after it failed": (pod("Failed", ended(1, "Error"), deleted=True), "0/1", "Error"),
    # init containers
    "init runs": (pod("Pending", waiting(), inits=(running(ready=False),)), "0/1", "Init:0/1"),
    "first of two inits runs": (pod("Pending", waiting(), inits=(running(ready=False), waiting())), "0/1", "Init:0/2"),
    "second of two inits runs": (pod("Pending", waiting(), inits=(ended(), running(ready=False))), "0/1", "Init:1/2"),
    "init waits for the others": (pod("Pending", waiting(), inits=(waiting("PodInitializing"),)), "0/1", "Init:0/1"),
    "init cannot be pulled": (pod("Pending", waiting(), inits=(waiting("ErrImagePull"),)), "0/1", "Init:ErrImagePull"),
    "init failed": (pod("Failed", waiting("PodInitializing"), inits=(ended(1, "Error"),)), "0/1", "Init:Error"),
    "init failed by signal": (pod("Failed", waiting(), inits=(ended(139, signal=11),)), "0/1", "Init:Signal:11"),
    "init failed by code": (pod("Failed", waiting(), inits=(ended(4),)), "0/1", "Init:ExitCode:4"),
    "init without a state": (pod("Pending", waiting(), inits=(stateless(),)), "0/1", "Init:0/1"),
    "inits done": (pod("Running", running(ready=False), inits=(ended(),)), "0/1", "Running"),
    "inits done, container waits": (pod("Pending", waiting("CreateError"), inits=(ended(),)), "0/1", "CreateError"),
    "initialized outranks an init that runs again": (
        pod("Running", running(), inits=(running(ready=False),), Initialized="True"),
        "1/1",
        "Init:0/1",
    ),
    "initialized, and a container speaks": (
        pod("Running", waiting("CrashLoopBackOff"), inits=(running(ready=False),), Initialized="True"),
        "0/1",
        "CrashLoopBackOff",
    ),
    # sidecars: init containers with restartPolicy Always
    "sidecar has not started": (
        pod(
            "Pending",
            waiting(),
            inits=(running(ready=False, started=False), waiting(started=False)),
            init_specs=(SIDECAR, SIDECAR),
        ),
        "0/3",
        "Init:0/2",
    ),
    "second sidecar has not started": (
        pod(
            "Pending",
            waiting(),
            inits=(running(ready=False, started=True), running(ready=False, started=False)),
            init_specs=(SIDECAR, SIDECAR),
        ),
        "0/3",
        "Init:1/2",
    ),
    "first sidecar ready before the second has started": (
        pod(
            "Pending",
            waiting(),
            inits=(running(started=True), running(ready=False, started=False)),
            init_specs=(SIDECAR, SIDECAR),
        ),
        "1/3",
        "Init:1/2",
    ),
    "sidecars run": (
        pod(
            "Running",
            running(),
            inits=(running(ready=False, started=True), running(started=True)),
            init_specs=(SIDECAR, SIDECAR),
            Initialized="True",
        ),
        "2/3",
        "Running",
    ),
    "sidecars killed after the program was done": (
        pod(
            "Succeeded",
            ended(0, "Completed"),
            inits=(ended(137, "Error"), ended(137, "Error")),
            init_specs=(SIDECAR, SIDECAR),
            Initialized="True",
        ),
        "0/3",
        "Completed",
    ),
    "a sidecar that crashes before the start of the program": (
        pod("Pending", waiting("PodInitializing"), inits=(waiting("CrashLoopBackOff"),), init_specs=(SIDECAR,)),
        "0/2",
        "Init:CrashLoopBackOff",
    ),
}


@pytest.mark.parametrize("what", TABLE)
def test_columns(what: str) -> None:
    given, ready, word = TABLE[what]
    assert given.status_word == word
    assert "{}/{}".format(*given.ready_count) == ready


def test_statuses_of_containers_that_the_spec_does_not_have() -> None:
    given = Pod(
        {
            "spec": {
                "initContainers": [{"name": "init"}, {"name": "side", **SIDECAR}],
                "containers": [{"name": "app"}],
            },
            "status": {
                "phase": "Running",
                "initContainerStatuses": [{"name": "stray"}, {"name": "init"}, {"name": "side"}],
                "containerStatuses": [{"name": "stray"}, {"name": "app"}],
            },
        }
    )
    assert given.status_word == "Init:0/2"
    assert given.ready_count == (0, 2)


def test_the_order_is_that_of_the_statuses_not_of_the_spec() -> None:
    # the kubelet sorts containerStatuses by name
    given = Pod(
        {
            "spec": {"containers": [{"name": "web"}, {"name": "agent"}]},
            "status": {
                "phase": "Pending",
                "containerStatuses": [
                    {"name": "agent", "state": {"waiting": {"reason": "ErrImagePull"}}},
                    {"name": "web", "state": {"waiting": {"reason": "CreateContainerConfigError"}}},
                ],
            },
        }
    )
    assert given.status_word == "ErrImagePull"


def test_each_step_names_the_field_that_gave_the_word() -> None:
    given = pod("Running", waiting("CrashLoopBackOff"), deleted=True)
    assert given.status_steps == (
        ("Running", "status.phase"),
        ("CrashLoopBackOff", "status.containerStatuses[c0].state.waiting.reason"),
        ("Terminating", "metadata.deletionTimestamp"),
    )


def test_a_pod_without_anything_has_a_word() -> None:
    assert Pod({}).status_word == ""
    assert Pod({}).ready_count == (0, 0)
