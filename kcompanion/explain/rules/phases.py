"""Pods that no node runs yet: the first half of group A of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import one_or_many, say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_phase")

SCHEDULING = "https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/"
DEFAULT_SCHEDULER = "default-scheduler"  # the profile's name; its Lease is called kube-scheduler
PROMPT = 10  # seconds in which a scheduler or a gate's owner normally has acted
UNNOTICED = 30  # seconds after which a scheduler that has said nothing is not just busy
_LONGEST = 200  # characters of a message that a sentence cites


@BOOK.rule("KC5001", numbers=(1,), severity=Severity.CRITICAL, rank=Rank.LAST_RESORT, read=SCHEDULING)
def unschedulable(pod: Pod, world: World) -> Iterator[Cause]:
    """The scheduler finds no node, for a reason that no other rule knows."""
    told = pod.condition("PodScheduled")
    waiting = world.since(told.get("lastTransitionTime"))
    if pod.node or told.get("reason") != "Unschedulable" or (waiting is not None and waiting < PROMPT):
        return
    yield Cause(
        {"message": _said(told), "age": human_age(waiting or 0)},
        (_scheduled(pod),),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            inspect("kubectl get nodes -o wide"),
            change(text=say("rule_phase.kc5001.do")),
        ),
    )


@BOOK.rule(
    "KC5002",
    numbers=(2,),
    severity=Severity.WARNING,
    rank=Rank.GATED,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/",
)
def gated(pod: Pod, world: World) -> Iterator[Cause]:
    """Scheduling gates keep the scheduler from looking at the pod at all."""
    gates = [text_at(gate, "name") for gate in maps_at(pod.raw, "spec", "schedulingGates")]
    waiting = world.since(text_at(pod.raw, "metadata", "creationTimestamp"))
    if not gates or pod.node or pod.deleted_at or (waiting or 0) < PROMPT:
        return
    remove = '[{"op":"remove","path":"/spec/schedulingGates"}]'
    yield Cause(
        {"gates": ", ".join(gates), "age": human_age(waiting or 0), "count": len(gates)},
        (seen(pod.ref, "spec.schedulingGates", ", ".join(gates)), _scheduled(pod)),
        (
            inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o yaml --show-managed-fields"),
            change(
                f"kubectl patch pod {pod.name} -n {pod.namespace} --type=json -p '{remove}'",
                say("rule_phase.kc5002.do"),
            ),
        ),
        variant=one_or_many("cause", len(gates)),
    )


@BOOK.rule("KC5003", numbers=(3,), severity=Severity.CRITICAL, rank=Rank.SCHEDULING, read=SCHEDULING)
def scheduler_error(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The scheduler failed on the pod, instead of finding that no node fits."""
    told = pod.condition("PodScheduled")
    if pod.node or told.get("reason") != "SchedulerError":
        return
    yield Cause(
        {"message": _said(told)},
        (_scheduled(pod),),
        (
            inspect("kubectl logs -n kube-system -l component=kube-scheduler --tail=50"),
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            change(text=say("rule_phase.kc5003.do")),
        ),
    )


@BOOK.rule(
    "KC5004",
    numbers=(4,),
    severity=Severity.CRITICAL,
    rank=Rank.GATED,
    read="https://kubernetes.io/docs/tasks/extend-kubernetes/configure-multiple-schedulers/",
)
def unnoticed(pod: Pod, world: World) -> Iterator[Cause]:
    """No scheduler has looked at the pod: there is none of that name, or it is down."""
    age = world.since(text_at(pod.raw, "metadata", "creationTimestamp"))
    if pod.node or pod.deleted_at or pod.phase != "Pending" or pod.condition("PodScheduled"):
        return
    if age is None or age < UNNOTICED or any(maps_at(pod.raw, "spec", "schedulingGates")):
        return
    scheduler = text_at(pod.raw, "spec", "schedulerName") or DEFAULT_SCHEDULER
    default = scheduler == DEFAULT_SCHEDULER
    name = "kube-scheduler" if default else scheduler
    lease = world.get(r.LEASES, name, "kube-system")
    renewed = text_at(lease, "spec", "renewTime")
    silence = world.since(renewed)
    duration = dig(lease, "spec", "leaseDurationSeconds")
    runs = silence is not None and silence <= (duration if isinstance(duration, int) else 15)
    ref = Ref("Lease", name, "kube-system")
    evidence = [
        seen(pod.ref, "spec.schedulerName", scheduler),
        seen(pod.ref, "status.conditions[PodScheduled]", "none"),
    ]
    if lease is None:
        variant = "cause_none" if default else "cause"
        evidence.append(seen(ref, "", "404 not found"))
    else:
        variant = "cause_idle" if runs else "cause_down"
        evidence.append(seen(ref, "spec.renewTime", renewed, renewed))
    if default:
        steps = (
            inspect("kcompanion controlplane"),
            inspect("kubectl get pods -n kube-system -l component=kube-scheduler -o wide"),
            change(text=say("rule_phase.kc5004.do_start")),
        )
    else:
        steps = (
            inspect(f"kubectl get pods -A --field-selector spec.schedulerName={scheduler} -o wide"),
            inspect("kubectl get leases -n kube-system"),
            change(text=say("rule_phase.kc5004.do", scheduler=scheduler)),
        )
    yield Cause(
        {
            "scheduler": scheduler,
            "lease": f"kube-system/{name}",
            "age": human_age(age),
            "silence": human_age(silence or 0),
            "holder": text_at(lease, "spec", "holderIdentity") or "-",
        },
        tuple(evidence),
        steps,
        variant,
        root=ref if variant in ("cause_down", "cause_none") else None,
    )


@BOOK.rule(
    "KC5005",
    numbers=(5,),
    severity=Severity.CRITICAL,
    rank=Rank.SANDBOX,  # behind the rules of nodes, which say why the kubelet is silent
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename",
)
def not_acknowledged(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod is bound to a node whose kubelet has not taken it up, or to a node that does not exist."""
    if not pod.node or pod.deleted_at or text_at(pod.raw, "status", "startTime") or pod.phase != "Pending":
        return
    bound = pod.condition("PodScheduled").get("lastTransitionTime")
    age = world.since(bound or text_at(pod.raw, "metadata", "creationTimestamp")) or 0
    node = world.get(r.NODES, pod.node)
    ref = Ref("Node", pod.node)
    evidence = [seen(pod.ref, "spec.nodeName", pod.node), seen(pod.ref, "status.startTime", "none")]
    ready = condition(node, "Ready")
    if node is None:
        variant = "cause"
        evidence.append(seen(ref, "", "404 not found"))
    elif ready.get("status") != "True":
        variant = "cause_down"
        said = f"{ready.get('status')} {ready.get('reason') or ''}".strip()
        evidence.append(seen(ref, "status.conditions[Ready]", said, text_at(ready, "lastTransitionTime")))
    elif age >= UNNOTICED:
        variant = "cause_slow"
    else:
        return
    yield Cause(
        {"node": pod.node, "age": human_age(age)},
        tuple(evidence),
        (
            inspect("kubectl get nodes") if node is None else inspect(f"kubectl describe node {pod.node}"),
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            change(text=say("rule_phase.kc5005.do" if node is None else "rule_phase.kc5005.do_node", node=pod.node)),
        ),
        variant,
        root=ref,
    )


@BOOK.rule(
    "KC5024",
    numbers=(24,),
    severity=Severity.WARNING,
    rank=Rank.GATED,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#preemption",
)
def waits_for_victims(pod: Pod, world: World) -> Iterator[Cause]:
    """The scheduler has chosen a node and pods that must leave it first."""
    node = text_at(pod.raw, "status", "nominatedNodeName")
    if not node or pod.node or pod.deleted_at or pod.condition("PodScheduled").get("reason") != "Unschedulable":
        return
    evidence = [seen(pod.ref, "status.nominatedNodeName", node)]
    priority = dig(pod.raw, "spec", "priority") or 0
    values = {"node": node, "priority": priority, "count": 0, "victims": "", "until": ""}
    variant = "cause_any"
    try:
        leaving = [p for p in world.pods_on(node) if text_at(p, "metadata", "deletionTimestamp") and _is_victim(p)]
        if leaving:
            last = max(text_at(p, "metadata", "deletionTimestamp") for p in leaving)
            names = ", ".join(sorted(f"{namespace_of(p)}/{name_of(p)}" for p in leaving)[:3])
            values |= {"count": len(leaving), "victims": names, "until": last}
            evidence += [_leaving(p) for p in leaving[:3]]
            variant = one_or_many("cause", len(leaving))
    except NotKnown:
        pass  # which pods leave is only more detail
    yield Cause(
        values,
        (*evidence, _scheduled(pod)),
        (
            inspect(f"kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
            inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -w"),
        ),
        variant,
    )


@BOOK.rule(
    "KC5025",
    numbers=(25,),
    severity=Severity.INFO,
    rank=Rank.ADVICE,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#non-preempting-priority-class",
)
def never_preempts(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """A pod that waits for a node has a priority, but may not make others leave."""
    spec = map_at(pod.raw, "spec")
    waits = not pod.node and pod.condition("PodScheduled").get("reason") == "Unschedulable"
    if not waits or spec.get("preemptionPolicy") != "Never" or not spec.get("priority"):
        return
    class_name = text_at(spec, "priorityClassName")
    yield Cause(
        {"priority": spec.get("priority"), "class": class_name or "-"},
        (
            seen(pod.ref, "spec.preemptionPolicy", "Never"),
            seen(pod.ref, "spec.priority", f"{spec.get('priority')} {class_name}".strip()),
        ),
        (inspect(f"kubectl get priorityclass {class_name}"),) if class_name else (),
    )


# What the scheduler's GangScheduling plugin says (1.36 and 1.37): a word of it, and the sentence for it.
_GANG: tuple[tuple[str, str], ...] = (
    ("to appear in scheduling queue", "cause_members"),
    ("gang to be scheduled", "cause_place"),
    ("cannot be satisfied", "cause_place"),
    ("is not yet satisfied", "cause_place"),
    ("composite pod group", "cause_tree"),
)


@BOOK.rule(
    "KC5026",
    numbers=(26,),
    severity=Severity.WARNING,
    rank=Rank.GATED,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/gang-scheduling/",
)
def waits_for_gang(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod belongs to a group that is scheduled all together or not at all."""
    group = text_at(pod.raw, "spec", "schedulingGroup", "podGroupName")
    told = pod.condition("PodScheduled")
    said = text_at(told, "message")
    if pod.node or pod.deleted_at or not group or told.get("status") == "True":
        return
    waiting = world.since(text_at(pod.raw, "metadata", "creationTimestamp")) or 0
    variant = next((variant for word, variant in _GANG if word in said), "")
    if variant == "cause_members" and "pod group" in said:
        variant = "cause"
    if not variant or waiting < PROMPT:
        return
    members = _gang(pod, group, world)
    values = {"group": group, "minimum": "?", "members": len(members), "message": _said(told)}
    evidence = [seen(pod.ref, "spec.schedulingGroup.podGroupName", group), _scheduled(pod)]
    found = world.get(r.PODGROUPS, group, pod.namespace)
    minimum = dig(found, "spec", "schedulingPolicy", "gang", "minCount")
    if minimum is not None:
        values["minimum"] = minimum
        evidence.append(seen(Ref("PodGroup", group, pod.namespace), "spec.schedulingPolicy.gang.minCount", minimum))
    elif variant == "cause_members":
        variant = "cause_group"
    yield Cause(
        values,
        tuple(evidence),
        (
            inspect(f"kubectl get podgroup {group} -n {pod.namespace} -o yaml"),
            inspect(f"kubectl get pods -n {pod.namespace} -o wide"),
            change(text=say("rule_phase.kc5026.do", group=group)),
        ),
        variant,
        root=Ref("PodGroup", group, pod.namespace),
    )


# ----------------------------------------------------------------------------------------------- parts


def _said(told: object) -> str:
    """A condition's message, without the scheduler's second half about preemption."""
    words = " ".join(text_at(told, "message").partition(" preemption: ")[0].split()).rstrip(".")
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _scheduled(pod: Pod) -> Evidence:
    told = pod.condition("PodScheduled")
    said = ": ".join(word for word in (text_at(told, "reason"), text_at(told, "message")) if word)
    return seen(pod.ref, "status.conditions[PodScheduled]", said or "-", text_at(told, "lastTransitionTime"))


def _is_victim(pod: Object) -> bool:
    return condition(pod, "DisruptionTarget").get("reason") == "PreemptionByScheduler"


def _leaving(pod: Object) -> Evidence:
    ends = text_at(pod, "metadata", "deletionTimestamp")
    return seen(Ref("Pod", name_of(pod), namespace_of(pod)), "metadata.deletionTimestamp", ends)


def _gang(pod: Pod, group: str, world: World) -> list[Object]:
    """The pods of the group, as far as they can be listed."""
    try:
        pods = world.all(r.PODS, pod.namespace)
    except NotKnown:
        pods = world.seen(r.PODS, pod.namespace)
    return [p for p in pods if text_at(p, "spec", "schedulingGroup", "podGroupName") == group]
