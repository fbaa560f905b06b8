"""PersistentVolumeClaim and PersistentVolume: the chain claim → volume → class → node, and who mounts it."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, text_at, texts_at
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.report.document import Cell, Section
from kcompanion.report.portraits import common, events, owners
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson, yes_or_no

_SOURCES = ("csi", "hostPath", "local", "nfs", "iscsi", "fc")
_NOT_A_SOURCE = frozenset({"nodeAffinity"})


def wanted(sight: Sight) -> Iterator[Fact]:
    """What the claim asks for, and what it got."""
    item = sight.item
    yield label("phase"), text_at(item, "status", "phase")
    asked = text_at(item, "spec", "resources", "requests", "storage")
    got = text_at(item, "status", "capacity", "storage")
    modes = ", ".join(texts_at(item, "spec", "accessModes"))
    key = "wants_got" if got else "wants"
    yield label("size"), say(f"portrait.claim.{key}", asked=asked or "-", modes=modes, **({"got": got} if got else {}))


def storage_class(sight: Sight) -> Iterator[Fact]:
    """The class: who provisions, when it binds, what becomes of the volume."""
    name = dig(sight.item, "spec", "storageClassName")
    if name is None:
        yield label("class"), say("portrait.claim.no_class")
    elif name == "":
        yield label("class"), say("portrait.claim.empty_class")
    else:
        found = sight.world.get(r.STORAGECLASSES, str(name))
        yield label("class"), owners.gone(str(name)) if found is None else _class(str(name), found)


def _class(name: str, item: Object) -> Message:
    late = text_at(item, "volumeBindingMode") == "WaitForFirstConsumer"
    return say(
        f"portrait.claim.{'class_late' if late else 'class_now'}",
        name=name,
        provisioner=text_at(item, "provisioner"),
        policy=text_at(item, "reclaimPolicy") or "Delete",
    )


def volume(sight: Sight) -> Iterator[Fact]:
    """The volume that was bound, and the nodes that can reach it."""
    name = text_at(sight.item, "spec", "volumeName")
    if not name:
        yield label("volume"), say("portrait.claim.no_volume")
        return
    found = sight.world.get(r.PERSISTENTVOLUMES, name)
    if found is None:
        yield label("volume"), owners.gone(name)
        return
    yield (
        label("volume"),
        say("portrait.claim.volume", name=name, phase=text_at(found, "status", "phase"), by=source(found)),
    )
    if nodes := affinity(found):
        yield label("reachable"), say("portrait.claim.nodes", nodes=nodes)


def source(item: Object) -> str:
    """`csi ebs.csi.aws.com`, `hostPath /data`: what lies behind a volume."""
    spec = map_at(item, "spec")
    key = next((one for one in _SOURCES if one in spec), "")
    where = text_at(spec, key, "driver") or text_at(spec, key, "path") or text_at(spec, key, "server")
    return f"{key} {where}".strip() or "-"


def affinity(item: Object) -> str:
    """From where a volume can be reached: `kubernetes.io/hostname in (worker-1)`; empty is everywhere."""
    told = [
        f"{text_at(one, 'key')} {text_at(one, 'operator').lower()} ({', '.join(texts_at(one, 'values'))})"
        for term in maps_at(item, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
        for one in maps_at(term, "matchExpressions")
    ]
    return "; ".join(told)


def users(world: World, space: str, claim: str) -> list[Object]:
    """The pods that mount a claim.

    Raises:
        NotKnown: the pods of the namespace could not be listed.
    """
    return [
        pod
        for pod in world.all(r.PODS, space)
        if any(
            text_at(one, "persistentVolumeClaim", "claimName") == claim or _ephemeral(pod, one, claim)
            for one in maps_at(pod, "spec", "volumes")
        )
    ]


def _ephemeral(pod: Object, volume: object, claim: str) -> bool:
    """Whether a generic ephemeral volume made the claim: it is called pod-volume."""
    return dig(volume, "ephemeral") is not None and f"{name_of(pod)}-{text_at(volume, 'name')}" == claim


def mounted(sight: Sight) -> Iterator[Section]:
    """The pods that use the claim."""
    yield from common.pods_table(sight, users(sight.world, sight.space, sight.ref.name), "users")


def attached(sight: Sight) -> Iterator[Section]:
    """To which nodes the volume is attached (CSI drivers that attach)."""
    name = text_at(sight.item, "spec", "volumeName") or sight.ref.name
    rows: list[tuple[Cell, ...]] = [
        (
            text_at(one, "spec", "nodeName"),
            text_at(one, "spec", "attacher"),
            yes_or_no(dig(one, "status", "attached") is True),
            text_at(one, "status", "attachError", "message"),
        )
        for one in sight.world.all(r.VOLUMEATTACHMENTS)
        if text_at(one, "spec", "source", "persistentVolumeName") == name
    ]
    yield from common.bounded(sight, "attached", "NODE ATTACHER ATTACHED ERROR", rows)


def volume_facts(sight: Sight) -> Iterator[Fact]:
    """A volume: how big, of what, for whom, and what becomes of it."""
    item = sight.item
    yield label("phase"), text_at(item, "status", "phase")
    modes = ", ".join(texts_at(item, "spec", "accessModes"))
    yield label("size"), f"{text_at(item, 'spec', 'capacity', 'storage')} {modes}"
    yield label("source"), source(item)
    policy = text_at(item, "spec", "persistentVolumeReclaimPolicy") or "Retain"
    if policy in ("Retain", "Delete"):
        yield label("afterwards"), say(f"portrait.volume.{policy.lower()}", policy=policy)
    if nodes := affinity(item):
        yield label("reachable"), say("portrait.claim.nodes", nodes=nodes)


def claimed(sight: Sight) -> Iterator[Fact]:
    """The claim it is bound to, and whether that is still there."""
    claim = map_at(sight.item, "spec", "claimRef")
    space, name = text_at(claim, "namespace"), text_at(claim, "name")
    if not name:
        yield label("claim"), say("portrait.volume.unclaimed")
        return
    found = sight.world.get(r.PERSISTENTVOLUMECLAIMS, name, space)
    yield label("claim"), owners.gone(f"{space}/{name}") if found is None else f"{space}/{name}"


CLAIM: tuple[Part, ...] = (
    facts(wanted, storage_class, volume, common.created, common.deletion),
    mounted,
    common.only_whole(attached),
    common.when(lambda sight: text_at(sight.item, "status", "phase") != "Bound", events.recent),
    lesson("claim", 2),
)
VOLUME: tuple[Part, ...] = (
    facts(volume_facts, claimed, common.created, common.deletion),
    common.only_whole(attached),
    common.only_whole(events.recent),
    lesson("claim", 2),
)
