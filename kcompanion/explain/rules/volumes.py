"""Volumes that cannot be mapped or mounted: 124, 126, 131 and 132 of the taxonomy.

What a look-up can prove is told first: the ConfigMap that is not there, the key it lacks. The kubelet's events are
quoted for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.mounts import VOLUME_NAMED, mount_events, short
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.starting import not_started, overdue, reported
from kcompanion.explain.storage import VOLUME
from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import map_at, maps_at, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_volume")
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
# A busy kubelet says so before it has looked whether a ConfigMap or Secret exists; no server of a volume is meant.
_UNREAD = re.compile(r"failed to sync (configmap|secret) cache")
_OWN_PATH = re.compile(r"(mount: )?/var/lib/kubelet/\S+:? *")  # long, and of no use to anybody


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
            yield Cause(values, (asked, absent, *mount_events(pod, world)), (look, do), root=ref)
            continue
        keys = {*map_at(found, "data"), *map_at(found, "binaryData")}
        missing = [key for key in source.keys if key not in keys]
        if missing:
            values |= {"keys": ", ".join(missing), "has": ", ".join(sorted(keys)) or "-"}
            evidence = (asked, seen(ref, "data", f"keys: {values['has']}"), *mount_events(pod, world))
            describe = inspect(f"kubectl describe {ref.kubectl}")
            yield Cause(values, evidence, (describe, do), "cause_key", root=ref)
        elif event := _said_missing(pod, source, world):
            steps = (inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -w"),)
            yield Cause(values, (told(event), seen(ref, "", "exists")), steps, "cause_back", Severity.INFO, ref)


def _said_missing(pod: Pod, source: Source, world: World) -> Event | None:
    """The last failed mount, when it was for the lack of what is there now."""
    try:
        events = reported(pod, world, "FailedMount", within=150)
    except NotKnown:
        return None
    words = f'{source.kind.lower()} "{source.name}" not found'
    return next((event for event in events[-1:] if words in event.message), None)


def _lacks_source(pod: Pod, volume: str, world: World) -> bool:
    """Whether a volume comes from a ConfigMap or Secret that does not exist: KC5131 tells that."""
    those = [source for source in sources(pod) if source.volume == volume]
    return any(world.get(source.resource, source.name, pod.namespace) is None for source in those)


# A word in the message of a failed mount, and the sentence for it.
_MOUNTS = (
    ("failed to sync", "cause", "do"),
    ("hostPath type check failed", "cause_type", "do_type"),
    ("you might need a /sbin/mount", "cause_helper", "do_helper"),
    ("bad option", "cause_helper", "do_helper"),
    ("unknown filesystem type", "cause_helper", "do_helper"),
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
    read=_VOLUMES,
)
def mount_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet cannot mount a volume, for a reason that only its event tells."""
    if not not_started(pod) or not overdue(pod, world):
        return
    latest: dict[str, Event] = {}
    for event in reported(pod, world, "FailedMount"):
        if _ABSENT.search(event.message) or any(words in event.message for words in _TOLD_ELSEWHERE):
            continue
        found = VOLUME_NAMED.search(event.message)
        volume = found["volume"] if found else "?"
        if _UNREAD.search(event.message) and _lacks_source(pod, volume, world):
            continue
        latest[volume] = event
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
            return _OWN_PATH.sub("", line.removeprefix("Output: ")).strip()[:200]
    return short(message).partition("hostPath type check failed: ")[2] or short(message)


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
        found = VOLUME_NAMED.search(event.message)
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
