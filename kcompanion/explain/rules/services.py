"""The way from a Service to its pods: group M of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.nodelife import life_of
from kcompanion.explain.pod import Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.backends import (
    has_all,
    live,
    owner_of,
    pods_by_label,
    ready_addresses,
    selected,
    workloads,
)
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, labels_of, map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.selectors import selector_text
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_service")
_DOCS = "https://kubernetes.io/docs/concepts/services-networking/"
_FRESH = 30  # seconds a new Service is given
_STARTING = 120  # seconds pods may take to become ready
_UNDER_WAY = ("Pending", "ContainerCreating", "PodInitializing", "Running", "NotReady", "SchedulingGated")


def _selector(item: Object) -> Mapping[str, Any]:
    """The labels a Service looks for; empty when its endpoints are somebody else's business."""
    if text_at(item, "spec", "type") == "ExternalName" or dig(item, "metadata", "deletionTimestamp"):
        return {}
    return map_at(item, "spec", "selector")


def _words(selector: Mapping[str, Any]) -> str:
    return selector_text({"matchLabels": selector})


def _fresh(item: Object, world: World) -> bool:
    return (world.since(text_at(item, "metadata", "creationTimestamp")) or 0) < _FRESH


@BOOK.rule(
    "KC5169",
    numbers=(169,),
    kind="Service",
    severity=Severity.WARNING,
    rank=Rank.SERVICE,
    read=_DOCS + "service/#defining-a-service",
)
def selects_nothing(item: Object, world: World) -> Iterator[Cause]:
    """No pod has the labels that the Service looks for."""
    selector, ref = _selector(item), ref_of(item, "Service")
    if not selector or _fresh(item, world) or selected(world, ref.namespace, selector):
        return
    makers = [one for one in workloads(world, ref.namespace) if has_all(one.labels, selector)]
    if makers and not any(one.wanted for one in makers):
        return  # scaled to zero on purpose
    look = inspect(f"kubectl get pods -n {ref.namespace} --show-labels")
    told = seen(ref, "spec.selector", _words(selector))
    values: dict[str, Any] = {"selector": _words(selector)}
    if makers:
        maker = next(one for one in makers if one.wanted)
        yield Cause(
            {**values, "kind": maker.ref.kind, "maker": maker.ref.name},
            (told, seen(maker.ref, "spec.template.metadata.labels", _words(maker.labels))),
            (inspect(f"kcompanion explain {maker.ref.kind.lower()}/{maker.ref.name} -n {ref.namespace}"),),
            variant="cause_no_pods",
            root=maker.ref,
        )
        return
    near = _near(world, ref.namespace, selector)
    if near is None:
        steps = (look, change(text=say("rule_service.kc5169.do")))
        yield Cause(values, (told,), steps)
        return
    who, key, have = near
    values |= {"what": str(who), "label": key, "want": str(selector[key]), "have": "-" if have is None else str(have)}
    yield Cause(
        values,
        (told, seen(who, f"labels[{key}]", values["have"])),
        (look, change(text=say("rule_service.kc5169.do"))),
        variant="cause_near" if have is not None else "cause_lacks",
    )


def _near(world: World, space: str, selector: Mapping[str, Any]) -> tuple[Ref, str, object] | None:
    """What lacks just one of the labels, with that label and the value it has there."""
    known = [(one.ref, one.labels) for one in workloads(world, space)]
    pods = {pod.name: pod for those in pods_by_label(world, space).values() for pod in those}
    known += [(pod.ref, labels_of(pod.raw)) for _, pod in sorted(pods.items()) if live(pod)]
    for ref, labels in known:
        wrong = [key for key, value in selector.items() if labels.get(key) != value]
        if len(wrong) != 1:
            continue
        key, have = wrong[0], labels.get(wrong[0])
        if len(selector) > 1 or (have is not None and get_close_matches(str(have), [str(selector[key])], cutoff=0.6)):
            return ref, key, have
    return None


@BOOK.rule(
    "KC5170",
    numbers=(170,),
    kind="Service",
    severity=Severity.CRITICAL,
    rank=Rank.SERVICE,
    read=_DOCS + "endpoint-slices/",
)
def none_ready(item: Object, world: World) -> Iterator[Cause]:
    """Pods are selected, but none of them gets any traffic."""
    selector, ref = _selector(item), ref_of(item, "Service")
    if not selector or dig(item, "spec", "publishNotReadyAddresses") is True or _fresh(item, world):
        return
    pods = selected(world, ref.namespace, selector)
    if not pods or ready_addresses(world, ref.name, ref.namespace):
        return
    told = Evidence(f"EndpointSlices of {ref}", "endpoints[].conditions.ready", "0")
    ready = [pod for pod in pods if live(pod) and pod.is_true("Ready")]
    if ready:
        since = text_at(ready[0].condition("Ready"), "lastTransitionTime")
        if (world.since(since) or 0) >= _FRESH:
            look = inspect(f"kubectl get endpointslices -n {ref.namespace} -l kubernetes.io/service-name={ref.name}")
            proof = seen(ready[0].ref, "status.conditions[Ready].status", "True", since)
            steps = (look, inspect("kcompanion controlplane"))
            yield Cause({"pod": ready[0].name, "count": len(ready)}, (told, proof), steps, variant="cause_no_slices")
        return
    if all(_under_way(pod, world) for pod in pods):
        return
    worst = min(pods, key=lambda pod: (pod.status_word in _UNDER_WAY, pod.name))
    yield Cause(
        {"count": len(pods), "pod": worst.name, "word": worst.status_word},
        (told, seen(worst.ref, "status.conditions[Ready].status", text_at(worst.condition("Ready"), "status") or "-")),
        (
            inspect(f"kcompanion explain pod/{worst.name} -n {ref.namespace}"),
            inspect(f"kubectl get pods -n {ref.namespace} -l '{_words(selector)}'"),
        ),
        root=owner_of(worst) or worst.ref,
    )


@BOOK.rule(
    "KC5270",
    kind="Service",
    severity=Severity.CRITICAL,
    rank=Rank.SERVICE,
    read="https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats",
)
def nobody_answers(item: Object, world: World) -> Iterator[Cause]:
    """Addresses that still get traffic are on nodes that are not heard of any more."""
    selector, ref = _selector(item), ref_of(item, "Service")
    ready = ready_addresses(world, ref.name, ref.namespace) if selector else ()
    nodes = sorted({text_at(one, "nodeName") for one in ready} - {""})
    lost = {name: life for name in nodes if (life := life_of(name, world)) is not None and life.unheard}
    if not lost:
        return
    gone = [one for one in ready if text_at(one, "nodeName") in lost]
    first = next(iter(lost.values()))
    whole = len(gone) == len(ready)
    yield Cause(
        {
            "count": len(ready),
            "lost": len(gone),
            "nodes": _some(list(lost)),
            "age": first.told_age,
        },
        (Evidence(f"EndpointSlices of {ref}", "endpoints[].nodeName", _some(nodes)), *first.evidence()),
        (
            inspect(f"kcompanion explain node/{first.name}"),
            inspect(f"kubectl get pods -n {ref.namespace} -l '{_words(selector)}' -o wide"),
        ),
        variant="cause" if whole else "cause_some",
        severity=None if whole else Severity.WARNING,
        root=first.ref if len(lost) == 1 else None,
    )


def _under_way(pod: Pod, world: World) -> bool:
    """Whether a pod may still be on its way to become ready, or goes."""
    if pod.deleted_at:
        return True
    age = world.since(text_at(pod.raw, "metadata", "creationTimestamp")) or 0
    word = pod.status_word
    return age < _STARTING and (word in _UNDER_WAY or (word.startswith("Init:") and "/" in word))


# --------------------------------------------------------------------------------------------------------------- ports


@BOOK.rule(
    "KC5171",
    numbers=(171,),
    kind="Service",
    severity=Severity.CRITICAL,
    rank=Rank.SERVICE,
    read=_DOCS + "service/#field-spec-ports",
)
def wrong_port(item: Object, world: World) -> Iterator[Cause]:
    """A targetPort that no selected pod has: proved for names, a hint only for numbers."""
    selector, ref = _selector(item), ref_of(item, "Service")
    if not selector:
        return
    pods = [pod for pod in selected(world, ref.namespace, selector) if live(pod)]
    if not pods:
        return
    declared = {port for pod in pods for port in _ports(pod)}
    for index, port in enumerate(maps_at(item, "spec", "ports")):
        protocol = text_at(port, "protocol") or "TCP"
        target = port.get("targetPort", port.get("port"))
        known = sorted({_port(one) for one in declared if one[2] == protocol})
        values = {"target": target, "protocol": protocol, "pod": pods[0].name, "port": port.get("port")}
        evidence = (
            seen(ref, f"spec.ports[{index}].targetPort", target),
            seen(pods[0].ref, "spec.containers[].ports", ", ".join(known) or "none"),
        )
        steps = (
            inspect(f"kubectl get pod {pods[0].name} -n {ref.namespace} -o jsonpath='{{.spec.containers[*].ports}}'"),
            change(text=say("rule_service.kc5171.do")),
        )
        values["known"] = ", ".join(known) or "-"
        if isinstance(target, str) and not target.isdigit():
            if not any(name == target and proto == protocol for name, _, proto in declared):
                yield Cause(values, evidence, steps, variant="cause" if known else "cause_undeclared")
        elif known and not any(number == str(target) and proto == protocol for _, number, proto in declared):
            yield Cause(values, evidence, steps, variant="cause_number", severity=Severity.INFO)


def _ports(pod: Pod) -> Iterator[tuple[str, str, str]]:
    for container in pod.containers:
        if container.sort in (Sort.APP, Sort.SIDECAR):
            for port in maps_at(container.spec, "ports"):
                yield text_at(port, "name"), str(port.get("containerPort")), text_at(port, "protocol") or "TCP"


def _port(one: tuple[str, str, str]) -> str:
    return f"{one[0]}={one[1]}" if one[0] else one[1]


# ---------------------------------------------------------------------------------------------------- traffic policies


@BOOK.rule(
    "KC5172",
    numbers=(172,),
    kind="Service",
    severity=Severity.INFO,
    rank=Rank.ADVICE,
    read="https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-policies",
)
def local_only(item: Object, world: World) -> Iterator[Cause]:
    """Nodes without a pod of the Service drop what comes to them, because traffic may not leave the node."""
    selector, ref = _selector(item), ref_of(item, "Service")
    outside = text_at(item, "spec", "externalTrafficPolicy") == "Local"
    inside = text_at(item, "spec", "internalTrafficPolicy") == "Local"
    if not selector or not (outside or inside):
        return
    ready = ready_addresses(world, ref.name, ref.namespace)
    having = sorted({text_at(one, "nodeName") for one in ready} - {""})
    nodes = [node for node in world.all(r.NODES) if condition(node, "Ready").get("status") == "True"]
    without = sorted({name_of(node) for node in nodes if not dig(node, "spec", "unschedulable")} - set(having))
    if not having or not without:
        return
    field = "externalTrafficPolicy" if outside else "internalTrafficPolicy"
    yield Cause(
        {"having": _some(having), "without": _some(without), "policy": field},
        (
            seen(ref, f"spec.{field}", "Local"),
            Evidence(f"EndpointSlices of {ref}", "endpoints[].nodeName", _some(having)),
        ),
        (
            inspect(f"kubectl get pods -n {ref.namespace} -l '{_words(selector)}' -o wide"),
            change(text=say("rule_service.kc5172.do")),
        ),
        variant="cause" if outside else "cause_inside",
        severity=Severity.WARNING if inside and not outside else None,
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" (+{len(names) - 3})" if len(names) > 3 else "")


# ------------------------------------------------------------------------------------------ names of headless Services


@BOOK.rule(
    "KC5173",
    numbers=(173,),
    kind="StatefulSet",
    severity=Severity.WARNING,
    rank=Rank.SERVICE,
    read="https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id",
)
def no_names(item: Object, world: World) -> Iterator[Cause]:
    """The pods of a StatefulSet have no names in DNS: its Service is not there, not headless, or selects others."""
    name, ref = text_at(item, "spec", "serviceName"), ref_of(item, "StatefulSet")
    if not name or not dig(item, "spec", "replicas") or dig(item, "metadata", "deletionTimestamp"):
        return
    service = world.get(r.SERVICES, name, ref.namespace)
    where = Ref("Service", name, ref.namespace)
    labels = map_at(item, "spec", "template", "metadata", "labels")
    told = seen(ref, "spec.serviceName", name)
    look = inspect(f"kubectl get service {name} -n {ref.namespace} -o yaml")
    step = change(text=say("rule_service.kc5173.do"))
    values = {"service": name, "pod": f"{ref.name}-0"}
    if service is None:
        yield Cause(values, (told, seen(where, "metadata.name", "not found")), (look, step), root=where)
    elif text_at(service, "spec", "clusterIP") != "None":
        proof = seen(where, "spec.clusterIP", text_at(service, "spec", "clusterIP"))
        yield Cause(values, (told, proof), (look, step), variant="cause_not_headless", root=where)
    elif (selector := map_at(service, "spec", "selector")) and not has_all(labels, selector):
        proof = seen(where, "spec.selector", _words(selector))
        yield Cause(values, (told, proof), (look, step), variant="cause_selector", root=where)


# ------------------------------------------------------------------------------------------------------- load balancers


@BOOK.rule(
    "KC5272",
    kind="Service",
    severity=Severity.WARNING,
    rank=Rank.SERVICE,
    read=_DOCS + "service/#loadbalancer",
)
def no_load_balancer(item: Object, world: World) -> Iterator[Cause]:
    """A Service of type LoadBalancer that nobody gives an address."""
    ref = ref_of(item, "Service")
    if text_at(item, "spec", "type") != "LoadBalancer" or dig(item, "metadata", "deletionTimestamp"):
        return
    age = world.since(text_at(item, "metadata", "creationTimestamp")) or 0
    if map_at(item, "status", "loadBalancer").get("ingress") or age < _STARTING / 2:
        return
    try:
        events = [e for e in world.events(ref) if e.type == "Warning"]
    except NotKnown:
        events = []
    kind = text_at(item, "spec", "loadBalancerClass")
    proof = (Evidence(f"Event of {ref}", events[-1].reason, events[-1].message, events[-1].last),) if events else ()
    yield Cause(
        {"age": human_age(age), "said": events[-1].message if events else "-", "class": kind or "-"},
        (seen(ref, "status.loadBalancer.ingress", "none"), *proof),
        (
            inspect(f"kubectl describe service {ref.name} -n {ref.namespace}"),
            change(text=say("rule_service.kc5272.do")),
        ),
        variant="cause_said" if events else "cause",
    )
