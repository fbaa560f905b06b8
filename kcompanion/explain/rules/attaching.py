"""Volumes that do not come to the pod's node: 125 and 133 of the taxonomy.

Facts from pkg/controller/volume/attachdetach and pkg/volume/csi. Since Kubernetes 1.36 the controller's event says
"Waiting for detach", before it "Multi-Attach error".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.mounts import VOLUME_NAMED, mount_events, short
from kcompanion.explain.nodelife import State, life
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.starting import not_started, overdue, reported
from kcompanion.explain.storage import VOLUME, claims_of, consumers, volume_of
from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import dig, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_volume")


@BOOK.rule(
    "KC5133",
    numbers=(133,),
    severity=Severity.CRITICAL,
    rank=Rank.MOUNT,
    read="https://kubernetes.io/docs/concepts/storage/volumes/#csi",
)
def driver_missing(pod: Pod, world: World) -> Iterator[Cause]:
    """The node's kubelet knows no CSI driver of that name, or may attach no more of its volumes."""
    if not not_started(pod) or not overdue(pod, world):
        return
    for volume, driver, where in _csi_volumes(pod, world):
        node = world.get(r.CSINODES, pod.node)
        has = {} if node is None else {text_at(one, "name"): one for one in maps_at(node, "spec", "drivers")}
        ref = Ref("CSINode", pod.node)
        values: dict[str, Any] = {"volume": volume, "driver": driver, "node": pod.node}
        look = inspect(f"kubectl get csinode {pod.node} -o yaml")
        if driver not in has:
            known = ", ".join(sorted(has)) or "-"
            evidence = (where, seen(ref, "spec.drivers[].name", known), *mount_events(pod, world))
            steps = (look, change(text=say("rule_volume.kc5133.do", driver=driver)))
            yield Cause(values, evidence, steps, root=Ref("CSIDriver", driver))
            continue
        most = dig(has[driver], "allocatable", "count")
        if isinstance(most, int) and (events := reported(pod, world, "FailedAttachVolume")):
            attached = [a for a in _attachments(world) if dig(a, "spec", "attacher") == driver and _on(a) == pod.node]
            if len(attached) >= most:
                evidence = (where, seen(ref, f"spec.drivers[{driver}].allocatable.count", most), told(events[-1]))
                steps = (look, change(text=say("rule_volume.kc5133.do_limit")))
                counted = {**values, "most": most, "attached": len(attached)}
                yield Cause(counted, evidence, steps, "cause_limit", root=Ref("Node", pod.node))


def _csi_volumes(pod: Pod, world: World) -> Iterator[tuple[str, str, Evidence]]:
    """The pod's volumes of CSI drivers: inline ones, and those behind bound claims."""
    for volume in maps_at(pod.raw, "spec", "volumes"):
        name = text_at(volume, "name")
        if driver := text_at(volume, "csi", "driver"):
            yield name, driver, seen(pod.ref, f"spec.volumes[{name}].csi.driver", driver)
    for use, claim in claims_of(pod, world):
        behind = volume_of(claim, world)
        if behind is not None and (driver := text_at(behind, "spec", "csi", "driver")):
            yield use.volume, driver, seen(Ref(VOLUME, name_of(behind)), "spec.csi.driver", driver)


def _attachments(world: World) -> Iterator[Object]:
    yield from world.all(r.VOLUMEATTACHMENTS)


def _on(attachment: Object) -> str:
    return text_at(attachment, "spec", "nodeName")


_HELD = re.compile(r"already exclusively attached|already used by|Multi-Attach")


@BOOK.rule(
    "KC5125",
    numbers=(125,),
    severity=Severity.CRITICAL,
    rank=Rank.MOUNT,
    read="https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
)
def attach_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The volume cannot be attached to the pod's node, most often because another node holds it."""
    if not not_started(pod):
        return
    events = reported(pod, world, "FailedAttachVolume")
    for event in events[-1:]:
        if not _HELD.search(event.message):
            yield from _not_attached(pod, event, world)
            continue
        found = VOLUME_NAMED.search(event.message)
        volume = found["volume"] if found else "?"
        other = next((a for a in _attachments_of(volume, world) if _on(a) != pod.node), None)
        holders = [name for name in _users_elsewhere(pod, volume, world)]
        values = {
            "volume": volume,
            "node": pod.node,
            "other": _on(other) if other else "?",
            "holder": ", ".join(holders) or "-",
        }
        evidence = [told(event)]
        if other is not None:
            evidence.append(seen(Ref("VolumeAttachment", name_of(other)), "spec.nodeName", _on(other)))
        evidence += [seen(Ref("Pod", name, pod.namespace), "spec.volumes", volume) for name in holders[:3]]
        variant, steps = _held(pod, values, bool(holders), world)
        yield Cause(values, tuple(evidence), steps, variant, root=Ref(VOLUME, volume))


def _held(pod: Pod, values: Mapping[str, str], used: bool, world: World) -> tuple[str, tuple[Step, ...]]:
    look = inspect(f"kubectl get volumeattachments -o wide | grep {values['volume']}")
    try:
        node = world.get(r.NODES, values["other"]) if values["other"] != "?" else None
        dead = node is not None and life(node, world).state in (State.UNKNOWN, State.SILENT)
    except NotKnown:
        dead = False
    if dead:
        return "cause_dead", (look, change(text=say("rule_volume.kc5125.do_dead", other=values["other"])))
    if used:
        return "cause", (
            inspect(f"kubectl get pods -n {pod.namespace} -o wide"),
            change(text=say("rule_volume.kc5125.do")),
        )
    return "cause_detaching", (look, change(text=say("rule_volume.kc5125.do_detach")))


def _attachments_of(volume: str, world: World) -> Iterator[Object]:
    try:
        yield from (a for a in _attachments(world) if text_at(a, "spec", "source", "persistentVolumeName") == volume)
    except NotKnown:
        return


def _users_elsewhere(pod: Pod, volume: str, world: World) -> Iterator[str]:
    """The pods on other nodes that use the claim of that volume."""
    try:
        for _, claim in claims_of(pod, world):
            if text_at(claim, "spec", "volumeName") == volume:
                for user in consumers(claim, world):
                    if text_at(user, "spec", "nodeName") not in ("", pod.node):
                        yield name_of(user)
    except NotKnown:
        return


def _not_attached(pod: Pod, event: Event, world: World) -> Iterator[Cause]:
    """Any other failure to attach; where the node has no such driver, that is the cause to tell."""
    if any(cause.variant == "cause" for cause in driver_missing(pod, world)):
        return
    found = VOLUME_NAMED.search(event.message)
    volume = found["volume"] if found else "?"
    evidence = [told(event)]
    for attachment in _attachments_of(volume, world):
        if _on(attachment) == pod.node:
            ref = Ref("VolumeAttachment", name_of(attachment))
            evidence.append(seen(ref, "status.attached", dig(attachment, "status", "attached")))
            if error := text_at(attachment, "status", "attachError", "message"):
                evidence.append(seen(ref, "status.attachError.message", error))
    values = {"volume": volume, "node": pod.node, "message": short(event.message)}
    steps = (
        inspect(f"kubectl get volumeattachments | grep {volume}"),
        change(text=say("rule_volume.kc5125.do_attacher")),
    )
    silent = "waiting for external-attacher" in event.message
    yield Cause(values, tuple(evidence), steps, "cause_nobody" if silent else "cause_failed", root=Ref(VOLUME, volume))
