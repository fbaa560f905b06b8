"""What is wrong, or worth knowing, about nodes: KC20xx."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompanion.controlplane.cidrs import Capacity
from kcompanion.controlplane.conditions import PRESSURES
from kcompanion.controlplane.grace import Grace
from kcompanion.controlplane.network import Network
from kcompanion.controlplane.nodes import Node
from kcompanion.controlplane.versions import Skew
from kcompanion.model.finding import Evidence, Finding, Severity, Status
from kcompanion.model.message import say

FULL = 90  # percent of the allocatable, requested
FEW_LEFT = 10  # percent of the node blocks
_UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"


def findings(nodes: Sequence[Node], grace: Grace, network: Network, skews: Sequence[Skew]) -> tuple[Finding, ...]:
    """All findings of all nodes and of the pod ranges."""
    found: list[Finding] = []
    for node in nodes:
        found += _liveness(node, grace)
        found += _conditions(node)
        found += _settings(node, network)
        found += _room(node, network)
    for skew in skews:
        found += _skew(skew)
    for capacity in network.capacity:
        found += _capacity(capacity, network)
    return tuple(found)


def _finding(
    code: str,
    severity: Severity,
    node: str,
    evidence: Evidence,
    command: str = "",
    **values: object,
) -> Finding:
    return Finding(
        code,
        severity,
        f"Node/{node}",
        say(f"nodes.finding.{code.lower()}", node=node, **values),
        (evidence,),
        command or f"kubectl describe node {node}",
    )


def _liveness(node: Node, grace: Grace) -> Iterator[Finding]:
    """Not Ready; or still called Ready although the heartbeat has stopped, which comes some 40 s earlier."""
    ready = next((c for c in node.conditions if c.type == "Ready"), None)
    pulse = node.heartbeat
    if ready is not None and ready.status != "True":
        value = f"{ready.status} {ready.reason}: {ready.message}"
        evidence = Evidence(f"Node {node.name}", "status.conditions[Ready]", value)
        known = "unknown" if ready.status == "Unknown" else "false"
        yield _finding(
            "KC2001",
            Severity.CRITICAL,
            node.name,
            evidence,
            f"kcompanion nodes {node.name}",
            state=say(f"nodes.not_ready.{known}", reason=ready.reason or "-"),
        )
    elif pulse is not None and pulse.silent:
        age = "?" if pulse.age is None else str(pulse.age)
        over = pulse.age is not None and pulse.age > grace.seconds
        yield _finding(
            "KC2002",
            Severity.WARNING,
            node.name,
            pulse.evidence,
            f"kubectl get lease -n kube-node-lease {node.name} -w",
            age=age,
            then=say(f"nodes.then.{'over' if over else 'soon'}", grace=grace.seconds),
        )
    if ready is None:
        evidence = Evidence(f"Node {node.name}", "status.conditions[Ready]", "none")
        yield _finding("KC2003", Severity.WARNING, node.name, evidence)


def _conditions(node: Node) -> Iterator[Finding]:
    for condition in node.conditions:
        if condition.type == "Ready" or condition.judged not in (Status.WARN, Status.FAIL):
            continue
        value = f"{condition.status} {condition.reason}: {condition.message}"
        evidence = Evidence(f"Node {node.name}", f"status.conditions[{condition.type}]", value)
        pressure = condition.type in PRESSURES
        yield _finding(
            "KC2004" if pressure else "KC2005",
            Severity.WARNING if pressure else Severity.CRITICAL,
            node.name,
            evidence,
            type=condition.type,
        )


def _settings(node: Node, network: Network) -> Iterator[Finding]:
    if node.cordoned:
        evidence = Evidence(f"Node {node.name}", "spec.unschedulable", "true")
        command = f"kubectl uncordon {node.name}"
        yield _finding("KC2006", Severity.INFO, node.name, evidence, command)
    waiting = next((t for t in node.taints if t.startswith(_UNINITIALIZED)), "")
    if waiting:
        evidence = Evidence(f"Node {node.name}", "spec.taints", waiting)
        yield _finding("KC2007", Severity.WARNING, node.name, evidence, "kcompanion addons")
    if network.ranges.allocates and not node.pod_cidrs and not network.own_ipam:
        evidence = Evidence(f"Node {node.name}", "spec.podCIDR", "none")
        yield _finding("KC2008", Severity.WARNING, node.name, evidence)


def _room(node: Node, network: Network) -> Iterator[Finding]:
    for resource in ("cpu", "memory"):
        used = node.room.used(resource)
        if used is not None and used >= FULL:
            source = f"Node {node.name}"
            evidence = Evidence(source, f"requests of its pods / allocatable {resource}", f"{used}%")
            yield _finding("KC2009", Severity.INFO, node.name, evidence, resource=resource, percent=used)
    most = node.room.max_pods
    if node.room.known and most and node.room.pods * 100 >= most * FULL:
        evidence = Evidence(f"Node {node.name}", "pods / status.allocatable.pods", f"{node.room.pods}/{most}")
        yield _finding("KC2010", Severity.WARNING, node.name, evidence, pods=node.room.pods, most=most)
    block = next((c for c in network.capacity if ":" not in c.cidr), None)
    if block and most and node.pod_cidrs and block.per_node - 2 < most and not network.own_ipam:
        evidence = Evidence(f"Node {node.name}", "spec.podCIDR", node.pod_cidrs[0])
        yield _finding(
            "KC2011",
            Severity.WARNING,
            node.name,
            evidence,
            addresses=block.per_node - 2,
            most=most,
        )


def _skew(skew: Skew) -> Iterator[Finding]:
    if skew.status is Status.FAIL:
        evidence = Evidence(f"Node {skew.where}", "status.nodeInfo.kubeletVersion", skew.version)
        yield _finding(
            "KC2012",
            Severity.WARNING,
            skew.where,
            evidence,
            "kubectl get nodes",
            version=skew.version,
            allowed=skew.allowed,
        )


def _capacity(capacity: Capacity, network: Network) -> Iterator[Finding]:
    """The pod range is used up, or nearly: the next node gets no block and stays without a network."""
    if network.own_ipam or capacity.left * 100 > capacity.total * FEW_LEFT:
        return
    source = network.ranges.pod_source or Evidence("pod CIDR")
    evidence = Evidence(source.source, source.path, source.value)
    yield Finding(
        "KC2013",
        Severity.WARNING,
        f"PodCIDR/{capacity.cidr}",
        say(
            "nodes.finding.kc2013",
            cidr=capacity.cidr,
            mask=capacity.mask,
            used=capacity.used,
            total=capacity.total,
            left=capacity.left,
        ),
        (evidence,),
        "kubectl get nodes -o custom-columns=NAME:.metadata.name,CIDR:.spec.podCIDR",
    )
