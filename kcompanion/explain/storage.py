"""The chain behind a volume of a pod: claim → class or volume → provisioner, driver, node; and why a claim waits.

Facts from pkg/controller/volume/persistentvolume/pv_controller.go. What can be recomputed is: which volumes a claim
could take and what keeps each from it; events are quoted only for what no object shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause
from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import (
    annotations_of,
    dig,
    labels_of,
    map_at,
    maps_at,
    name_of,
    namespace_of,
    text_at,
    texts_at,
)
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.selectors import selects
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.scheduling.affinity import selector_takes

CLAIM = "PersistentVolumeClaim"
VOLUME = "PersistentVolume"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
PATIENCE = 60  # seconds that a provisioner may take before its silence is told
AREA = "rule_volume.kc5127"


@dataclass(frozen=True)
class Use:
    """A volume of a pod that comes from a claim."""

    volume: str
    claim: str


def uses(pod: Object) -> Iterator[Use]:
    """The pod's volumes that come from claims; those of generic ephemeral volumes are named after pod and volume."""
    for volume in maps_at(pod, "spec", "volumes"):
        name = text_at(volume, "name")
        if claim := text_at(volume, "persistentVolumeClaim", "claimName"):
            yield Use(name, claim)
        elif volume.get("ephemeral"):
            yield Use(name, f"{name_of(pod)}-{name}")


def claims_of(pod: Pod, world: World) -> Iterator[tuple[Use, Object]]:
    """The claims of a pod that exist.

    Raises:
        NotKnown: one could not be read.
    """
    for use in uses(pod.raw):
        claim = world.get(r.PERSISTENTVOLUMECLAIMS, use.claim, pod.namespace)
        if claim is not None:
            yield use, claim


def consumers(claim: Object, world: World) -> list[Object]:
    """The pods that use a claim and have not ended.

    Raises:
        NotKnown: the pods of its namespace could not be listed.
    """
    return [
        pod
        for pod in world.all(r.PODS, namespace_of(claim))
        if text_at(pod, "status", "phase") not in ("Succeeded", "Failed")
        and any(use.claim == name_of(claim) for use in uses(pod))
    ]


def class_name(claim: Object) -> str | None:
    """The claim's storage class; None when it names none, so that the default is meant; empty for "no class"."""
    named = annotations_of(claim).get("volume.beta.kubernetes.io/storage-class")
    value = dig(claim, "spec", "storageClassName") if named is None else named
    return value if isinstance(value, str) else None


def volume_of(claim: Object, world: World) -> Object | None:
    """The volume that a claim names; None when it names none or there is none."""
    name = text_at(claim, "spec", "volumeName")
    return world.get(r.PERSISTENTVOLUMES, name) if name else None


def pending_cause(claim: Object, world: World) -> Cause | None:
    """Why a claim is Pending; None when it is not, or when nothing is wrong yet.

    Raises:
        NotKnown: something the answer hangs on could not be read.
    """
    if text_at(claim, "status", "phase") not in ("", "Pending") or dig(claim, "metadata", "deletionTimestamp"):
        return None
    if text_at(claim, "spec", "volumeName"):
        return _names_volume(claim, world)
    wanted = class_name(claim)
    if wanted is None:
        return _no_default(claim, world)
    if not wanted:
        return _static(claim, world)
    found = world.get(r.STORAGECLASSES, wanted)
    if found is None:
        return _static(claim, world) if _of_class(wanted, world) else _no_class(claim, wanted, world)
    if text_at(found, "provisioner") == NO_PROVISIONER:
        return _static(claim, world)
    if text_at(found, "volumeBindingMode") == "WaitForFirstConsumer" and SELECTED_NODE not in annotations_of(claim):
        return _waits(claim, found, world)
    return _provisioning(claim, found, world)


def _cause(
    claim: Object,
    variant: str,
    evidence: Sequence[Evidence],
    *,
    do: str = "",
    severity: Severity | None = None,
    **values: Any,  # noqa: ANN401 - whatever the texts need
) -> Cause:
    ref = ref_of(claim, CLAIM)
    first = seen(ref, "status.phase", text_at(claim, "status", "phase") or "Pending")
    steps: list[Step] = [inspect(f"kubectl describe pvc {ref.name} -n {ref.namespace}")]
    if do:
        steps.append(change(text=say(f"{AREA}.{do}", **{"claim": ref.name, **values})))
    return Cause({"claim": ref.name, **values}, (first, *evidence), tuple(steps), variant, severity, ref)


def _names_volume(claim: Object, world: World) -> Cause | None:
    """A claim that asks for one volume by name."""
    ref, wanted = ref_of(claim, CLAIM), text_at(claim, "spec", "volumeName")
    named = seen(ref, "spec.volumeName", wanted)
    volume = world.get(r.PERSISTENTVOLUMES, wanted)
    if volume is None:
        absent = seen(Ref(VOLUME, wanted), "", "404 not found")
        return _cause(claim, "cause_no_volume", (named, absent), do="do_no_volume", volume=wanted)
    holder = claim_of(volume)
    if holder and holder.place != ref.place:
        evidence = (named, seen(Ref(VOLUME, wanted), "spec.claimRef", holder.place))
        return _cause(claim, "cause_taken", evidence, do="do_no_volume", volume=wanted, holder=holder.place)
    if holder and text_at(volume, "spec", "claimRef", "uid") not in ("", text_at(claim, "metadata", "uid")):
        return None  # KC5130: kept for a claim that was deleted
    unfit = _unfit(volume, claim)
    return None if unfit is None else _cause(claim, "cause_unfit", (named, unfit), do="do_unfit", volume=wanted)


def claim_of(volume: Object) -> Ref | None:
    """The claim a volume is bound to, or kept for."""
    holder = map_at(volume, "spec", "claimRef")
    return Ref(CLAIM, text_at(holder, "name"), text_at(holder, "namespace")) if holder else None


def _no_default(claim: Object, world: World) -> Cause | None:
    """A claim that wants the default class, where no class is the default."""
    classes = world.all(r.STORAGECLASSES)
    if any(is_default(one) for one in classes):
        return None  # it is given to the claim retroactively, within seconds
    names = ", ".join(sorted(map(name_of, classes))) or "-"
    ref = ref_of(claim, CLAIM)
    evidence = (
        seen(ref, "spec.storageClassName", "-"),
        *(seen(Ref("StorageClass", name_of(c)), f"annotations[{DEFAULT_CLASS[0]}]", "-") for c in classes[:4]),
    )
    return _cause(claim, "cause_no_default", evidence, do="do_no_default", classes=names)


def is_default(one: Object) -> bool:
    return any(annotations_of(one).get(key) == "true" for key in DEFAULT_CLASS)


def _no_class(claim: Object, wanted: str, world: World) -> Cause:
    ref = ref_of(claim, CLAIM)
    try:
        names = ", ".join(sorted(name_of(one) for one in world.all(r.STORAGECLASSES))) or "-"
    except NotKnown:
        names = "?"
    evidence = (
        seen(ref, "spec.storageClassName", wanted),
        seen(Ref("StorageClass", wanted), "", "404 not found"),
    )
    return _cause(claim, "cause", evidence, do="do", wanted=wanted, classes=names)


def _of_class(wanted: str, world: World) -> list[Object]:
    return [v for v in world.all(r.PERSISTENTVOLUMES) if text_at(v, "spec", "storageClassName") == wanted]


def _static(claim: Object, world: World) -> Cause | None:
    """A claim that only a volume made beforehand can serve: what keeps each volume of its class from it."""
    wanted = class_name(claim) or ""
    evidence: list[Evidence] = []
    for volume in _of_class(wanted, world):
        unfit = _unfit(volume, claim)
        if unfit is None:
            return None  # the binder takes it within seconds, or with the pod's node
        evidence.append(unfit)
    size = text_at(claim, "spec", "resources", "requests", "storage")
    modes = ", ".join(texts_at(claim, "spec", "accessModes"))
    named = wanted or '""'
    asked = seen(ref_of(claim, CLAIM), "spec", f"{size} {modes} storageClassName={named}")
    variant = "cause_none_fits" if evidence else "cause_none"
    values: dict[str, Any] = {"size": size, "modes": modes, "wanted": named, "count": len(evidence)}
    return _cause(claim, variant, (asked, *evidence[:5]), do="do_none", **values)


def _unfit(volume: Object, claim: Object) -> Evidence | None:
    """What keeps a volume from a claim; None when it fits."""
    ref, holder = ref_of(volume, VOLUME), claim_of(volume)
    kept = holder is not None and holder.place != ref_of(claim, CLAIM).place
    if kept or text_at(volume, "status", "phase") not in ("Available", "", "Pending"):
        value = f"{text_at(volume, 'status', 'phase')} {holder.place if holder else ''}"
        return seen(ref, "status.phase", value)
    has = parse_quantity(dig(volume, "spec", "capacity", "storage"))
    needs = parse_quantity(dig(claim, "spec", "resources", "requests", "storage"))
    if has is not None and needs is not None and has < needs:
        return seen(ref, "spec.capacity.storage", dig(volume, "spec", "capacity", "storage"))
    modes = texts_at(volume, "spec", "accessModes")
    if not set(texts_at(claim, "spec", "accessModes")) <= set(modes):
        return seen(ref, "spec.accessModes", ", ".join(modes))
    for path, default in (("volumeMode", "Filesystem"), ("storageClassName", ""), ("volumeAttributesClassName", "")):
        mine = class_name(claim) if path == "storageClassName" else text_at(claim, "spec", path)
        if (text_at(volume, "spec", path) or default) != (mine or default):
            return seen(ref, f"spec.{path}", text_at(volume, "spec", path) or default or '""')
    selector = dig(claim, "spec", "selector")
    if selector is not None and not selects(selector, labels_of(volume)):
        return seen(ref, "metadata.labels", ",".join(f"{k}={v}" for k, v in sorted(labels_of(volume).items())) or "-")
    return None


def _waits(claim: Object, found: Object, world: World) -> Cause | None:
    """A class that waits for the first pod, so that the volume is made where the pod goes."""
    mode = seen(ref_of(found, "StorageClass"), "volumeBindingMode", "WaitForFirstConsumer")
    pods = consumers(claim, world)
    if not pods:
        return _cause(claim, "cause_waits", (mode,), severity=Severity.INFO, wanted=name_of(found))
    forced = [pod for pod in pods if text_at(pod, "spec", "nodeName")]
    if not forced:
        return None  # the trouble, if any, is why its pod finds no node
    pod = ref_of(forced[0], "Pod")
    node = text_at(forced[0], "spec", "nodeName")
    evidence = (mode, seen(pod, "spec.nodeName", node), _no_selected_node(claim))
    return _cause(claim, "cause_node_name", evidence, do="do_node_name", pod=pod.name, node=node)


def _no_selected_node(claim: Object) -> Evidence:
    return seen(ref_of(claim, CLAIM), f"metadata.annotations[{SELECTED_NODE}]", "-")


def _provisioning(claim: Object, found: Object, world: World) -> Cause | None:
    """A class with a provisioner: it failed, or nobody answers."""
    provisioner = text_at(found, "provisioner")
    events = _events(claim, world)
    failed = [event for event in events if event.reason == "ProvisioningFailed"]
    which = seen(ref_of(found, "StorageClass"), "provisioner", provisioner)
    if failed:
        values: dict[str, Any] = {"provisioner": provisioner, "message": _first_line(failed[-1].message)}
        return _cause(claim, "cause_failed", (which, told(failed[-1])), do="do_failed", **values)
    if any(event.reason == "Provisioning" for event in events[-1:]):
        return None  # the provisioner itself says that it is at work
    age = world.since(text_at(claim, "metadata", "creationTimestamp")) or 0
    if age < PATIENCE:
        return None
    evidence = [which, *(told(event) for event in events[-1:])]
    try:
        if world.get(r.CSIDRIVERS, provisioner) is None:
            evidence.append(seen(Ref("CSIDriver", provisioner), "", "404 not found"))
    except NotKnown:
        pass
    return _cause(claim, "cause_silent", evidence, do="do_silent", provisioner=provisioner, wanted=name_of(found))


def _events(claim: Object, world: World) -> Sequence[Event]:
    return world.events(ref_of(claim, CLAIM), text_at(claim, "metadata", "uid"))


def _first_line(message: str) -> str:
    return next(iter(message.strip().splitlines()), "")


def stranded(volume: Object, world: World) -> bool:
    """Whether a volume's node affinity takes no node of the cluster.

    Raises:
        NotKnown: the nodes could not be listed.
    """
    required: Mapping[str, Any] = map_at(volume, "spec", "nodeAffinity", "required")
    return bool(required) and not any(selector_takes(required, node) for node in world.all(r.NODES))
