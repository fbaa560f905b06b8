"""Questions about nodes: who runs there, who may, how life is told, which addresses."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from shlex import quote
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.cidrs import pod_cidrs_of
from kcompanion.controlplane.nodes import is_fake
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Object
from kcompanion.quiz.question import Ground, Question, kcompanion, kubectl, place, source, word

RUNTIMES = ("containerd", "cri-o", "docker", "rkt")
REPELLING = ("NoSchedule", "NoExecute")
UNREACHABLE = "node.kubernetes.io/unreachable"


def _on(pod: Object) -> str:
    return text_at(pod, "spec", "nodeName")


def pods_on(ground: Ground) -> Question | None:
    placed = [pod for pod in ground.all(r.PODS) if _on(pod)]
    chosen = ground.one(placed)
    if chosen is None:
        return None
    node = _on(chosen)
    return ground.asked(
        "pods_on",
        [place(chosen)],
        [place(pod) for pod in placed if _on(pod) != node],
        values={"node": node, "pod": place(chosen)},
        proof=[Evidence(source("Pod", chosen), "spec.nodeName", node)],
        commands=[kcompanion("nodes --pods"), kubectl(f"get pods -A --field-selector spec.nodeName={quote(node)}")],
    )


def signs_of_life(ground: Ground) -> Question | None:
    ground.read(asks.HEARTBEATS)
    lease = ground.one(sorted(ground.snapshot.items(asks.HEARTBEATS), key=name_of))
    if lease is None or not text_at(lease, "spec", "renewTime"):
        return None
    return ground.asked(
        "signs_of_life",
        [f"Lease kube-node-lease/{name_of(lease)}"],
        [
            f"Node {name_of(lease)}: status.conditions",
            "ConfigMap kube-system/kubelet-config",
            f"Event {name_of(lease)}",
            f"Lease kube-system/{name_of(lease)}",
        ],
        values={"node": name_of(lease), "time": text_at(lease, "spec", "renewTime")},
        proof=[
            Evidence(f"Lease kube-node-lease/{name_of(lease)}", "spec.renewTime", text_at(lease, "spec", "renewTime")),
        ],
        commands=[kcompanion("nodes"), kubectl(f"get lease {quote(name_of(lease))} -n kube-node-lease", shown="yaml")],
    )


def runtime(ground: Ground) -> Question | None:
    real = [node for node in ground.all(r.NODES) if not is_fake(node)]
    chosen = ground.one([node for node in real if _runtime(node) in RUNTIMES])
    if chosen is None:
        return None
    right = _runtime(chosen)
    told = text_at(chosen, "status", "nodeInfo", "containerRuntimeVersion")
    return ground.asked(
        "runtime",
        [right],
        [name for name in RUNTIMES if name != right],
        values={"node": name_of(chosen), "told": told},
        proof=[Evidence(source("Node", chosen), "status.nodeInfo.containerRuntimeVersion", told)],
        commands=[kcompanion("nodes"), kubectl("get node", chosen, "wide")],
    )


def _runtime(node: Object) -> str:
    return text_at(node, "status", "nodeInfo", "containerRuntimeVersion").partition("://")[0]


def untolerated(ground: Ground) -> Question | None:
    nodes = ground.all(r.NODES)
    free = [name_of(node) for node in nodes if not _repels(node) and dig(node, "spec", "unschedulable") is not True]
    tainted = [node for node in nodes if _repels(node)]
    return ground.asked(
        "untolerated",
        free,
        map(name_of, tainted),
        values={"free": ", ".join(free[:3]) + ("…" if len(free) > 3 else "")},
        proof=[Evidence(source("Node", node), "spec.taints", _repels(node)) for node in tainted[:2]],
        commands=[
            kcompanion("explain node", tainted[0] if tainted else None),
            kubectl("get nodes", shown="custom-columns=NODE:.metadata.name,TAINTS:.spec.taints[*].key"),
        ],
    )


def _repels(node: Object) -> str:
    """The first taint that keeps pods without a toleration away."""
    for taint in maps_at(node, "spec", "taints"):
        if taint.get("effect") in REPELLING:
            return f"{text_at(taint, 'key')}:{text_at(taint, 'effect')}"
    return ""


def eviction_wait(ground: Ground) -> Question | None:
    bound = [(pod, _patience(pod)) for pod in ground.all(r.PODS) if _on(pod)]
    chosen = ground.one([(pod, seconds) for pod, seconds in bound if seconds is not None])
    if chosen is None:
        return None
    pod, seconds = chosen
    return ground.asked(
        "eviction_wait",
        [seconds],
        [other for other in (10, 40, 50, 120, 300, 600) if other != seconds],
        values={"pod": place(pod), "node": _on(pod), "seconds": seconds},
        proof=[Evidence(source("Pod", pod), f"spec.tolerations[{UNREACHABLE}].tolerationSeconds", str(seconds))],
        commands=[kcompanion("explain pod", pod), kubectl("get pod", pod, "jsonpath={.spec.tolerations}")],
    )


def _patience(pod: Object) -> int | None:
    """How long a pod may stay on a node that cannot be reached, where exactly one toleration says so."""
    found = [one for one in maps_at(pod, "spec", "tolerations") if _tolerates(one)]
    seconds = found[0].get("tolerationSeconds") if len(found) == 1 else None
    return seconds if isinstance(seconds, int) and seconds > 0 else None


def _tolerates(toleration: Mapping[str, Any]) -> bool:
    return toleration.get("key") in (None, "", UNREACHABLE) and toleration.get("effect") in (None, "", "NoExecute")


def pod_range(ground: Ground) -> Question | None:
    """Only where a pod's own address proves that the node's range is really used."""
    ranges = {name_of(node): pod_cidrs_of(node) for node in ground.all(r.NODES)}
    fitting = [pod for pod in ground.all(r.PODS) if _within(pod, ranges.get(_on(pod), ()))]
    chosen = ground.one(fitting)
    if chosen is None:
        return None
    node = _on(chosen)
    others = [cidrs[0] for name, cidrs in sorted(ranges.items()) if cidrs and name != node]
    return ground.asked(
        "pod_range",
        [ranges[node][0]],
        [*others, *ground.plane.network.ranges.service_cidrs],
        values={"node": node, "pod": place(chosen), "address": text_at(chosen, "status", "podIP")},
        proof=[
            Evidence(f"Node {node}", "spec.podCIDRs", ranges[node][0]),
            Evidence(source("Pod", chosen), "status.podIP", text_at(chosen, "status", "podIP")),
        ],
        commands=[kcompanion("nodes"), kubectl(f"get node {quote(node)}", shown="jsonpath={.spec.podCIDRs}")],
    )


def _within(pod: Object, cidrs: tuple[str, ...]) -> bool:
    if dig(pod, "spec", "hostNetwork") is True or not cidrs:
        return False
    try:
        return ip_address(text_at(pod, "status", "podIP")) in ip_network(cidrs[0])
    except ValueError:
        return False


def daemons(ground: Ground) -> Question | None:
    settled = [one for one in ground.all(r.DAEMONSETS) if _desired(one) and _observed(one)]
    chosen = ground.one(settled)
    if chosen is None:
        return None
    count, nodes = _desired(chosen), len(ground.all(r.NODES))
    return ground.asked(
        "daemons",
        [count],
        [number for number in (1, 2, 3, count - 1, count + 1, nodes, nodes * 2) if number not in (0, count)],
        values={"daemonset": place(chosen), "count": count, "nodes": nodes},
        proof=[Evidence(source("DaemonSet", chosen), "status.desiredNumberScheduled", str(count))],
        commands=[kcompanion("explain daemonset", chosen), kubectl("get daemonset", chosen)],
    )


def _desired(daemonset: Object) -> int:
    found = map_at(daemonset, "status").get("desiredNumberScheduled")
    return found if isinstance(found, int) else 0


def _observed(daemonset: Object) -> bool:
    """Whether its status is of its present spec."""
    return bool(dig(daemonset, "status", "observedGeneration") == dig(daemonset, "metadata", "generation"))


def grace(ground: Ground) -> Question | None:
    """Who says that a node is lost."""
    ground.read(asks.PODS)
    chosen = ground.one(ground.all(r.NODES))
    held = {component.name for component in ground.plane.components if component.instances}
    if chosen is None or "kube-controller-manager" not in held:
        return None
    return ground.asked(
        "grace",
        [word("grace.controller")],
        [word("grace.kubelet"), word("grace.scheduler"), word("grace.etcd")],
        values={"node": name_of(chosen)},
        proof=[Evidence(source("Node", chosen), "status.conditions[Ready].lastHeartbeatTime")],
        commands=[kcompanion("controlplane controllers"), kubectl("describe node", chosen)],
    )
