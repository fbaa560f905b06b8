"""HorizontalPodAutoscalers that do not scale (number 162) and PodDisruptionBudgets that allow nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.shortage import number
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, map_at, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.selectors import selector_text
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_autoscaling")
_HPA_DOCS = "https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/"
_FRESH = 120  # seconds in which pods that just started may have no metrics yet
_REQUEST = re.compile(r"missing request for (?P<resource>\S+) in container (?P<container>\S+) of Pod (?P<pod>\S+)")
# The API group each source of metrics is served by: k8s.io/metrics/pkg/apis.
_RESOURCE_METRICS = "v1beta1.metrics.k8s.io"
_SERVED_BY = {
    "FailedGetResourceMetric": _RESOURCE_METRICS,
    "FailedGetContainerResourceMetric": _RESOURCE_METRICS,
    "FailedGetExternalMetric": "v1beta1.external.metrics.k8s.io",
}


@BOOK.rule(
    "KC5162",
    numbers=(162,),
    kind="HorizontalPodAutoscaler",
    severity=Severity.CRITICAL,
    rank=Rank.SERVICE,
    read=_HPA_DOCS,
)
def does_not_scale(item: Object, world: World) -> Iterator[Cause]:
    """The target is gone or cannot be scaled, or there are no numbers to scale by."""
    ref = ref_of(item, "HorizontalPodAutoscaler")
    look = inspect(f"kubectl describe hpa {ref.name} -n {ref.namespace}")
    target = map_at(item, "spec", "scaleTargetRef")
    kind, name = text_at(target, "kind"), text_at(target, "name")
    able, active = condition(item, "AbleToScale"), condition(item, "ScalingActive")
    values = {"kind": kind, "target": name}
    if able.get("status") == "False":
        gone = _gone(target, ref.namespace, world)
        yield Cause(
            {**values, "said": text_at(able, "message")},
            (_told(ref, "AbleToScale", able),),
            (look, inspect(f"kubectl get {kind.lower()} {name} -n {ref.namespace}")),
            variant="cause_target" if gone else "cause_scale",
            root=Ref(kind, name, ref.namespace) if gone else None,
        )
    if active.get("status") != "False" or active.get("reason") == "ScalingDisabled":  # the target wants no pods
        return
    yield from _no_numbers(item, world, ref, values)


def _no_numbers(item: Object, world: World, ref: Ref, values: dict[str, str]) -> Iterator[Cause]:
    active = condition(item, "ScalingActive")
    reason, said = text_at(active, "reason"), text_at(active, "message")
    evidence = (_told(ref, "ScalingActive", active),)
    look = inspect(f"kubectl describe hpa {ref.name} -n {ref.namespace}")
    values = {**values, "said": said}
    if found := _REQUEST.search(said):
        told = {"resource": found["resource"], "container": found["container"], "pod": found["pod"]}
        step = change(text=say("rule_autoscaling.kc5162.do_request"))
        yield Cause({**values, **told}, evidence, (look, step), variant="cause_request")
        return
    if reason in ("AmbiguousSelector", "InvalidSelector"):
        yield Cause(values, evidence, (look, inspect(f"kubectl get hpa -n {ref.namespace}")), variant="cause_selector")
        return
    service = _SERVED_BY.get(reason, "")
    variant, proof = _served(service, world)
    if not proof and (world.since(text_at(active, "lastTransitionTime")) or 0) < _FRESH:
        return
    steps = (
        inspect(f"kubectl get apiservice {service}") if service else look,
        change(text=say("rule_autoscaling.kc5162.do_metrics")),
    )
    root = Ref("APIService", service) if proof else None
    yield Cause({**values, "api": service or "-"}, (*evidence, *proof), steps, variant=variant, root=root)


def _served(service: str, world: World) -> tuple[str, tuple[Evidence, ...]]:
    """Whether the API the numbers come from is there and answers."""
    if service:
        found = world.get(r.APISERVICES, service)
        ref = Ref("APIService", service)
        if found is None:
            return "cause_absent", (seen(ref, "metadata.name", "not found"),)
        available = condition(found, "Available")
        if available.get("status") != "True":
            words = f"{available.get('status')} {text_at(available, 'reason')}"
            return "cause_down", (seen(ref, "status.conditions[Available]", words),)
    return "cause", ()


def _told(ref: Ref, type_: str, found: Object) -> Evidence:
    words = f"{text_at(found, 'reason')}: {text_at(found, 'message')}"
    return seen(ref, f"status.conditions[{type_}]", words, text_at(found, "lastTransitionTime"))


def _gone(target: Object, space: str, world: World) -> bool:
    """Whether the target surely does not exist."""
    resource = _resource(target)
    if resource is None:
        return False
    try:
        return world.get(resource, text_at(target, "name"), space) is None
    except NotKnown:
        return False


def _resource(target: Object) -> Resource | None:
    group = text_at(target, "apiVersion").rpartition("/")[0]
    return next((one for one in KNOWN if (one.kind, one.group) == (text_at(target, "kind"), group)), None)


@BOOK.rule(
    "KC5258",
    kind="HorizontalPodAutoscaler",
    severity=Severity.WARNING,
    rank=Rank.ADVICE,
    read=_HPA_DOCS,
)
def at_its_limit(item: Object, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """More pods are wanted than the autoscaler may make."""
    limited = condition(item, "ScalingLimited")
    most, least = number(item, "spec", "maxReplicas"), number(item, "spec", "minReplicas", default=1)
    if limited.get("status") != "True" or limited.get("reason") != "TooManyReplicas" or most == least:
        return
    ref = ref_of(item, "HorizontalPodAutoscaler")
    yield Cause(
        {"most": most, "target": text_at(item, "spec", "scaleTargetRef", "name")},
        (
            _told(ref, "ScalingLimited", limited),
            seen(ref, "status.currentReplicas", f"{number(item, 'status', 'currentReplicas')} of {most}"),
        ),
        (
            inspect(f"kubectl get hpa {ref.name} -n {ref.namespace}"),
            change(text=say("rule_autoscaling.kc5258.do")),
        ),
    )


@BOOK.rule(
    "KC5266",
    kind="PodDisruptionBudget",
    severity=Severity.WARNING,
    rank=Rank.SYMPTOM,
    read="https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
)
def allows_nothing(item: Object, world: World) -> Iterator[Cause]:
    """No pod may be evicted: never, or just now because too few are healthy."""
    ref = ref_of(item, "PodDisruptionBudget")
    pods, healthy = number(item, "status", "expectedPods"), number(item, "status", "currentHealthy")
    needed = number(item, "status", "desiredHealthy")
    current = dig(item, "status", "observedGeneration") == dig(item, "metadata", "generation")
    allowed = condition(item, "DisruptionAllowed")
    selector = selector_text(map_at(item, "spec", "selector"))
    look = inspect(f"kubectl get pods -n {ref.namespace}" + (f" -l '{selector}'" if selector else ""))
    age = world.since(text_at(item, "metadata", "creationTimestamp")) or 0
    values = {"pods": pods, "healthy": healthy, "needed": needed, "rule": _rule(item)}
    if not current or age < _FRESH / 4:
        return
    if allowed.get("reason") == "SyncFailed":
        said = text_at(allowed, "message")
        proof = seen(ref, "status.conditions[DisruptionAllowed].message", said)
        yield Cause({**values, "said": said}, (proof,), (look,), variant="cause_failed")
    elif pods and not number(item, "status", "disruptionsAllowed"):
        variant = "cause_never" if needed >= pods else "cause_now" if healthy < needed else "cause"
        evidence = (
            seen(ref, "status.disruptionsAllowed", 0),
            seen(ref, "spec", values["rule"]),
            seen(ref, "status.currentHealthy", f"{healthy} of {pods}, needed {needed}"),
        )
        yield Cause(values, evidence, (look, change(text=say("rule_autoscaling.kc5266.do"))), variant=variant)


def _rule(item: Object) -> str:
    spec = map_at(item, "spec")
    field = "minAvailable" if "minAvailable" in spec else "maxUnavailable"
    return f"{field}={spec.get(field, 1)}"
