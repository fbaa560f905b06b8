"""Claims and volumes, for themselves and for the pods that wait for them: 127 to 130 of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from kcompanion.explain.evidence import change, destroy, inspect, seen, told
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.storage import (
    CLAIM,
    PATIENCE,
    VOLUME,
    claim_of,
    claims_of,
    consumers,
    pending_cause,
    stranded,
    uses,
    volume_of,
)
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.scheduling.affinity import term_text

BOOK = RuleBook("rule_volume")
_PV = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"
_SLOW = 600  # seconds after which a resize in progress is worth a word


@BOOK.rule(
    "KC5127",
    numbers=(127,),
    kind=("Pod", CLAIM),
    severity=Severity.CRITICAL,
    rank=Rank.VOLUME_CLAIM,
    read=f"{_PV}#binding",
)
def claim_waits(item: Pod | Object, world: World) -> Iterator[Cause]:
    """A claim has no volume yet; at a pod that waits for it, the claim is the root."""
    if not isinstance(item, Pod):
        cause = pending_cause(item, world)
        yield from () if cause is None else (cause,)
        return
    if item.phase != "Pending" or item.deleted_at:
        return
    for use in uses(item.raw):
        claim = world.get(r.PERSISTENTVOLUMECLAIMS, use.claim, item.namespace)
        if claim is None:
            if item.node:  # otherwise the scheduler says so
                yield _claim_absent(item, use.claim)
            continue
        cause = pending_cause(claim, world)
        if cause is not None and cause.severity is not Severity.INFO:
            yield cause


def _claim_absent(pod: Pod, claim: str) -> Cause:
    ref = Ref(CLAIM, claim, pod.namespace)
    evidence = (seen(pod.ref, "spec.volumes[].persistentVolumeClaim.claimName", claim), seen(ref, "", "404 not found"))
    steps = (
        inspect(f"kubectl get pvc -n {pod.namespace}"),
        change(text=say("rule_volume.kc5127.do_absent", claim=claim)),
    )
    return Cause({"claim": claim}, evidence, steps, "cause_absent", root=ref)


@BOOK.rule(
    "KC5128",
    numbers=(128,),
    kind=("Pod", CLAIM),
    severity=Severity.CRITICAL,
    rank=Rank.VOLUME_CLAIM,
    read=f"{_PV}#phase",
)
def claim_lost(item: Pod | Object, world: World) -> Iterator[Cause]:
    """The volume of a bound claim is gone; a pod that runs keeps what is mounted."""
    claims = [item] if not isinstance(item, Pod) else _waited_for(item, world)
    for claim in claims:
        if text_at(claim, "status", "phase") != "Lost":
            continue
        ref, volume = ref_of(claim, CLAIM), text_at(claim, "spec", "volumeName")
        evidence = [seen(ref, "status.phase", "Lost"), seen(ref, "spec.volumeName", volume or "-")]
        variant = "cause"
        if volume and world.get(r.PERSISTENTVOLUMES, volume) is None:
            evidence.append(seen(Ref(VOLUME, volume), "", "404 not found"))
        elif volume:
            variant = "cause_misbound"
        with suppress(NotKnown):
            evidence += [told(event) for event in world.events(ref, text_at(claim, "metadata", "uid"))][-1:]
        steps = (
            inspect(f"kubectl describe pvc {ref.name} -n {ref.namespace}"),
            destroy(text=say("rule_volume.kc5128.do", claim=ref.name)),
        )
        yield Cause({"claim": ref.name, "volume": volume or "-"}, tuple(evidence), steps, variant, root=ref)


def _waited_for(pod: Pod, world: World) -> Iterator[Object]:
    """The claims of a pod that has not started."""
    if pod.phase == "Pending" and not pod.deleted_at:
        for _, claim in claims_of(pod, world):
            yield claim


_RESIZE = {
    "ControllerResizeError": "cause",
    "NodeResizeError": "cause",
    "ModifyVolumeError": "cause_modify",
    "FileSystemResizePending": "cause_pending",
    "Unused": "cause_unused",
}
_NEWS = ("cause_pending", "cause_unused")


@BOOK.rule(
    "KC5129",
    numbers=(129,),
    kind=CLAIM,
    rank=Rank.VOLUME_CLAIM,
    read=f"{_PV}#expanding-persistent-volumes-claims",
)
def resize(claim: Object, world: World) -> Iterator[Cause]:
    """A claim that was made bigger, or given another attributes class, and how far that came."""
    ref = ref_of(claim, CLAIM)
    wanted = text_at(claim, "spec", "resources", "requests", "storage")
    has = text_at(claim, "status", "capacity", "storage")
    values = {"claim": ref.name, "wanted": wanted, "has": has}
    steps = (inspect(f"kubectl describe pvc {ref.name} -n {ref.namespace}"), change(text=say("rule_volume.kc5129.do")))
    for found in maps_at(claim, "status", "conditions"):
        type_, at = text_at(found, "type"), text_at(found, "lastTransitionTime")
        variant = _RESIZE.get(type_, "")
        if type_ == "Resizing" and (world.since(at) or 0) > _SLOW:
            variant = "cause_slow"
        if variant and found.get("status") == "True":
            value = f"True {text_at(found, 'reason')}: {text_at(found, 'message')}"
            evidence = (seen(ref, f"status.conditions[{type_}]", value, at), *_sizes(ref, wanted, has))
            told_of = {**values, "message": text_at(found, "message") or type_}
            yield Cause(told_of, evidence, steps, variant, Severity.INFO if variant in _NEWS else None, ref)
    for resource, status in sorted(map_at(claim, "status", "allocatedResourceStatuses").items()):
        if str(status).endswith("Infeasible"):
            where = seen(ref, f"status.allocatedResourceStatuses[{resource}]", status)
            yield Cause(values, (where, *_sizes(ref, wanted, has)), steps, "cause_infeasible", root=ref)
    yield from _nobody_expands(claim, values, world)


def _sizes(ref: Ref, wanted: str, has: str) -> tuple[Evidence, ...]:
    return seen(ref, "spec.resources.requests.storage", wanted), seen(ref, "status.capacity.storage", has)


def _nobody_expands(claim: Object, values: dict[str, str], world: World) -> Iterator[Cause]:
    """The controller manager has handed the work to an external resizer, and none has begun."""
    ref = ref_of(claim, CLAIM)
    wanted, has = parse_quantity(values["wanted"]), parse_quantity(values["has"])
    if text_at(claim, "status", "phase") != "Bound" or wanted is None or has is None or wanted <= has:
        return
    if list(maps_at(claim, "status", "conditions")) or dig(claim, "status", "allocatedResourceStatuses"):
        return
    waits = [e for e in world.events(ref, text_at(claim, "metadata", "uid")) if e.reason == "ExternalExpanding"]
    if waits and (world.since(waits[-1].first) or 0) >= PATIENCE:
        steps = (
            inspect(f"kubectl describe pvc {ref.name} -n {ref.namespace}"),
            change(text=say("rule_volume.kc5129.do_resizer")),
        )
        evidence = (told(waits[-1]), *_sizes(ref, values["wanted"], values["has"]))
        yield Cause(values, evidence, steps, "cause_nobody", root=ref)


@BOOK.rule(
    "KC5130",
    numbers=(130,),
    kind=("Pod", CLAIM, VOLUME),
    rank=Rank.VOLUME_CLAIM,
    read=f"{_PV}#reclaiming",
)
def volume_unusable(item: Pod | Object, world: World) -> Iterator[Cause]:
    """A volume that was released, failed, or is on a node that is gone."""
    if isinstance(item, Pod):
        for claim in _waited_for(item, world):
            yield from _behind(claim, world)
    elif "claimRef" in map_at(item, "spec") or "capacity" in map_at(item, "spec"):
        yield from _volume_itself(item, world)
    else:
        yield from _behind(item, world)


def _behind(claim: Object, world: World) -> Iterator[Cause]:
    """What is wrong with the volume a claim names."""
    volume = volume_of(claim, world)
    if volume is None:
        return
    ref, owner = ref_of(volume, VOLUME), ref_of(claim, CLAIM)
    uid = text_at(volume, "spec", "claimRef", "uid")
    phase = text_at(claim, "status", "phase")
    if phase != "Bound" and claim_of(volume) == owner and uid not in ("", text_at(claim, "metadata", "uid")):
        yield Cause(
            {"claim": owner.name, "volume": ref.name},
            (
                seen(ref, "status.phase", text_at(volume, "status", "phase")),
                seen(ref, "spec.claimRef.uid", uid),
                seen(owner, "metadata.uid", text_at(claim, "metadata", "uid")),
            ),
            (
                inspect(f"kubectl get pv {ref.name} -o yaml"),
                change(
                    f"kubectl patch pv {ref.name} --type=json -p "
                    """'[{"op":"remove","path":"/spec/claimRef/uid"}]'""",
                    say("rule_volume.kc5130.do_rebind", claim=owner.name),
                ),
            ),
            "cause_rebind",
            Severity.CRITICAL,
            ref,
        )
    yield from _gone_node(volume, world)


def _gone_node(volume: Object, world: World) -> Iterator[Cause]:
    if not stranded(volume, world):
        return
    ref = ref_of(volume, VOLUME)
    wanted = term_text(map_at(volume, "spec", "nodeAffinity", "required"))
    nodes = ", ".join(sorted(map(name_of, world.all(r.NODES)))[:6])
    yield Cause(
        {"volume": ref.name, "wanted": wanted},
        (seen(ref, "spec.nodeAffinity.required", wanted), seen(Ref("Node", "*"), "metadata.name", nodes)),
        (
            inspect(f"kubectl get pv {ref.name} -o yaml"),
            destroy(text=say("rule_volume.kc5130.do_node", volume=ref.name)),
        ),
        "cause_node",
        Severity.CRITICAL,
        ref,
    )


def _volume_itself(volume: Object, world: World) -> Iterator[Cause]:
    ref, phase = ref_of(volume, VOLUME), text_at(volume, "status", "phase")
    policy = text_at(volume, "spec", "persistentVolumeReclaimPolicy")
    holder = claim_of(volume)
    values = {"volume": ref.name, "holder": holder.place if holder else "-", "policy": policy}
    at = text_at(volume, "status", "lastPhaseTransitionTime")
    state = (seen(ref, "status.phase", phase, at), seen(ref, "spec.persistentVolumeReclaimPolicy", policy))
    look = inspect(f"kubectl describe pv {ref.name}")
    if phase == "Failed":
        message = text_at(volume, "status", "message") or text_at(volume, "status", "reason") or "-"
        evidence = (*state, seen(ref, "status.message", message))
        steps = (look, change(text=say("rule_volume.kc5130.do_failed")))
        yield Cause({**values, "message": message}, evidence, steps, "cause_failed", root=ref)
    elif phase == "Released" and policy == "Delete" and (world.since(at) or 0) > PATIENCE:
        steps = (look, change(text=say("rule_volume.kc5130.do_failed")))
        yield Cause(values, state, steps, "cause_delete", root=ref)
    elif phase == "Released":
        yield Cause(values, state, (look,), "cause", Severity.INFO, ref)
    yield from _gone_node(volume, world)


@BOOK.rule(
    "KC5242",
    kind=(CLAIM,),
    rank=Rank.TERMINATING,
    read=f"{_PV}#storage-object-in-use-protection",
)
def claim_is_kept(claim: Object, world: World) -> Iterator[Cause]:
    """A claim was deleted, and waits until no pod uses it any more."""
    ref, deleted = ref_of(claim, CLAIM), text_at(claim, "metadata", "deletionTimestamp")
    if not deleted or (world.since(deleted) or 0) < 5:
        return
    kept = texts_at(claim, "metadata", "finalizers")
    pods = consumers(claim, world)
    evidence = [
        seen(ref, "metadata.deletionTimestamp", deleted, deleted),
        seen(ref, "metadata.finalizers", ", ".join(kept) or "-"),
    ]
    if "kubernetes.io/pvc-protection" in kept and pods:
        pod = ref_of(pods[0], "Pod")
        evidence.append(seen(pod, "spec.volumes[].persistentVolumeClaim.claimName", ref.name))
        steps = (
            inspect(f"kubectl describe pvc {ref.name} -n {namespace_of(claim)}"),
            destroy(f"kubectl delete pod {pod.name} -n {pod.namespace}", say("rule_volume.kc5242.do", claim=ref.name)),
        )
        yield Cause({"claim": ref.name, "pod": pod.name, "pods": len(pods)}, tuple(evidence), steps, root=ref)
