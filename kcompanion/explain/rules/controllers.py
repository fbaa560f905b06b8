"""Pods that are never made because the API server refuses them: the first half of group K of the taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, low_risk, seen
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.shortage import MAKERS, Refusal, about, refusal, refused, shortage
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_controller")
_DOCS = "https://kubernetes.io/docs/"
_FRESH = 60  # seconds a controller is given before pods it lacks are worth a word

# Messages of the admission plugins: k8s.io/apiserver/pkg/admission/plugin/{resourcequota,webhook,policy,namespace} and
# k8s.io/kubernetes/plugin/pkg/admission/{limitranger,serviceaccount,priority,runtimeclass}, 1.33 to 1.37.
_OVER_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>\S+), requested: (?P<requested>.*?), used: (?P<used>.*?), limited: (?P<limited>[^\s;\]]+)"
)
_NO_NUMBERS = re.compile(r"failed quota: (?P<quota>\S+?): must specify (?P<what>.+)")
_NO_COVER = re.compile(r"insufficient quota to (?:consume|match these scopes): (?P<what>.+)")
_QUOTA_NEW = re.compile(r"status unknown for quota: (?P<quota>\S+?), resources: (?P<what>.+)")
_LIMIT = re.compile(
    r"(?P<bound>maximum|minimum) (?P<resource>\S+) usage per (?P<type>\w+) is (?P<limit>[^\s,]*[^\s,.])"
)
_RATIO = re.compile(r"(?P<resource>\S+) max limit to request ratio per (?P<type>\w+) is (?P<limit>[^\s,]+)")
_DENIED = re.compile(r'admission webhook "(?P<hook>[^"]+)" denied the request(?: without explanation|: (?P<said>.*))?')
_UNCALLED = re.compile(r'failed calling webhook "(?P<hook>[^"]+)"[:;] (?P<said>.*)')
_POLICY = re.compile(
    r"ValidatingAdmissionPolicy '(?P<policy>[^']+)'(?: with binding '(?P<binding>[^']+)')? denied request: (?P<said>.*)"
)
_SECURITY = re.compile(r'violates PodSecurity "(?P<level>[^":]+)(?::(?P<version>[^"]+))?": (?P<said>.*)')
_ACCOUNT = re.compile(r"error looking up service account [^/\s]+/(?P<account>[^:\s]+): ")
_PRIORITY = re.compile(r"no PriorityClass with name (?P<class>\S+) was found")
_TERMINATING = re.compile(r"unable to create new content in namespace (?P<where>\S+) because it is being terminated")
_RUNTIME = re.compile(r'RuntimeClass "(?P<class>[^"]+)" not found')
_OVERHEAD = re.compile(r"Pod's Overhead doesn't match|Pod Overhead set without")
_KNOWN = (
    *(_OVER_QUOTA, _NO_NUMBERS, _NO_COVER, _QUOTA_NEW, _LIMIT, _RATIO, _DENIED, _UNCALLED, _POLICY, _SECURITY),
    *(_ACCOUNT, _PRIORITY, _TERMINATING, _RUNTIME, _OVERHEAD),
)
_ENFORCE = "pod-security.kubernetes.io/enforce"


def _said(item: Object, world: World, *patterns: re.Pattern[str]) -> Iterator[tuple[Refusal, re.Match[str]]]:
    """The refusal, when one of these patterns is in it."""
    answer = refused(item, world)
    if answer is None:
        return
    for pattern in patterns:
        if found := pattern.search(answer.message):
            yield answer, found
            return


def _describe(item: Object) -> str:
    ref = about(item)
    return f"kubectl describe {ref.kind.lower()} {ref.name} -n {ref.namespace}"


# ------------------------------------------------------------------------------------------------- quotas and limits


@BOOK.rule(
    "KC5148",
    numbers=(148,),
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/policy/resource-quotas/",
)
def quota_exceeded(item: Object, world: World) -> Iterator[Cause]:
    """A ResourceQuota has no room for the pod; its numbers are read from the quota itself, not from the message."""
    for answer, found in _said(item, world, _OVER_QUOTA):
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
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/policy/resource-quotas/#quota-and-cluster-capacity",
)
def quota_needs_numbers(item: Object, world: World) -> Iterator[Cause]:
    """A quota counts something the pod does not state, or its scopes cover nothing of the pod."""
    variants = {_NO_NUMBERS: "cause", _NO_COVER: "cause_scope", _QUOTA_NEW: "cause_status"}
    for answer, found in _said(item, world, *variants):
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
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/policy/limit-range/",
)
def limit_range(item: Object, world: World) -> Iterator[Cause]:
    """A LimitRange forbids the pod's numbers."""
    for answer, found in _said(item, world, _LIMIT, _RATIO):
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
    return found[1] if found else ""


def _holder(world: World, space: str, type_: str, bound: str, resource: str, limit: str) -> str:
    """The name of the LimitRange that sets this bound."""
    for one in world.all(r.LIMITRANGES, space):
        for entry in maps_at(one, "spec", "limits"):
            value = map_at(entry, bound).get(resource)
            if entry.get("type") == type_ and value is not None and parse_quantity(value) == parse_quantity(limit):
                return name_of(one)
    return ""


# ----------------------------------------------------------------------------------------------- webhooks and policies


@BOOK.rule(
    "KC5151",
    numbers=(151,),
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "reference/access-authn-authz/extensible-admission-controllers/",
)
def webhook(item: Object, world: World) -> Iterator[Cause]:
    """An admission webhook said no, or could not be asked."""
    for answer, found in _said(item, world, _DENIED, _UNCALLED):
        said = found.groupdict().get("said") or "-"
        holder, hook = _configuration(world, found["hook"])
        values = {"hook": found["hook"], "said": said, "config": holder.name if holder else "?", "service": "?"}
        look = f"kubectl get {holder.kind.lower()} {holder.name} -o yaml" if holder else _describe(item)
        if found.re is _DENIED:
            step = change(text=say("rule_controller.kc5151.do_denied"))
            yield Cause(values, (answer.evidence,), (inspect(look), step), root=holder)
            continue
        if hook is None:
            yield Cause(values, (answer.evidence,), (inspect(_describe(item)),), variant="cause_gone")
            continue
        service = map_at(hook, "clientConfig", "service")
        space, name = text_at(service, "namespace"), text_at(service, "name")
        variant, proof = _reach(world, said, space, name)
        policy = text_at(hook, "failurePolicy") or "Fail"
        steps = [inspect(f"kubectl get endpointslices -n {space} -l kubernetes.io/service-name={name}")] if name else []
        assert holder is not None  # a hook comes with its configuration
        yield Cause(
            {**values, "service": f"{space}/{name}" if name else text_at(hook, "clientConfig", "url")},
            (
                answer.evidence,
                seen(holder, f"webhooks[{found['hook']}].failurePolicy", policy),
                *proof,
            ),
            (*steps, inspect(look), change(text=say("rule_controller.kc5151.do"))),
            variant=variant,
            root=holder,
        )


def _configuration(world: World, hook: str) -> tuple[Ref | None, Object | None]:
    """The configuration that holds a webhook of that name."""
    for resource in (r.VALIDATING_WEBHOOKS, r.MUTATING_WEBHOOKS):
        for one in world.all(resource):
            for entry in maps_at(one, "webhooks"):
                if entry.get("name") == hook:
                    return Ref(resource.kind, name_of(one)), entry
    return None, None


def _reach(world: World, said: str, space: str, name: str) -> tuple[str, tuple[Evidence, ...]]:
    """Why a webhook's server cannot be asked, looked up rather than taken from the message where that is possible."""
    if "x509" in said or "tls:" in said:
        return "cause_tls", ()
    if name:
        if world.get(r.SERVICES, name, space) is None:
            return "cause_no_service", (seen(Ref("Service", name, space), "metadata.name", "not found"),)
        if not ready_addresses(world, name, space):
            where = Evidence(f"EndpointSlices of Service {space}/{name}", "endpoints[].conditions.ready", "0")
            return "cause_no_endpoints", (where,)
    if "deadline exceeded" in said or "Timeout" in said or "timeout" in said:
        return "cause_timeout", ()
    return "cause_uncalled", ()


def ready_addresses(world: World, service: str, space: str) -> int:
    """How many ready addresses stand behind a Service."""
    slices = world.all(r.ENDPOINTSLICES, space)
    return sum(
        dig(endpoint, "conditions", "ready") is not False  # no `ready` means ready (discovery/v1)
        for one in slices
        if labels_of(one).get("kubernetes.io/service-name") == service
        for endpoint in maps_at(one, "endpoints")
    )


@BOOK.rule(
    "KC5152",
    numbers=(152,),
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "reference/access-authn-authz/validating-admission-policy/",
)
def admission_policy(item: Object, world: World) -> Iterator[Cause]:
    """A ValidatingAdmissionPolicy refuses the pod."""
    for answer, found in _said(item, world, _POLICY):
        policy, binding = found["policy"], found["binding"] or "-"
        yield Cause(
            {"policy": policy, "binding": binding, "said": found["said"]},
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
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/security/pod-security-standards/",
)
def pod_security(item: Object, world: World) -> Iterator[Cause]:
    """The namespace enforces a Pod Security level that the pod template does not meet."""
    for answer, found in _said(item, world, _SECURITY):
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
            {"level": level, "said": found["said"].strip(), "label": str(label)},
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
    for answer, found in _said(item, world, pattern):
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
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/security/service-accounts/",
)
def no_service_account(item: Object, world: World) -> Iterator[Cause]:
    """The pod template names a ServiceAccount that is not there."""
    for name, cause in _missing(item, world, _ACCOUNT, r.SERVICEACCOUNTS, "account"):
        make = low_risk(f"kubectl create serviceaccount {name} -n {namespace_of(item)}")
        steps = (*cause.steps, make) if cause.variant == "cause" else cause.steps
        yield Cause(cause.values, cause.evidence, steps, cause.variant, root=cause.root)


@BOOK.rule(
    "KC5155",
    numbers=(155,),
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/scheduling-eviction/pod-priority-preemption/",
)
def no_priority_class(item: Object, world: World) -> Iterator[Cause]:
    """The pod template names a PriorityClass that is not there."""
    for _, cause in _missing(item, world, _PRIORITY, r.PRIORITYCLASSES, "class"):
        steps = (*cause.steps, change(text=say("rule_controller.kc5155.do")))
        yield Cause(cause.values, cause.evidence, steps, cause.variant, root=cause.root)


@BOOK.rule(
    "KC5156",
    numbers=(156,),
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.NAMESPACE,
    read=_DOCS + "concepts/overview/working-with-objects/namespaces/",
)
def namespace_ends(item: Object, world: World) -> Iterator[Cause]:
    """Nothing can be made in a namespace that is being deleted."""
    for answer, found in _said(item, world, _TERMINATING):
        yield Cause(
            {"where": found["where"]},
            (answer.evidence,),
            (inspect(f"kubectl get namespace {found['where']} -o yaml"),),
            root=Ref("Namespace", found["where"]),
        )


@BOOK.rule(
    "KC5157",
    numbers=(157,),
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/containers/runtime-class/",
)
def no_runtime_class(item: Object, world: World) -> Iterator[Cause]:
    """The pod template names a RuntimeClass that is not there, or an overhead that is not the class's."""
    for _, cause in _missing(item, world, _RUNTIME, r.RUNTIMECLASSES, "class"):
        steps = (*cause.steps, change(text=say("rule_controller.kc5157.do")))
        yield Cause(cause.values, cause.evidence, steps, cause.variant, root=cause.root)
    for answer, _ in _said(item, world, _OVERHEAD):
        steps = (inspect("kubectl get runtimeclasses"), change(text=say("rule_controller.kc5157.do_overhead")))
        yield Cause({}, (answer.evidence,), steps, variant="cause_overhead")


@BOOK.rule(
    "KC5256",
    kind=MAKERS,
    severity=Severity.CRITICAL,
    rank=Rank.ADMISSION,
    read=_DOCS + "concepts/workloads/controllers/",
)
def refused_otherwise(item: Object, world: World) -> Iterator[Cause]:
    """The API server refuses the pods with words that no rule knows: told as they are."""
    answer = refused(item, world)
    if answer is not None and not any(pattern.search(answer.message) for pattern in _KNOWN):
        yield Cause(
            {"kind": about(item).kind, "said": answer.message},
            (answer.evidence,),
            (inspect(_describe(item)), change(text=say("rule_controller.kc5256.do"))),
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
        (inspect(_describe(item)), inspect("kubectl get lease kube-controller-manager -n kube-system")),
    )
