"""Namespaces that do not go away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, name_of, text_at, texts_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import KNOWN
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_namespace")
_FRESH = 30  # seconds that emptying a namespace may take
# "Some resources are remaining: configmaps. has 1 resource instances, pods. has 2 resource instances":
# k8s.io/kubernetes/pkg/controller/namespace/deletion/status_condition_utils.go
_REMAINING = re.compile(r"(\S+) has (\d+) resource instances")
_RESOURCES = {f"{one.plural}.{one.group}": one for one in KNOWN if one.namespaced}
_SHOWN = 3


@BOOK.rule(
    "KC5265",
    kind="Namespace",
    severity=Severity.CRITICAL,
    rank=Rank.NAMESPACE,
    read="https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/",
)
def terminating(item: Object, world: World) -> Iterator[Cause]:
    """A namespace that is deleted but cannot be emptied: finalizers, failed deletions, an API that does not answer."""
    deleted = text_at(item, "metadata", "deletionTimestamp")
    age = world.since(deleted)
    if age is None or age < _FRESH:
        return
    ref = ref_of(item, "Namespace")
    broken = _broken_apis(item, world)
    start = seen(ref, "metadata.deletionTimestamp", deleted, deleted)
    if broken:
        api = next(iter(broken))
        steps = (inspect(f"kubectl get apiservice {api}"), change(text=say("rule_namespace.kc5265.do_api", api=api)))
        evidence = (*broken.values(), _told(ref, item, "NamespaceDeletionDiscoveryFailure"), start)
        yield Cause({"api": api}, evidence, steps, variant="cause_api", root=Ref("APIService", api))
        return
    for type_, variant in (
        ("NamespaceFinalizersRemaining", "cause_finalizers"),
        ("NamespaceDeletionContentFailure", "cause_content"),
        ("NamespaceDeletionDiscoveryFailure", "cause_content"),
        ("NamespaceContentRemaining", "cause_remaining"),
    ):
        found = condition(item, type_)
        if found.get("status") == "True":
            held = tuple(_held(condition(item, "NamespaceContentRemaining"), ref.name, world))
            values = {"said": text_at(found, "message"), "objects": ", ".join(e.source for e in held) or "-"}
            shown = variant if held or variant != "cause_finalizers" else "cause_finalizers_unseen"
            yield Cause(
                values,
                (_told(ref, item, type_), *held, start),
                (
                    inspect(
                        "kubectl api-resources --verbs=list --namespaced -o name | "
                        f"xargs -n1 kubectl get -n {ref.name} --ignore-not-found --show-kind --no-headers"
                    ),
                    change(text=say("rule_namespace.kc5265.do")),
                ),
                variant=shown,
            )
            return
    own = [name for name in texts_at(item, "spec", "finalizers") if name != "kubernetes"]
    if own:
        evidence = (seen(ref, "spec.finalizers", ", ".join(own)), start)
        step = change(text=say("rule_namespace.kc5265.do"))
        look = inspect(f"kubectl get namespace {ref.name} -o yaml")
        yield Cause({"finalizers": ", ".join(own)}, evidence, (look, step), variant="cause_own")


def _told(ref: Ref, item: Object, type_: str) -> Evidence:
    found = condition(item, type_)
    return seen(ref, f"status.conditions[{type_}]", text_at(found, "message"), text_at(found, "lastTransitionTime"))


def _broken_apis(item: Object, world: World) -> Mapping[str, Evidence]:
    """The aggregated APIs that do not answer, when that keeps the namespace from being emptied."""
    failed = condition(item, "NamespaceDeletionDiscoveryFailure")
    if failed.get("status") != "True":
        return {}
    said = text_at(failed, "message")
    broken: dict[str, Evidence] = {}
    try:
        services = world.all(r.APISERVICES)
    except NotKnown:
        return {}
    for service in services:
        available = condition(service, "Available")
        group = f"{text_at(service, 'spec', 'group')}/{text_at(service, 'spec', 'version')}"
        if available.get("status") == "False" and group in said:
            name = name_of(service)
            words = f"False {text_at(available, 'reason')}"
            since = text_at(available, "lastTransitionTime")
            broken[name] = seen(Ref("APIService", name), "status.conditions[Available]", words, since)
    return broken


def _held(remaining: Object, space: str, world: World) -> Iterator[Evidence]:
    """The objects that finalizers keep, of the kinds that the condition names."""
    shown = 0
    for name, _ in _REMAINING.findall(text_at(remaining, "message")):
        resource = _RESOURCES.get(name)
        if resource is None:
            continue
        for one in world.all(resource, space):
            finalizers = texts_at(one, "metadata", "finalizers")
            if finalizers and dig(one, "metadata", "deletionTimestamp") and shown < _SHOWN:
                shown += 1
                yield seen(ref_of(one, resource.kind), "metadata.finalizers", ", ".join(finalizers))
