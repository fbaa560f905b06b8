"""Pods that quotas and limits keep from being made, and pods that nobody knows why they are missing: group K."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.refusals import (
    KNOWN,
    LIMIT,
    NO_COVER,
    NO_NUMBERS,
    OVER_QUOTA,
    QUOTA_NEW,
    RATIO,
    describe,
    said_by,
)
from kcompanion.explain.rules.shortage import MAKERS, REFUSED, about, refusal, refused, short, shortage
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Severity
from kcompanion.model.message import say
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_controller")
_DOCS = "https://kubernetes.io/docs/"
_FRESH = 60  # seconds a controller is given before pods it lacks are worth a word


# ------------------------------------------------------------------------------------------------- quotas and limits


@BOOK.rule(
    "KC5148",
    numbers=(148,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/policy/resource-quotas/",
)
def quota_exceeded(item: Object, world: World) -> Iterator[Cause]:
    """A ResourceQuota has no room for the pod; its numbers are read from the quota itself, not from the message."""
    for answer, found in said_by(item, world, OVER_QUOTA):
        space, name = namespace_of(item), found["quota"]
        ref = Ref("ResourceQuota", name, space)
        requested = _amounts(found["requested"])
        steps = (
            inspect(f"kubectl describe resourcequota {name} -n {space}"),
            change(text=say("rule_controller.kc5148.do", quota=name)),
        )
        told_used, told_hard = _amounts(found["used"]), _amounts(found["limited"])
        resource = next(iter(told_hard), "pods")
        values = {
            "quota": name,
            "resource": resource,
            "requested": requested.get(resource, "?"),
            "used": told_used.get(resource, "?"),
            "hard": told_hard.get(resource, "?"),
        }
        try:
            quota = world.get(r.RESOURCEQUOTAS, name, space)
        except NotKnown:
            yield Cause(values, (answer.evidence,), steps, root=ref)
            return
        if quota is None:
            yield Cause(values, (answer.evidence,), steps, variant="cause_gone", root=ref)
            return
        hard, used = map_at(quota, "status", "hard"), map_at(quota, "status", "used")
        over = [key for key in requested if _over(used.get(key), requested[key], hard.get(key))]
        resource = over[0] if over else resource
        values |= {
            "resource": resource,
            "requested": requested.get(resource, "?"),
            "used": used.get(resource, "0"),
            "hard": hard.get(resource, "?"),
        }
        evidence = (
            answer.evidence,
            seen(ref, f"status.hard[{resource}]", hard.get(resource, "")),
            seen(ref, f"status.used[{resource}]", used.get(resource, "")),
        )
        yield Cause(values, evidence, steps, variant="cause" if over else "cause_room", root=ref)


def _amounts(text: str) -> dict[str, str]:
    """`pods=1,requests.cpu=500m` as a mapping."""
    pairs = (part.partition("=") for part in text.split(","))
    return {key.strip(): value for key, equal, value in pairs if equal}


def _over(used: object, more: str, hard: object) -> bool:
    has, asks, limit = parse_quantity(used or "0"), parse_quantity(more), parse_quantity(hard)
    return has is not None and asks is not None and limit is not None and has + asks > limit


@BOOK.rule(
    "KC5149",
    numbers=(149,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/policy/resource-quotas/#quota-and-cluster-capacity",
)
def quota_needs_numbers(item: Object, world: World) -> Iterator[Cause]:
    """A quota counts something the pod does not state, or its scopes cover nothing of the pod."""
    variants = {NO_NUMBERS: "cause", NO_COVER: "cause_scope", QUOTA_NEW: "cause_status"}
    for answer, found in said_by(item, world, *variants):
        space = namespace_of(item)
        quota = found.groupdict().get("quota") or ""
        yield Cause(
            {"quota": quota, "what": found["what"].rstrip(".")},
            (answer.evidence,),
            (
                inspect(f"kubectl describe resourcequota {quota}".rstrip() + f" -n {space}"),
                change(text=say("rule_controller.kc5149.do")),
            ),
            variant=variants[found.re],
            root=Ref("ResourceQuota", quota, space) if quota else None,
        )


@BOOK.rule(
    "KC5150",
    numbers=(150,),
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/policy/limit-range/",
)
def limit_range(item: Object, world: World) -> Iterator[Cause]:
    """A LimitRange forbids the pod's numbers."""
    for answer, found in said_by(item, world, LIMIT, RATIO):
        space = namespace_of(item)
        told = found.groupdict()
        bound = {"maximum": "max", "minimum": "min"}.get(told.get("bound") or "", "maxLimitRequestRatio")
        try:
            holder = _holder(world, space, found["type"], bound, found["resource"], found["limit"])
        except NotKnown:
            holder = ""
        values = {"range": holder or "?", "resource": found["resource"], "type": found["type"]}
        given = _given(answer.message[found.end() :])
        values |= {"limit": found["limit"], "given": given or "-"}
        field = f"spec.limits[{found['type']}].{bound}.{found['resource']}"
        proof = (seen(Ref("LimitRange", holder, space), field, found["limit"]),) if holder else ()
        yield Cause(
            values,
            (answer.evidence, *proof),
            (
                inspect(f"kubectl describe limitrange {holder}".rstrip() + f" -n {space}"),
                change(text=say("rule_controller.kc5150.do")),
            ),
            variant=f"cause_{ {'max': 'max', 'min': 'min'}.get(bound, 'ratio') }" + ("" if given else "_none"),
            root=Ref("LimitRange", holder, space) if holder else None,
        )


def _given(rest: str) -> str:
    """What the pod asked for, from the end of a LimitRange's clause; empty when it asked for nothing."""
    found = re.match(r", but (?:request|limit|provided ratio) is ([^\s,\]]+)", rest)
    # the ratio is printed with %f
    return re.sub(r"\.0+$", "", found[1]) if found else ""


def _holder(world: World, space: str, type_: str, bound: str, resource: str, limit: str) -> str:
    """The name of the LimitRange that sets this bound."""
    for one in world.all(r.LIMITRANGES, space):
        for entry in maps_at(one, "spec", "limits"):
            value = map_at(entry, bound).get(resource)
            if entry.get("type") == type_ and value is not None and parse_quantity(value) == parse_quantity(limit):
                return name_of(one)
    return ""


@BOOK.rule(
    "KC5256",
    kind=REFUSED,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/workloads/controllers/",
)
def refused_otherwise(item: Object, world: World) -> Iterator[Cause]:
    """The API server refuses the pods with words that no rule knows: told as they are."""
    answer = refused(item, world)
    if answer is not None and not any(pattern.search(answer.message) for pattern in KNOWN):
        yield Cause(
            {"kind": about(item).kind, "said": short(answer.message.removeprefix("Error creating: "))},
            (answer.evidence,),
            (inspect(describe(item)), change(text=say("rule_controller.kc5256.do"))),
        )


@BOOK.rule(
    "KC5259",
    kind=MAKERS,
    severity=Severity.WARNING,
    rank=Rank.SYMPTOM,
    read=_DOCS + "concepts/workloads/controllers/",
)
def lacking(item: Object, world: World) -> Iterator[Cause]:
    """Pods are missing and nothing says why: events live an hour."""
    short = shortage(item)
    kind = about(item).kind
    age = world.since(text_at(item, "metadata", "creationTimestamp")) or 0
    # a Job waits between tries, a StatefulSet for the pod before: rules of their own
    told_elsewhere = (kind == "Job" and dig(item, "status", "failed")) or (kind == "StatefulSet" and short.have)
    current = dig(item, "status", "observedGeneration") == dig(item, "metadata", "generation") or kind == "Job"
    if not short.lacking or age < _FRESH or told_elsewhere or not current or refusal(item, world) is not None:
        return
    events = world.events(about(item), text_at(item, "metadata", "uid"))
    latest = min((s for e in events if (s := world.since(e.last)) is not None), default=_FRESH)
    if latest < _FRESH:
        return
    path = {"DaemonSet": "status.currentNumberScheduled", "Job": "status.active"}.get(kind, "status.replicas")
    yield Cause(
        {"kind": kind, "have": short.have, "want": short.want},
        (seen(about(item), path, short.have),),
        (inspect(describe(item)), inspect("kubectl get lease kube-controller-manager -n kube-system")),
    )
