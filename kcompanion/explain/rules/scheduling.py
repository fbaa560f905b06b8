"""Pods that no node takes: group D of the taxonomy.

One rule for each reason. Of all the reasons that keep a pod off the nodes only the telling one speaks; it is recomputed
from the nodes where that can be done, and else read from the scheduler's message.
"""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain.evidence import inspect, seen
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Check, Rank, RuleBook
from kcompanion.explain.unplaced import causes, fits_now, unplaced
from kcompanion.model.fields import dig, text_at
from kcompanion.model.finding import Severity
from kcompanion.model.message import say
from kcompanion.model.world import World

BOOK = RuleBook(
    "rule_scheduling",
    excluded={84: "a pod with scheduling gates is no fault of scheduling; number 2 (SchedulingGated) tells it"},
)
_DOCS = "https://kubernetes.io/docs/concepts"
_ASSIGN = f"{_DOCS}/scheduling-eviction/assign-pod-node"
_VOLUMES = f"{_DOCS}/storage/persistent-volumes"
# number: where to read more
_READ = {
    61: f"{_DOCS}/configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled",
    62: f"{_DOCS}/scheduling-eviction/taint-and-toleration/",
    63: f"{_ASSIGN}/#node-affinity",
    64: f"{_ASSIGN}/#node-affinity-per-scheduling-profile",
    65: f"{_ASSIGN}/#nodename",
    66: f"{_DOCS}/services-networking/service/",
    67: f"{_DOCS}/architecture/nodes/#manual-node-administration",
    68: f"{_DOCS}/architecture/nodes/#condition",
    69: f"{_ASSIGN}/#inter-pod-affinity-and-anti-affinity",
    70: f"{_ASSIGN}/#inter-pod-affinity-and-anti-affinity",
    71: f"{_ASSIGN}/#inter-pod-affinity-and-anti-affinity",
    72: f"{_DOCS}/scheduling-eviction/topology-spread-constraints/",
    73: f"{_DOCS}/storage/storage-limits/",
    74: f"{_VOLUMES}/#node-affinity",
    75: f"{_DOCS}/storage/storage-classes/#volume-binding-mode",
    76: f"{_DOCS}/storage/storage-capacity/",
    77: f"{_VOLUMES}/#binding",
    78: f"{_VOLUMES}/#binding",
    79: f"{_VOLUMES}/#claims-as-volumes",
    80: f"{_DOCS}/storage/storage-classes/#allowed-topologies",
    81: f"{_VOLUMES}/#access-modes",
    82: f"{_DOCS}/scheduling-eviction/dynamic-resource-allocation/",
    83: f"{_DOCS}/scheduling-eviction/node-declared-features/",
    85: f"{_DOCS}/storage/storage-classes/#volume-binding-mode",
    86: f"{_DOCS}/architecture/nodes/",
}
_PREEMPTION = f"{_DOCS}/scheduling-eviction/pod-priority-preemption/"

# 85 shows itself as a SchedulerError (number 3), 82 as a pod that no scheduler looks at (number 4): deeper than those.
_DEEPER = {85: Rank.MOUNT, 82: Rank.TERMINATING}


def _rule_of(number: int) -> Check:
    def check(pod: Pod, world: World) -> Iterator[Cause]:
        return causes(pod, world, number)

    return check


for _number, _read in _READ.items():
    BOOK.rule(
        f"KC5{_number:03d}",
        numbers=(_number,),
        severity=Severity.CRITICAL,
        rank=_DEEPER.get(_number, Rank.SCHEDULING),
        read=_read,
    )(_rule_of(_number))


@BOOK.rule("KC5231", rank=Rank.SCHEDULING, read=f"{_DOCS}/scheduling-eviction/kube-scheduler/")
def fits_by_now(pod: Pod, world: World) -> Iterator[Cause]:
    """What the scheduler complained of seems to be mended: it has not tried again yet, or sees more than we do."""
    found = fits_now(pod, world)
    if found is None:
        return
    node, _ = found
    condition = pod.condition("PodScheduled")
    yield Cause(
        {"node": node, "told": text_at(condition, "message") or "-"},
        evidence=(
            seen(
                pod.ref,
                "status.conditions[PodScheduled].message",
                text_at(condition, "message") or "-",
                text_at(condition, "lastTransitionTime"),
            ),
        ),
        steps=(
            inspect(f"kcompanion why-not {pod.name} {node} -n {pod.namespace}"),
            inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -w", say("rule_scheduling.kc5231.do")),
        ),
    )


@BOOK.rule("KC5232", severity=Severity.INFO, rank=Rank.ADVICE, read=_PREEMPTION)
def preemption(pod: Pod, world: World) -> Iterator[Cause]:
    """The tail of the scheduler's message: why making room by removing other pods is no way out."""
    found = unplaced(pod, world)
    if found is None:
        return
    tail = found.told.preemption.lower()
    variants = (  # "not eligible …" is told by numbers 24 and 25
        ("cause", "no preemption victims" in tail),
        ("cause_useless", "not helpful" in tail),
    )
    variant = next((name for name, holds in variants if holds), "")
    if variant:
        priority = dig(pod.raw, "spec", "priority") or 0
        evidence = (
            seen(pod.ref, "spec.priority", priority),
            seen(pod.ref, "status.conditions[PodScheduled].message", found.told.preemption or "-"),
        )
        yield Cause({"priority": priority}, evidence, variant=variant)
