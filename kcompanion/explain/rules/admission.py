"""Pods that webhooks, policies and missing objects keep from being made: group K of the taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, low_risk, seen
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.backends import ready_addresses
from kcompanion.explain.rules.refusals import (
    ACCOUNT,
    DENIED,
    OVERHEAD,
    POLICY,
    PRIORITY,
    RUNTIME,
    SECURITY,
    TERMINATING,
    UNCALLED,
    describe,
    said_by,
)
from kcompanion.explain.rules.shortage import REFUSED, short
from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_controller")
_DOCS = "https://kubernetes.io/docs/"
_ENFORCE = "pod-security.kubernetes.io/enforce"


# ----------------------------------------------------------------------------------------------- webhooks and policies


@BOOK.rule(
    "KC5151",
    numbers=(151,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "reference/access-authn-authz/extensible-admission-controllers/",
)
def webhook(item: Object, world: World) -> Iterator[Cause]:
    """An admission webhook said no, or could not be asked."""
    for answer, found in said_by(item, world, DENIED, UNCALLED):
        said = found.groupdict().get("said") or "-"
        words = short(said.rpartition("x509: ")[2])
        configured = _configuration(world, found["hook"])
        holder = configured[0] if configured else None
        values = {"hook": found["hook"], "said": words, "config": holder.name if holder else "?", "service": "?"}
        look = f"kubectl get {holder.kind.lower()} {holder.name} -o yaml" if holder else describe(item)
        if found.re is DENIED:
            step = change(text=say("rule_controller.kc5151.do_denied"))
            yield Cause(values, (answer.evidence,), (inspect(look), step), root=holder)
            continue
        if configured is None:
            yield Cause(values, (answer.evidence,), (inspect(describe(item)),), variant="cause_gone")
            continue
        holder, hook = configured
        service = map_at(hook, "clientConfig", "service")
        space, name = text_at(service, "namespace"), text_at(service, "name")
        variant, proof = _reach(world, said, space, name)
        policy = text_at(hook, "failurePolicy") or "Fail"
        steps = [inspect(f"kubectl get endpointslices -n {space} -l kubernetes.io/service-name={name}")] if name else []
        yield Cause(
            {**values, "service": f"{space}/{name}" if name else text_at(hook, "clientConfig", "url")},
            (
                answer.evidence,
                seen(holder, f"webhooks[{found['hook']}].failurePolicy", policy),
                *proof,
            ),
            (*steps, inspect(look), change(text=say("rule_controller.kc5151.do", config=holder.name))),
            variant=variant,
            root=holder,
        )


def _configuration(world: World, hook: str) -> tuple[Ref, Object] | None:
    """The configuration that holds a webhook of that name."""
    for resource in (r.VALIDATING_WEBHOOKS, r.MUTATING_WEBHOOKS):
        for one in world.all(resource):
            for entry in maps_at(one, "webhooks"):
                if entry.get("name") == hook:
                    return Ref(resource.kind, name_of(one)), entry
    return None


def _reach(world: World, said: str, space: str, name: str) -> tuple[str, tuple[Evidence, ...]]:
    """Why a webhook's server cannot be asked, looked up rather than taken from the message where that is possible."""
    if name:
        if world.get(r.SERVICES, name, space) is None:
            return "cause_no_service", (seen(Ref("Service", name, space), "metadata.name", "not found"),)
        if not ready_addresses(world, name, space):
            where = Evidence(f"EndpointSlices of Service {space}/{name}", "endpoints[].conditions.ready", "0")
            return "cause_no_endpoints", (where,)
    if "x509" in said or "tls:" in said:
        return "cause_tls", ()
    if "deadline exceeded" in said or "Timeout" in said or "timeout" in said:
        return "cause_timeout", ()
    return "cause_uncalled", ()


@BOOK.rule(
    "KC5152",
    numbers=(152,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "reference/access-authn-authz/validating-admission-policy/",
)
def admission_policy(item: Object, world: World) -> Iterator[Cause]:
    """A ValidatingAdmissionPolicy refuses the pod."""
    for answer, found in said_by(item, world, POLICY):
        policy, binding = found["policy"], found["binding"] or "-"
        yield Cause(
            {"policy": policy, "binding": binding, "said": short(found["said"])},
            (answer.evidence,),
            (
                inspect(f"kubectl get validatingadmissionpolicy {policy} -o yaml"),
                inspect(f"kubectl get validatingadmissionpolicybinding {binding} -o yaml"),
                change(text=say("rule_controller.kc5152.do")),
            ),
            root=Ref("ValidatingAdmissionPolicy", policy),
        )


@BOOK.rule(
    "KC5153",
    numbers=(153,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/security/pod-security-standards/",
)
def pod_security(item: Object, world: World) -> Iterator[Cause]:
    """The namespace enforces a Pod Security level that the pod template does not meet."""
    for answer, found in said_by(item, world, SECURITY):
        space = namespace_of(item)
        level = found["level"]
        try:
            namespace = world.get(r.NAMESPACES, space)
        except NotKnown:
            namespace = None
        label = labels_of(namespace).get(_ENFORCE)
        evidence: tuple[Evidence, ...] = (answer.evidence,)
        if namespace is not None:
            evidence += (seen(Ref("Namespace", space), f"metadata.labels[{_ENFORCE}]", label or "-"),)
        variant = "cause" if label == level or namespace is None else "cause_changed" if label else "cause_default"
        yield Cause(
            {"level": level, "said": short(found["said"]), "label": str(label)},
            evidence,
            (
                inspect(f"kubectl get namespace {space} --show-labels"),
                change(text=say("rule_controller.kc5153.do")),
            ),
            variant=variant,
        )


# --------------------------------------------------------------------------------------------------- what is not there


def _missing(
    item: Object, world: World, pattern: re.Pattern[str], resource: Resource, group: str
) -> Iterator[tuple[str, Cause]]:
    """A cause for an object that the pod template names: not there, or made since."""
    for answer, found in said_by(item, world, pattern):
        name = found[group]
        space = namespace_of(item) if resource.namespaced else ""
        ref = Ref(resource.kind, name, space)
        where = f" -n {space}" if space else ""
        try:
            there = world.get(resource, name, space)
        except NotKnown:
            proof: tuple[Evidence, ...] = ()
            variant = "cause"
        else:
            proof = (seen(ref, "metadata.name", "not found" if there is None else "found"),)
            variant = "cause" if there is None else "cause_since"
        steps = (inspect(f"kubectl get {resource.plural}{where}"),)
        yield name, Cause({"wanted": name}, (answer.evidence, *proof), steps, variant=variant, root=ref)


@BOOK.rule(
    "KC5154",
    numbers=(154,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/security/service-accounts/",
)
def no_service_account(item: Object, world: World) -> Iterator[Cause]:
    """The pod template names a ServiceAccount that is not there."""
    for name, cause in _missing(item, world, ACCOUNT, r.SERVICEACCOUNTS, "account"):
        make = low_risk(f"kubectl create serviceaccount {name} -n {namespace_of(item)}")
        steps = (*cause.steps, make) if cause.variant == "cause" else cause.steps
        yield Cause(cause.values, cause.evidence, steps, cause.variant, root=cause.root)


@BOOK.rule(
    "KC5155",
    numbers=(155,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/scheduling-eviction/pod-priority-preemption/",
)
def no_priority_class(item: Object, world: World) -> Iterator[Cause]:
    """The pod template names a PriorityClass that is not there."""
    for _, cause in _missing(item, world, PRIORITY, r.PRIORITYCLASSES, "class"):
        steps = (*cause.steps, change(text=say("rule_controller.kc5155.do")))
        yield Cause(cause.values, cause.evidence, steps, cause.variant, root=cause.root)


@BOOK.rule(
    "KC5156",
    numbers=(156,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.NAMESPACE,
    read=_DOCS + "concepts/overview/working-with-objects/namespaces/",
)
def namespace_ends(item: Object, world: World) -> Iterator[Cause]:
    """Nothing can be made in a namespace that is being deleted."""
    for answer, found in said_by(item, world, TERMINATING):
        yield Cause(
            {"where": found["where"]},
            (answer.evidence,),
            (inspect(f"kubectl get namespace {found['where']} -o yaml"),),
            root=Ref("Namespace", found["where"]),
        )


@BOOK.rule(
    "KC5157",
    numbers=(157,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/containers/runtime-class/",
)
def no_runtime_class(item: Object, world: World) -> Iterator[Cause]:
    """The pod template names a RuntimeClass that is not there, or an overhead that is not the class's."""
    for _, cause in _missing(item, world, RUNTIME, r.RUNTIMECLASSES, "class"):
        steps = (*cause.steps, change(text=say("rule_controller.kc5157.do")))
        yield Cause(cause.values, cause.evidence, steps, cause.variant, root=cause.root)
    for answer, _ in said_by(item, world, OVERHEAD):
        steps = (inspect("kubectl get runtimeclasses"), change(text=say("rule_controller.kc5157.do_overhead")))
        yield Cause({}, (answer.evidence,), steps, variant="cause_overhead")
