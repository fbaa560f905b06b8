"""What all Services stand on: cluster DNS, NetworkPolicy, kube-proxy (numbers 174 to 176)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.cni import BY_NAME, Cni, cni
from kcompanion.controlplane.corefile import parse
from kcompanion.explain.evidence import change, inspect, low_risk, seen
from kcompanion.explain.memo import per_world
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.backends import pods_by_label
from kcompanion.explain.rules.shortage import number
from kcompanion.model import resources as r
from kcompanion.model.fields import (
    annotations_of,
    condition,
    dig,
    labels_of,
    map_at,
    maps_at,
    name_of,
    namespace_of,
    text_at,
    texts_at,
)
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_network")
_DOCS = "https://kubernetes.io/docs/"
_SYSTEM = "kube-system"
_FRESH = 60  # seconds of a start


@per_world
def plugin(world: World) -> Cni:
    """The cluster's network plugin.

    Raises:
        NotKnown: DaemonSets or nodes could not be read, so that it cannot be told.
    """
    world.ask(asks.DAEMONSETS)
    world.ask(asks.NODES)
    return cni(world.snapshot)


# ----------------------------------------------------------------------------------------------------------------- DNS


@BOOK.rule(
    "KC5174",
    numbers=(174,),
    kind="Deployment",
    severity=Severity.CRITICAL,
    rank=Rank.CONFIG,
    read=_DOCS + "tasks/administer-cluster/dns-debugging-resolution/",
)
def dns_down(item: Object, world: World) -> Iterator[Cause]:
    """The cluster's DNS server is scaled away, or its Corefile makes it end."""
    labels = map_at(item, "spec", "template", "metadata", "labels")
    if namespace_of(item) != _SYSTEM or labels.get("k8s-app") != "kube-dns":
        return
    ref = ref_of(item, "Deployment")
    wanted, there = number(item, "spec", "replicas", default=1), number(item, "status", "availableReplicas")
    if there:
        return
    if not wanted:
        back = low_risk(f"kubectl scale deployment/{ref.name} -n {_SYSTEM} --replicas=2")
        yield Cause({}, (seen(ref, "spec.replicas", 0),), (back,), variant="cause_none")
        return
    down = world.since(text_at(condition(item, "Available"), "lastTransitionTime")) or 0
    if down < _FRESH:
        return
    said = _last_words(item, world)
    values = {"want": wanted, "said": said}
    variant = "cause_loop" if "Loop (" in said else "cause_corefile" if "Corefile:" in said else "cause"
    look = inspect(f"kubectl logs -n {_SYSTEM} -l k8s-app=kube-dns --tail=5")
    edit = change(text=say(f"rule_network.kc5174.do{'_loop' if variant == 'cause_loop' else ''}"))
    evidence = [seen(ref, "status.availableReplicas", f"0 of {wanted}")]
    if said:
        evidence.append(Evidence("Log of CoreDNS", "last lines", said))
    evidence += _forwards(world)
    yield Cause(values, tuple(evidence), (look, inspect("kcompanion addons dns"), edit), variant=variant)


def _last_words(item: Object, world: World) -> str:
    """The line of a CoreDNS log that says why it ended; empty when none was read."""
    selector = map_at(item, "spec", "selector")
    try:
        for pod in world.all(r.PODS, _SYSTEM):
            if not selects(selector, labels_of(pod)):
                continue
            for previous in (True, False):
                for line in world.log(pod, "coredns", previous=previous) or ():
                    if "plugin/loop" in line or "Corefile:" in line or "[FATAL]" in line:
                        return line
    except NotKnown:
        return ""
    return ""


def _forwards(world: World) -> Iterator[Evidence]:
    """Where the Corefile sends what it does not know: its own node's resolver may lead back to it."""
    try:
        config = world.get(r.CONFIGMAPS, "coredns", _SYSTEM)
    except NotKnown:
        return
    for block in parse(text_at(config, "data", "Corefile")):
        if arguments := block.arguments("forward"):
            yield seen(Ref("ConfigMap", "coredns", _SYSTEM), "data.Corefile: forward", " ".join(arguments))
            return


# ------------------------------------------------------------------------------------------------------- NetworkPolicy


@BOOK.rule(
    "KC5175",
    numbers=(175,),
    kind="NetworkPolicy",
    severity=Severity.WARNING,
    rank=Rank.SERVICE,
    read=_DOCS + "concepts/services-networking/network-policies/",
)
def policy(item: Object, world: World) -> Iterator[Cause]:
    """A policy that nobody enforces, or one that lets pods out but not to DNS."""
    ref = ref_of(item, "NetworkPolicy")
    network = plugin(world)
    look = inspect(f"kubectl describe networkpolicy {ref.name} -n {ref.namespace}")
    if network.enforces_policy is False:
        yield Cause(
            {"plugin": network.name},
            (*network.evidence[:1], seen(ref, "spec.policyTypes", ", ".join(texts_at(item, "spec", "policyTypes")))),
            (inspect("kcompanion addons cni"), change(text=say("rule_network.kc5175.do"))),
            variant="cause_not_enforced",
            root=Ref("CNI", network.name),
        )
        return
    if "Egress" not in texts_at(item, "spec", "policyTypes") or not list(maps_at(item, "spec", "egress")):
        return
    mine = map_at(item, "spec", "podSelector")
    others = [
        one for one in world.all(r.NETWORKPOLICIES, ref.namespace) if "Egress" in texts_at(one, "spec", "policyTypes")
    ]
    shut = [
        labels for labels in _labels(world, ref.namespace) if selects(mine, labels) and not _dns_open(others, labels)
    ]
    if shut:
        yield Cause(
            {"count": len(shut), "selector": selector_text(mine) or "-"},
            (seen(ref, "spec.egress[].ports", ", ".join(_opened(item)) or "-"),),
            (look, change(text=say("rule_network.kc5175.do_dns"))),
            variant="cause" if network.enforces_policy else "cause_unsure",
        )


def _labels(world: World, space: str) -> Sequence[Mapping[str, Any]]:
    pods = {pod.name: pod for those in pods_by_label(world, space).values() for pod in those}
    return [labels_of(pod.raw) for pod in pods.values()]


def _dns_open(policies: Sequence[Object], labels: Mapping[str, Any]) -> bool:
    """Whether any egress rule that holds for these labels leaves port 53 open; policies add up."""
    return any(
        not list(maps_at(rule, "ports")) or any(_takes_53(port) for port in maps_at(rule, "ports"))
        for one in policies
        if selects(map_at(one, "spec", "podSelector"), labels)
        for rule in maps_at(one, "spec", "egress")
    )


def _takes_53(port: Mapping[str, Any]) -> bool:
    first, last = port.get("port"), port.get("endPort")
    if first is None or isinstance(first, str):  # every port, or a name that may be DNS
        return True
    return isinstance(first, int) and first <= 53 <= (last if isinstance(last, int) else first)


def _opened(item: Object) -> list[str]:
    return [str(port.get("port")) for rule in maps_at(item, "spec", "egress") for port in maps_at(rule, "ports")]


# ---------------------------------------------------------------------------------------------------------- kube-proxy

# What kubeadm leaves in the cluster (the annotation only in older versions). Hosted clusters hide their kube-proxy.
_KUBEADM = "kubeadm.alpha.kubernetes.io/cri-socket"
_KUBEADM_CONFIG = "kubeadm-config"


@BOOK.rule(
    "KC5176",
    numbers=(176,),
    kind="Service",
    severity=Severity.CRITICAL,
    rank=Rank.NODE,
    read=_DOCS + "reference/networking/virtual-ips/",
)
def nobody_routes(item: Object, world: World) -> Iterator[Cause]:
    """Service addresses lead nowhere: kube-proxy does not run, and the network plugin does not do its work."""
    if text_at(item, "spec", "clusterIP") in ("", "None") or not list(maps_at(item, "spec", "ports")):
        return
    found = _proxy_gap(world)
    if found is not None:
        variant, evidence = found
        steps = (inspect("kubectl get daemonset kube-proxy -n kube-system"), change(text=say("rule_network.kc5176.do")))
        values = {"plugin": plugin(world).name, "ip": text_at(item, "spec", "clusterIP")}
        yield Cause(values, evidence, steps, variant=variant, root=Ref("DaemonSet", "kube-proxy", _SYSTEM))


@per_world
def _proxy_gap(world: World) -> tuple[str, tuple[Evidence, ...]] | None:
    """How it is proved that nobody routes Services; None when somebody does, or it cannot be told."""
    network = plugin(world)
    known = BY_NAME.get(network.name)
    ref = Ref("DaemonSet", "kube-proxy", _SYSTEM)
    if known is None or known.replaces_proxy:
        return None
    daemons = world.get(r.DAEMONSETS, ref.name, ref.namespace)
    if daemons is not None:
        if number(daemons, "status", "desiredNumberScheduled") or _young(daemons, world):
            return None
        path = "spec.template.spec.nodeSelector"
        words = ",".join(f"{k}={v}" for k, v in sorted(map_at(daemons, *path.split(".")).items()))
        return "cause_nowhere", (seen(ref, "status.desiredNumberScheduled", 0), seen(ref, path, words or "-"))
    if not _by_kubeadm(world) or any(_is_proxy(pod) for pod in world.all(r.PODS, _SYSTEM)):
        return None
    return "cause", (seen(ref, "metadata.name", "not found"), *network.evidence[:1])


def _by_kubeadm(world: World) -> bool:
    """Whether kubeadm made this cluster, so that a kube-proxy would be seen."""
    marked = any(_KUBEADM in annotations_of(node) for node in world.all(r.NODES))
    return marked or world.get(r.CONFIGMAPS, _KUBEADM_CONFIG, _SYSTEM) is not None


def _young(item: Object, world: World) -> bool:
    made = world.since(text_at(item, "metadata", "creationTimestamp")) or 0
    return made < _FRESH or dig(item, "status", "observedGeneration") != dig(item, "metadata", "generation")


def _is_proxy(pod: Object) -> bool:
    labels = labels_of(pod)
    return "kube-proxy" in (labels.get("k8s-app"), labels.get("component")) or name_of(pod).startswith("kube-proxy")
