"""What drivers and kubelets offer: attach limits of CSI drivers, declared features, and DRA as far as it can be told.

NodeVolumeLimits, NodeDeclaredFeatures and DynamicResources of pkg/scheduler/framework/plugins, Kubernetes 1.36.
Whether devices can be allocated is the scheduler's search over ResourceSlices and CEL; that is not repeated here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Evidence
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.result import NOTHING_ASKED, Miss, Result, missed
from kcompanion.scheduling.state import State, claim_names, lazily
from kcompanion.scheduling.volumes import claims_of, class_of

Volume = tuple[str, str]  # driver, handle (or claim) of one volume


def volume_limits(pod: Object, state: State) -> Callable[[Object], Result]:
    """NodeVolumeLimits: how many volumes of a CSI driver a node can attach, told by its CSINode."""
    volumes = lazily(lambda: {volume for claim in claims_of(pod, state) for volume in _csi_volume(claim.item, state)})

    def on(node: Object) -> Result:
        wanted = volumes()
        if not wanted:
            return NOTHING_ASKED
        name = name_of(node)
        limits = _limits(name, state)
        if not any(driver in limits for driver, _ in wanted):
            return Result(note=say("why.note.no_limit"))
        attached = _attached(name, pod, state)
        there = Counter(driver for driver, _ in attached)
        fresh = Counter(driver for driver, _ in wanted - attached)
        return missed(
            *(
                _beyond(driver, there[driver], count, limits[driver], name)
                for driver, count in fresh.items()
                if driver in limits and there[driver] + count > limits[driver]
            )
        )

    return on


def declared_features(pod: Object, state: State) -> Callable[[Object], Result]:  # noqa: ARG001 - as every predicate
    """NodeDeclaredFeatures (beta in 1.36): what the pod's fields need, against what the node declares."""
    needed = sorted(_features(pod))

    def on(node: Object) -> Result:
        declared = texts_at(node, "status", "declaredFeatures")
        lacking = [feature for feature in needed if feature not in declared]
        if not needed:
            return NOTHING_ASKED
        seen = Evidence(str(Ref("Node", name_of(node))), "status.declaredFeatures", ", ".join(declared) or "-")
        return missed(*(Miss("feature", 83, {"feature": f, "node": name_of(node)}, (seen,)) for f in lacking))

    return on


def dynamic_resources(pod: Object, state: State) -> Callable[[Object], Result]:
    """DynamicResources: missing and dying claims are seen; whether devices are free is not recomputed."""

    def on(node: Object) -> Result:  # noqa: ARG001 - the same on every node
        if not list(maps_at(pod, "spec", "resourceClaims")):
            return NOTHING_ASKED
        misses = tuple(_device_claims(pod, state))
        return missed(*misses) if misses else Result(note=say("why.note.dra"), open=True)

    return on


def _features(pod: Object) -> set[str]:
    needed = set()
    containers = (*maps_at(pod, "spec", "containers"), *maps_at(pod, "spec", "initContainers"))
    rules = (rule for container in containers for rule in maps_at(container, "restartPolicyRules"))
    if any(rule.get("action") == "RestartAllContainers" for rule in rules):
        needed.add("RestartAllContainersOnContainerExits")
    if dig(pod, "spec", "hostNetwork") is True and dig(pod, "spec", "hostUsers") is False:
        needed.add("UserNamespacesHostNetworkSupport")
    return needed


def _device_claims(pod: Object, state: State) -> Iterator[Miss]:
    space = namespace_of(pod)
    generated = {
        text_at(status, "name"): text_at(status, "resourceClaimName")
        for status in maps_at(pod, "status", "resourceClaimStatuses")
    }
    for asked in maps_at(pod, "spec", "resourceClaims"):
        entry = text_at(asked, "name")
        name = text_at(asked, "resourceClaimName") or generated.get(entry, "")
        own = Ref("Pod", name_of(pod), space)
        if not name:
            template = text_at(asked, "resourceClaimTemplateName")
            seen = Evidence(str(own), f"spec.resourceClaims[{entry}].resourceClaimTemplateName", template)
            root = Ref("ResourceClaimTemplate", template, space)
            yield Miss("device_awaited", 82, {"entry": entry, "template": template}, (seen,), root, whole=True)
            continue
        ref = Ref("ResourceClaim", name, space)
        claim = state.world.get(r.RESOURCECLAIMS, name, space)
        if claim is None:
            seen = Evidence(str(own), f"spec.resourceClaims[{entry}].resourceClaimName", name)
            yield Miss("device_missing", 82, {"claim": name, "place": ref.place}, (seen,), ref, whole=True)
        elif deleted := text_at(claim, "metadata", "deletionTimestamp"):
            seen = Evidence(str(ref), "metadata.deletionTimestamp", deleted, deleted)
            yield Miss("device_deleting", 82, {"claim": name, "place": ref.place}, (seen,), ref, whole=True)


def _limits(node: str, state: State) -> dict[str, int]:
    found = next((one for one in state.world.all(r.CSINODES) if name_of(one) == node), {})
    counts = {text_at(d, "name"): dig(d, "allocatable", "count") for d in maps_at(found, "spec", "drivers")}
    return {driver: count for driver, count in counts.items() if isinstance(count, int)}


def _csi_volume(claim: Object, state: State) -> Iterator[Volume]:
    """Driver and handle behind a claim; an unbound claim counts by its class's provisioner."""
    if not claim:
        return
    name = text_at(claim, "spec", "volumeName")
    volume = state.world.get(r.PERSISTENTVOLUMES, name) if name else None
    csi = map_at(volume, "spec", "csi")
    if csi:
        yield text_at(csi, "driver"), text_at(csi, "volumeHandle")
    elif volume is None and class_of(claim):
        provisioner = text_at(state.world.get(r.STORAGECLASSES, class_of(claim)), "provisioner")
        if provisioner and not provisioner.startswith("kubernetes.io/"):
            yield provisioner, f"{namespace_of(claim)}/{name_of(claim)}"


def _attached(node: str, pod: Object, state: State) -> set[Volume]:
    """The CSI volumes of the pods on a node, and those still attached to it."""
    found: set[Volume] = set()
    for other in state.pods_on(node, pod):
        for name, _ in claim_names(other):
            claim = state.world.get(r.PERSISTENTVOLUMECLAIMS, name, namespace_of(other))
            found.update(_csi_volume(claim or {}, state))
    for attachment in state.world.all(r.VOLUMEATTACHMENTS):
        name = text_at(attachment, "spec", "source", "persistentVolumeName")
        if text_at(attachment, "spec", "nodeName") == node and name:
            csi = map_at(state.world.get(r.PERSISTENTVOLUMES, name), "spec", "csi")
            found.add((text_at(attachment, "spec", "attacher"), text_at(csi, "volumeHandle") or name))
    return found


def _beyond(driver: str, there: int, more: int, limit: int, node: str) -> Miss:
    seen = Evidence(str(Ref("CSINode", node)), f"spec.drivers[{driver}].allocatable.count", str(limit))
    values = {"driver": driver, "there": there, "more": more, "limit": limit, "node": node}
    return Miss("limit", 73, values, (seen,))
