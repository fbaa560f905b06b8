"""What becomes of a pod on a node that is lost: tolerations as the taint eviction controller reads them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kcompanion.explain.fate import afterwards, fate, toleration_seconds
from kcompanion.explain.nodelife import UNREACHABLE, Life, State
from kcompanion.explain.pod import Pod
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.world import World

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TAINT = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": "2026-11-21T11:59:00Z"}
WORLD = World(Snapshot(NOW, readings={}))


def toleration(seconds: int | None = None, **fields: Any) -> dict[str, Any]:
    found = {"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute", **fields}
    return found if seconds is None else {**found, "tolerationSeconds": seconds}


def pod(*tolerations: dict[str, Any], owner: str = "", deleted: bool = False, mirror: bool = False) -> Pod:
    metadata: dict[str, Any] = {"name": "web-0", "namespace": "shop"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "name": "web", "controller": True}]
    if deleted:
        metadata["deletionTimestamp"] = "2026-11-21T11:59:30Z"
    if mirror:
        metadata["annotations"] = {"kubernetes.io/config.mirror": "x"}
    return Pod({"metadata": metadata, "spec": {"nodeName": "worker-1", "tolerations": list(tolerations)}})


def lost(*taints: Object) -> Life:
    node = {"metadata": {"name": "worker-1"}, "spec": {"taints": list(taints)}}
    return Life(node, State.UNKNOWN, {"status": "Unknown"}, "", 80)


@pytest.mark.parametrize(
    ("tolerations", "seconds"),
    [
        ([], 0),
        ([toleration(300)], 300),
        ([toleration()], None),
        ([toleration(300), toleration(60)], 60),
        ([toleration(300), toleration()], 300),  # one without a limit does not lift the others'
        ([toleration(-5)], 0),
        ([toleration(effect="NoSchedule")], 0),
        ([toleration(effect="")], None),
        ([toleration(key="", effect="")], None),  # tolerates everything
        ([toleration(key="other")], 0),
        ([toleration(operator="Equal", value="")], None),
        ([toleration(operator="Equal", value="x")], 0),
    ],
)
def test_shortest_toleration_counts(tolerations: list[dict[str, Any]], seconds: int | None) -> None:
    assert toleration_seconds(pod(*tolerations), TAINT) == seconds


@pytest.mark.parametrize(
    ("lost_pod", "life", "told"),
    [
        (pod(toleration(300)), lost(TAINT), ("later", {"left": "4m"})),
        (pod(toleration(300)), lost(), ("later", {"left": "5m"})),  # the taint is yet to come
        (pod(toleration(30)), lost(TAINT), ("now", {})),
        (pod(toleration()), lost(TAINT), ("stays", {})),
        (pod(deleted=True), lost(TAINT), ("going", {})),
        (pod(mirror=True), lost(TAINT), ("mirror", {})),
    ],
)
def test_fate(lost_pod: Pod, life: Life, told: tuple[str, dict[str, str]]) -> None:
    message = fate(lost_pod, life, WORLD)
    assert (message.id, dict(message.values)) == (f"rule_node.fate.{told[0]}", told[1])


@pytest.mark.parametrize(
    ("lost_pod", "told"),
    [
        (pod(toleration(300), owner="ReplicaSet"), "replaced"),
        (pod(toleration(300), owner="StatefulSet"), "stateful"),
        (pod(toleration(300)), "naked"),
        (pod(toleration(), owner="DaemonSet"), "returns"),
        (pod(toleration(), owner="ReplicaSet"), "returns"),
        (pod(deleted=True), "naked"),
    ],
)
def test_what_takes_its_place(lost_pod: Pod, told: str) -> None:
    assert afterwards(lost_pod, lost(TAINT), WORLD).id == f"rule_node.after.{told}"
