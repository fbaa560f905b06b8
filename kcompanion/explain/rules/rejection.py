"""Pods that the kubelet of their node refuses: group E of the taxonomy.

The reasons are those of pkg/kubelet/lifecycle/predicate.go, of the topology manager and of the handlers beside it
(Kubernetes 1.36). A refused pod is Failed for good; what made it must make a new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Check, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.podresources import shown
from kcompanion.model.world import NotKnown, World
from kcompanion.scheduling.placement import on_node
from kcompanion.scheduling.result import Miss
from kcompanion.scheduling.room import readable

BOOK = RuleBook("rule_rejection")
_DOCS = "https://kubernetes.io/docs"
_AMOUNTS = re.compile(
    r"resource: (?P<name>[^,]+), requested: (?P<need>\d+), used: (?P<used>\d+), capacity: (?P<all>\d+)"
)
_THOUSANDTHS = Decimal(1000)


@dataclass(frozen=True)
class _Refusal:
    """A row of the table: the status.reason values it stands for, and where to read more."""

    numbers: tuple[int, ...]
    reasons: tuple[str, ...]
    read: str
    predicate: str = ""  # the scheduling predicate that tells more, recomputed for the node
    extra: str = ""  # the code of a refusal that the taxonomy does not number

    @property
    def code(self) -> str:
        return self.extra or f"KC5{self.numbers[0]:03d}"


_TABLE = (
    _Refusal((92,), ("NodeAffinity",), f"{_DOCS}/concepts/scheduling-eviction/assign-pod-node/", "NodeAffinity"),
    _Refusal((93,), ("NodePorts",), f"{_DOCS}/concepts/scheduling-eviction/assign-pod-node/", "NodePorts"),
    _Refusal((94,), ("NodeName",), f"{_DOCS}/concepts/scheduling-eviction/assign-pod-node/#nodename"),
    _Refusal(
        (95,), ("TaintToleration",), f"{_DOCS}/concepts/scheduling-eviction/taint-and-toleration/", "TaintToleration"
    ),
    _Refusal((96,), ("TopologyAffinityError",), f"{_DOCS}/tasks/administer-cluster/topology-manager/"),
    _Refusal(
        (97, 98),
        ("PodOSNotSupported", "PodOSSelectorNodeLabelDoesNotMatch"),
        f"{_DOCS}/concepts/workloads/pods/#pod-os",
    ),
    _Refusal((99,), ("InvalidNodeInfo",), f"{_DOCS}/concepts/architecture/nodes/"),
    _Refusal((100,), ("InitContainerRestartPolicyForbidden",), f"{_DOCS}/concepts/workloads/pods/sidecar-containers/"),
    _Refusal(
        (101,),
        ("SupplementalGroupsPolicyNotSupported",),
        f"{_DOCS}/tasks/configure-pod-container/security-context/#supplementalgroupspolicy",
    ),
    _Refusal((102,), ("AppArmor",), f"{_DOCS}/tutorials/security/apparmor/"),
    _Refusal((103,), ("SysctlForbidden",), f"{_DOCS}/tasks/administer-cluster/sysctl-cluster/"),
    _Refusal(
        (104,), ("UnknownReason", "UnexpectedPredicateFailureType"), f"{_DOCS}/concepts/workloads/pods/pod-lifecycle/"
    ),
    _Refusal(
        (),
        ("PodLevelResourcesNotSupported", "PodFeatureUnsupported", "VolumeAttachmentLimitExceeded"),
        f"{_DOCS}/concepts/workloads/pods/pod-lifecycle/",
        extra="KC5233",
    ),
)


@BOOK.rule(
    "KC5087",
    numbers=(87, 88, 89, 90, 91),
    severity=Severity.CRITICAL,
    rank=Rank.REJECTED,
    read=f"{_DOCS}/concepts/configuration/manage-resources-containers/",
)
def out_of(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """OutOfcpu, OutOfmemory, OutOfpods …: what the node has is not enough for the pod."""
    if pod.phase != "Failed" or not pod.reason.startswith("OutOf"):
        return
    name = pod.reason.removeprefix("OutOf")
    found = _AMOUNTS.search(pod.message)
    values: dict[str, str] = {"resource": name, "node": pod.node or "-"}
    if found:
        need, used, whole = (_amount(name, found[key]) for key in ("need", "used", "all"))
        values |= {
            "need": _told(name, need),
            "used": _told(name, used),
            "total": _told(name, whole),
            "free": _told(name, max(whole - used, Decimal(0))),
        }
    variant = "cause_pods" if name == "pods" else "cause" if found else "cause_short"
    yield Cause(values, _evidence(pod), _steps(pod, "kc5087"), variant=variant)


def _refused(row: _Refusal) -> Check:
    code = row.code.lower()

    def check(pod: Pod, world: World) -> Iterator[Cause]:
        if pod.phase != "Failed" or pod.reason not in row.reasons:
            return
        miss = _miss(pod, world, row.predicate) if row.predicate else None
        values = {
            "node": pod.node or "-",
            "message": pod.message.removeprefix("Pod was rejected: ") or "-",
            "reason": pod.reason,
            "os": text_at(pod.raw, "spec", "os", "name") or str(labels_of(pod.raw).get("kubernetes.io/os", "-")),
        }
        if miss is None:
            yield Cause(values, _evidence(pod), _steps(pod, code))
        else:
            told = {**values, "miss": miss.message}
            yield Cause(told, (*_evidence(pod), *miss.evidence), _steps(pod, code), variant="cause_still")

    return check


for _row in _TABLE:
    BOOK.rule(
        _row.code,
        numbers=_row.numbers,
        severity=Severity.CRITICAL,
        rank=Rank.REJECTED,
        read=_row.read,
    )(_refused(_row))


def _miss(pod: Pod, world: World, predicate: str) -> Miss | None:
    """What the scheduling predicate of that name has against the node now; None when nothing, or not known."""
    try:
        node = world.get(r.NODES, pod.node) if pod.node else None
        results = on_node(pod.raw, node, world).results if node is not None else ()
    except NotKnown:
        return None
    return next((m for result in results if result.predicate == predicate for m in result.misses), None)


def _evidence(pod: Pod) -> tuple[Evidence, ...]:
    at = text_at(pod.raw, "status", "startTime")
    told = [seen(pod.ref, "status.reason", pod.reason, at), seen(pod.ref, "status.message", pod.message or "-", at)]
    if pod.node:
        told.append(seen(pod.ref, "spec.nodeName", pod.node))
    return tuple(told)


def _steps(pod: Pod, code: str) -> tuple[Step, ...]:
    return (
        inspect(f"kcompanion why-not {pod.name} {pod.node or 'NODE'} -n {pod.namespace}"),
        inspect(f"kubectl describe node {pod.node or 'NODE'}"),
        change(text=say(f"rule_rejection.{code}.do")),
    )


def _amount(resource: str, digits: str) -> Decimal:
    """The kubelet writes CPU in thousandths, everything else in whole units."""
    return Decimal(digits) / _THOUSANDTHS if resource == "cpu" else Decimal(digits)


def _told(resource: str, amount: Decimal) -> str:
    return shown(resource, amount) if resource == "cpu" else readable(resource, amount)
