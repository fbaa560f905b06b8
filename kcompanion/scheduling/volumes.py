"""Volumes: claims that must exist and be bound, where their volumes can be reached, and who else uses them.

VolumeBinding, VolumeZone and VolumeRestrictions of pkg/scheduler/framework/plugins in Kubernetes 1.36. In-tree volumes
are not translated to CSI here, which only a cloud's own node affinity would show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, labels_of, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Evidence
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.affinity import selector_takes, term_text
from kcompanion.scheduling.provision import misses_of_unbound
from kcompanion.scheduling.result import NOTHING_ASKED, Miss, Result, missed
from kcompanion.scheduling.state import State, claim_names, lazily, same

BOUND = "pv.kubernetes.io/bind-completed"
ZONE_KEYS = (
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)
_NEW_KEYS = {old: old.replace("failure-domain.beta", "topology") for old in ZONE_KEYS[:2]}
_DISKS = (("gcePersistentDisk", "pdName"), ("awsElasticBlockStore", "volumeID"), ("iscsi", "iqn"), ("rbd", "image"))


@dataclass(frozen=True)
class Claim:
    """A claim of a pod: the object, or what is wrong with it for every node alike."""

    name: str
    item: Object
    miss: Miss | None = None

    @property
    def volume(self) -> str:
        return text_at(self.item, "spec", "volumeName")


def claims_of(pod: Object, state: State) -> list[Claim]:
    """The claims behind a pod's volumes.

    Raises:
        NotKnown: one could not be read.
    """
    return [_claim(name, ephemeral, pod, state) for name, ephemeral in claim_names(pod)]


def class_of(claim: Object) -> str:
    """The name of a claim's storage class; the old annotation goes first."""
    return text_at(annotations_of(claim), "volume.beta.kubernetes.io/storage-class") or text_at(
        claim, "spec", "storageClassName"
    )


def volume_binding(pod: Object, state: State) -> Callable[[Object], Result]:
    """VolumeBinding."""
    own = lazily(lambda: claims_of(pod, state))

    def on(node: Object) -> Result:
        claims = own()
        if not claims:
            return NOTHING_ASKED
        whole = [claim.miss for claim in claims if claim.miss]
        if whole:
            return missed(*whole)
        unbound = [claim.item for claim in claims if not _is_bound(claim.item)]
        bound = [claim for claim in claims if _is_bound(claim.item)]
        misses = [miss for claim in bound if (miss := _off_affinity(claim, node, state)) is not None]
        return missed(*misses, *misses_of_unbound(unbound, node, state, class_of))

    return on


def volume_zone(pod: Object, state: State) -> Callable[[Object], Result]:
    """VolumeZone: the zone and region labels of bound volumes against the node's."""
    own = lazily(lambda: [c for c in claims_of(pod, state) if c.miss is None and c.volume])

    def on(node: Object) -> Result:
        labels, claims = labels_of(node), own()
        if not claims or not any(key in labels for key in ZONE_KEYS):
            return NOTHING_ASKED
        return missed(*(miss for claim in claims for miss in _off_zone(claim, node, state)))

    return on


def volume_restrictions(pod: Object, state: State) -> Callable[[Object], Result]:
    """VolumeRestrictions: ReadWriteOncePod, and disks that only one pod may have."""
    disks = [volume for volume in maps_at(pod, "spec", "volumes") if any(kind in volume for kind, _ in _DISKS)]
    own = lazily(lambda: [c.name for c in claims_of(pod, state) if _is_single(c.item)])

    def on(node: Object) -> Result:
        single = own()
        if not single and not disks:
            return NOTHING_ASKED
        return missed(*_single_users(single, pod, state), *_disk_clashes(disks, pod, node, state))

    return on


def _is_single(claim: Object) -> bool:
    return "ReadWriteOncePod" in texts_at(claim, "spec", "accessModes")


def _claim(name: str, ephemeral: bool, pod: Object, state: State) -> Claim:
    space = namespace_of(pod)
    item = state.world.get(r.PERSISTENTVOLUMECLAIMS, name, space)
    ref = Ref("PersistentVolumeClaim", name, space)
    if item is None:
        kind = "claim_awaited" if ephemeral else "claim_missing"
        path = "spec.volumes[].ephemeral" if ephemeral else "spec.volumes[].persistentVolumeClaim.claimName"
        evidence = Evidence(str(Ref("Pod", name_of(pod), space)), path, name)
        return Claim(name, {}, Miss(kind, 79, {"claim": name, "place": ref.place}, (evidence,), ref, whole=True))
    volume = text_at(item, "spec", "volumeName")
    values = {"claim": name, "place": ref.place, "volume": volume or "-"}
    if text_at(item, "status", "phase") == "Lost":
        seen = Evidence(str(ref), "status.phase", "Lost")
        return Claim(name, item, Miss("claim_lost", 77, values, (seen,), ref, whole=True))
    if deleted := text_at(item, "metadata", "deletionTimestamp"):
        seen = Evidence(str(ref), "metadata.deletionTimestamp", deleted, deleted)
        return Claim(name, item, Miss("claim_deleting", 79, values, (seen,), ref, whole=True))
    if not _is_bound(item) and (volume or not _delayed(item, state)):
        class_name = class_of(item)
        values["class"] = class_name or "-"
        seen = Evidence(str(ref), "status.phase", text_at(item, "status", "phase") or "-")
        of_class = Evidence(str(ref), "spec.storageClassName", class_name or "-")
        return Claim(name, item, Miss("claim_unbound", 78, values, (seen, of_class), ref, whole=True))
    return Claim(name, item)


def _is_bound(claim: Object) -> bool:
    return bool(text_at(claim, "spec", "volumeName")) and BOUND in annotations_of(claim)


def _delayed(claim: Object, state: State) -> bool:
    """Whether the claim waits for its first consumer; without a class, or with one that is gone, it does not."""
    name = class_of(claim)
    found = state.world.get(r.STORAGECLASSES, name) if name else None
    return text_at(found, "volumeBindingMode") == "WaitForFirstConsumer"


def _off_affinity(claim: Claim, node: Object, state: State) -> Miss | None:
    volume = state.world.get(r.PERSISTENTVOLUMES, claim.volume)
    ref = Ref("PersistentVolume", claim.volume)
    values = {"claim": claim.name, "volume": claim.volume, "node": name_of(node)}
    if volume is None:
        place = Ref("PersistentVolumeClaim", claim.name, namespace_of(claim.item))
        seen = Evidence(str(place), "spec.volumeName", claim.volume)
        return Miss("volume_missing", 77, values, (seen,), ref, whole=True)
    required = map_at(volume, "spec", "nodeAffinity", "required")
    if not required or selector_takes(required, node):
        return None
    wanted = term_text(required)
    seen = Evidence(str(ref), "spec.nodeAffinity.required", wanted)
    return Miss("volume_affinity", 74, {**values, "wanted": wanted}, (seen,), ref)


def _off_zone(claim: Claim, node: Object, state: State) -> Iterator[Miss]:
    volume = state.world.get(r.PERSISTENTVOLUMES, claim.volume)
    labels = labels_of(node)
    for key in ZONE_KEYS:
        zones = text_at(labels_of(volume), key)
        found = labels.get(key, labels.get(_NEW_KEYS.get(key, key)))
        if zones and found not in zones.split("__"):  # several zones are written a__b
            values = {
                "claim": claim.name,
                "volume": claim.volume,
                "key": key,
                "wanted": zones,
                "found": str(found) if found is not None else "-",
                "node": name_of(node),
            }
            ref = Ref("PersistentVolume", claim.volume)
            yield Miss("zone", 80, values, (Evidence(str(ref), f"metadata.labels[{key}]", zones),), ref)


def _single_users(single: list[str], pod: Object, state: State) -> Iterator[Miss]:
    space = namespace_of(pod)
    for other, node in state.bound if single else ():
        if namespace_of(other) != space or same(other, pod):
            continue
        for name in {name for name, _ in claim_names(other)} & set(single):
            holder = Ref("Pod", name_of(other), space)
            claim = Ref("PersistentVolumeClaim", name, space)
            values = {"claim": name, "holder": holder.place, "node": node}
            seen = (
                Evidence(str(claim), "spec.accessModes", "ReadWriteOncePod"),
                Evidence(str(holder), "spec.volumes[].persistentVolumeClaim.claimName", name),
            )
            yield Miss("single_user", 81, values, seen, claim, whole=True)


def _disk_clashes(disks: list[Mapping[str, Any]], pod: Object, node: Object, state: State) -> Iterator[Miss]:
    for other in state.pods_on(name_of(node), pod) if disks else ():
        for theirs in maps_at(other, "spec", "volumes"):
            for mine in disks:
                kind = next((k for k, field in _DISKS if _same_disk(mine, theirs, k, field)), "")
                if kind:
                    holder = Ref("Pod", name_of(other), namespace_of(other))
                    values = {"volume": text_at(mine, "name"), "disk": kind, "holder": holder.place}
                    yield Miss("disk", 81, values, (Evidence(str(holder), f"spec.volumes[].{kind}"),))


def _same_disk(mine: Mapping[str, Any], theirs: Mapping[str, Any], kind: str, field: str) -> bool:
    one, other = map_at(mine, kind), map_at(theirs, kind)
    if not one or not other or text_at(one, field) != text_at(other, field):
        return False
    if kind == "rbd":
        if text_at(one, "pool") != text_at(other, "pool"):
            return False
        if not set(texts_at(one, "monitors")) & set(texts_at(other, "monitors")):
            return False
    return kind == "awsElasticBlockStore" or not (one.get("readOnly") and other.get("readOnly"))
