"""Volumes that cannot be attached, mapped or mounted: 124 to 126 and 131 to 133 of the taxonomy.

What a look-up can prove is told first: the ConfigMap that is not there, the driver the node lacks, the node that still
holds the volume. The kubelet's and the attach/detach controller's events are quoted for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.nodelife import State, life
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank
from kcompanion.explain.rules.claims import BOOK
from kcompanion.explain.starting import not_started, overdue, reported
from kcompanion.explain.storage import VOLUME, claims_of, consumers, volume_of
from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import dig, map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

_VOLUMES = "https://kubernetes.io/docs/concepts/storage/volumes/"
_SOURCES: Mapping[str, tuple[Resource, str, str]] = {  # volume source: what it reads, and the fields that name it
    "configMap": (r.CONFIGMAPS, "name", "name"),
    "secret": (r.SECRETS, "secretName", "name"),
}
# Messages that another rule of this module tells better, or that only repeat that something failed.
_TOLD_ELSEWHERE = (
    "references non-existent",
    "registered CSI drivers",
    "does not contain driver",
    "PVC is not bound",
    "Unable to attach or mount volumes",
)
_ABSENT = re.compile(r'(configmap|secret) "[^"]+" not found')
_VOLUME = re.compile(r'for volume "(?P<volume>[^"]+)"')
_PREFIX = re.compile(r'^\w+Volume\.\w+ failed for volume "[^"]+"\s*:\s*')


@dataclass(frozen=True)
class Source:
    """A ConfigMap or Secret behind a volume, with the keys that the volume asks for."""

    volume: str
    path: str
    resource: Resource
    name: str
    keys: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.resource.kind


def sources(pod: Pod) -> Iterator[Source]:
    """What the pod's volumes must have; optional ones may be missing."""
    for volume in maps_at(pod.raw, "spec", "volumes"):
        name = text_at(volume, "name")
        yield from _of(name, f"spec.volumes[{name}]", volume, direct=True)
        for index, part in enumerate(maps_at(volume, "projected", "sources")):
            yield from _of(name, f"spec.volumes[{name}].projected.sources[{index}]", part, direct=False)


def _of(volume: str, path: str, part: Mapping[str, Any], *, direct: bool) -> Iterator[Source]:
    for field, (resource, own, projected) in _SOURCES.items():
        found = map_at(part, field)
        name = text_at(found, own if direct else projected)
        if name and found.get("optional") is not True:
            keys = tuple(text_at(item, "key") for item in maps_at(found, "items"))
            yield Source(volume, f"{path}.{field}", resource, name, keys)


@BOOK.rule(
    "KC5131",
    numbers=(131,),
    severity=Severity.CRITICAL,
    rank=Rank.MOUNT,
    read="https://kubernetes.io/docs/concepts/storage/projected-volumes/",
)
def source_missing(pod: Pod, world: World) -> Iterator[Cause]:
    """A ConfigMap or Secret behind a volume, or a key in it, is not there."""
    if not not_started(pod) or not overdue(pod, world):
        return
    for source in sources(pod):
        ref = Ref(source.kind, source.name, pod.namespace)
        values: dict[str, Any] = {"kind": source.kind, "source": source.name, "volume": source.volume}
        asked = seen(pod.ref, source.path, source.name)
        found = world.get(source.resource, source.name, pod.namespace)
        look = inspect(f"kubectl get {source.kind.lower()} -n {pod.namespace}")
        do = change(text=say("rule_volume.kc5131.do", kind=source.kind, source=source.name))
        if found is None:
            absent = seen(ref, "", "404 not found")
            yield Cause(values, (asked, absent, *_mount_events(pod, world)), (look, do), root=ref)
            continue
        keys = {*map_at(found, "data"), *map_at(found, "binaryData")}
        missing = [key for key in source.keys if key not in keys]
        if missing:
            values |= {"keys": ", ".join(missing), "has": ", ".join(sorted(keys)) or "-"}
            evidence = (asked, seen(ref, "data", f"keys: {values['has']}"), *_mount_events(pod, world))
            describe = inspect(f"kubectl describe {ref.kubectl}")
            yield Cause(values, evidence, (describe, do), "cause_key", root=ref)
        elif event := _said_missing(pod, source, world):
            steps = (inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -w"),)
            yield Cause(values, (told(event), seen(ref, "", "exists")), steps, "cause_back", Severity.INFO, ref)


def _mount_events(pod: Pod, world: World) -> Iterator[Evidence]:
    try:
        yield from (told(event) for event in reported(pod, world, "FailedMount")[-1:])
    except NotKnown:
        return


def _said_missing(pod: Pod, source: Source, world: World) -> Event | None:
    """The last failed mount, when it was for the lack of what is there now."""
    try:
        events = reported(pod, world, "FailedMount", within=150)
    except NotKnown:
        return None
    words = f'{source.kind.lower()} "{source.name}" not found'
    return next((event for event in events[-1:] if words in event.message), None)


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
            evidence = (where, seen(ref, "spec.drivers[].name", known), *_mount_events(pod, world))
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
        found = _VOLUME.search(event.message)
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
    found = _VOLUME.search(event.message)
    volume = found["volume"] if found else "?"
    evidence = [told(event)]
    for attachment in _attachments_of(volume, world):
        if _on(attachment) == pod.node:
            ref = Ref("VolumeAttachment", name_of(attachment))
            evidence.append(seen(ref, "status.attached", dig(attachment, "status", "attached")))
            if error := text_at(attachment, "status", "attachError", "message"):
                evidence.append(seen(ref, "status.attachError.message", error))
    values = {"volume": volume, "node": pod.node, "message": _short(event.message)}
    steps = (
        inspect(f"kubectl get volumeattachments | grep {volume}"),
        change(text=say("rule_volume.kc5125.do_attacher")),
    )
    silent = "waiting for external-attacher" in event.message
    yield Cause(values, tuple(evidence), steps, "cause_nobody" if silent else "cause_failed", root=Ref(VOLUME, volume))


def _short(message: str) -> str:
    """The first line of a message without the call that failed and the volume's name."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return _PREFIX.sub("", lines[0])[:200] if lines else "-"


# A word in the message of a failed mount, and the sentence for it.
_MOUNTS = (
    ("hostPath type check failed", "cause_type", "do_type"),
    ("you might need a /sbin/mount", "cause_helper", "do_helper"),
    ("bad option", "cause_helper", "do_helper"),
    ("access denied", "cause_denied", "do_denied"),
    ("ermission denied", "cause_denied", "do_denied"),
    ("imed out", "cause_server", "do_server"),
    ("No route to host", "cause_server", "do_server"),
    ("onnection refused", "cause_server", "do_server"),
    ("wrong fs type", "cause_filesystem", "do_filesystem"),
)


@BOOK.rule(
    "KC5124",
    numbers=(124,),
    severity=Severity.CRITICAL,
    rank=Rank.MOUNT,
    read="https://kubernetes.io/docs/concepts/storage/volumes/",
)
def mount_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet cannot mount a volume, for a reason that only its event tells."""
    if not not_started(pod) or not overdue(pod, world):
        return
    latest: dict[str, Event] = {}
    for event in reported(pod, world, "FailedMount"):
        if _ABSENT.search(event.message) or any(words in event.message for words in _TOLD_ELSEWHERE):
            continue
        found = _VOLUME.search(event.message)
        latest[found["volume"] if found else "?"] = event
    for volume, event in sorted(latest.items()):
        _, variant, do = next((row for row in _MOUNTS if row[0] in event.message), ("", "cause", "do"))
        values = {"volume": volume, "node": pod.node, "message": _telling(event.message)}
        yield Cause(
            values,
            (told(event), *_declared(pod, volume)),
            (
                inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
                change(text=say(f"rule_volume.kc5124.{do}", node=pod.node)),
            ),
            variant,
        )


def _telling(message: str) -> str:
    """The line that says most: mount(8) comes last, after the command and its arguments."""
    for line in message.splitlines():
        if line.startswith(("Output: ", "mount.", "mount:")):
            return line.removeprefix("Output: ").strip()[:200]
    return _short(message).partition("hostPath type check failed: ")[2] or _short(message)


def _declared(pod: Pod, name: str) -> Iterator[Evidence]:
    """What the pod asked for under that name."""
    for volume in maps_at(pod.raw, "spec", "volumes"):
        if text_at(volume, "name") == name:
            for source, given in volume.items():
                if source != "name":
                    words = " ".join(f"{key}={value}" for key, value in sorted(map_at(volume, source).items()))
                    yield seen(pod.ref, f"spec.volumes[{name}].{source}", words or str(given))


@BOOK.rule(
    "KC5126",
    numbers=(126,),
    severity=Severity.CRITICAL,
    rank=Rank.MOUNT,
    read="https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support",
)
def map_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """A raw block volume cannot be handed to the pod."""
    if not not_started(pod):
        return
    for event in reported(pod, world, "FailedMapVolume")[-1:]:
        found = _VOLUME.search(event.message)
        volume = found["volume"] if found else "?"
        evidence = [told(event)]
        try:
            behind = world.get(r.PERSISTENTVOLUMES, volume)
        except NotKnown:
            behind = None
        path = text_at(behind, "spec", "local", "path")
        if path:
            evidence.append(seen(Ref(VOLUME, volume), "spec.local.path", path))
        values = {"volume": volume, "node": pod.node, "path": path, "message": _telling(event.message)}
        steps = (
            inspect(f"kubectl get pv {volume} -o yaml"),
            change(text=say("rule_volume.kc5126.do")),
        )
        variant = "cause_path" if path and "devicePath" in event.message else "cause"
        yield Cause(values, tuple(evidence), steps, variant, root=Ref(VOLUME, volume))


@BOOK.rule(
    "KC5132",
    numbers=(132,),
    severity=Severity.CRITICAL,
    rank=Rank.MOUNT,
    read="https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/",
)
def image_volume(pod: Pod, world: World) -> Iterator[Cause]:
    """An image that is to be mounted cannot be pulled; its containers then wait as if their own image were missing."""
    waiting = [c for c in pod.containers if c.waiting in ("ErrImagePull", "ImagePullBackOff")]
    for volume in maps_at(pod.raw, "spec", "volumes"):
        image, name = text_at(volume, "image", "reference"), text_at(volume, "name")
        container = next((c for c in waiting if image and f'"{image}"' in c.waiting_message and c.image != image), None)
        if container is None:
            continue
        evidence = [
            seen(pod.ref, f"spec.volumes[{name}].image.reference", image),
            seen(pod.ref, f"{container.path}.state.waiting.message", container.waiting_message),
        ]
        with suppress(NotKnown):
            evidence += [told(e) for e in reported(pod, world, "Failed") if f'"{image}"' in e.message][-1:]
        reason = container.waiting_message.rpartition(": ")[2] or "-"
        yield Cause(
            {"volume": name, "image": image, "container": container.name, "message": reason},
            tuple(evidence),
            (
                inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
                change(text=say("rule_volume.kc5132.do", image=image)),
            ),
        )
