"""PodTopologySpread: constraints with whenUnsatisfiable DoNotSchedule.

Facts from pkg/scheduler/framework/plugins/podtopologyspread of Kubernetes 1.36: domains are counted over the nodes
that carry the keys of all constraints and that the constraint's policies admit (node affinity is honoured unless it
says otherwise, taints are ignored unless it says otherwise); pods that are being deleted do not count, nor does any
pod under an empty selector; with fewer domains than minDomains the least counts as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import labels_of, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Evidence
from kcompanion.model.refs import Ref
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.affinity import pod_wants
from kcompanion.scheduling.result import NOTHING_ASKED, Miss, Result, missed
from kcompanion.scheduling.state import State, lazily
from kcompanion.scheduling.taints import untolerated


@dataclass(frozen=True)
class Constraint:
    """A constraint with its pods counted by domain."""

    key: str
    skew: int
    least_domains: int
    selector: Mapping[str, Any] | None
    counts: Mapping[str, int]
    itself: int  # 1 when the pod matches its own selector

    @property
    def least(self) -> int:
        """The number of matching pods in the emptiest domain."""
        return 0 if len(self.counts) < self.least_domains else min(self.counts.values(), default=0)

    @property
    def emptiest(self) -> str:
        """The domains where the fewest pods are, in words."""
        least = min(self.counts.values(), default=0)
        return ", ".join(sorted(domain for domain, count in self.counts.items() if count == least)[:3])


def topology_spread(pod: Object, state: State) -> Callable[[Object], Result]:
    """PodTopologySpread."""
    asked = [c for c in maps_at(pod, "spec", "topologySpreadConstraints") if _hard(c)]
    keys = [text_at(one, "topologyKey") for one in asked]
    counted = lazily(lambda: [_counted(one, keys, pod, state) for one in asked])

    def on(node: Object) -> Result:
        if not asked:
            return NOTHING_ASKED
        misses = (_miss(constraint, node, pod) for constraint in counted())
        return missed(*(miss for miss in misses if miss is not None))

    return on


def _hard(constraint: Mapping[str, Any]) -> bool:
    return (text_at(constraint, "whenUnsatisfiable") or "DoNotSchedule") == "DoNotSchedule"


def _counted(asked: Mapping[str, Any], keys: list[str], pod: Object, state: State) -> Constraint:
    selector = _selector(asked, pod)
    counts: dict[str, int] = {}
    key = text_at(asked, "topologyKey")
    for name, node in state.nodes.items():
        labels = labels_of(node)
        if any(one not in labels for one in keys) or not _admitted(asked, pod, node):
            continue
        found = sum(_counts(other, selector, pod) for other in state.pods_on(name, pod)) if selector else 0
        counts[str(labels[key])] = counts.get(str(labels[key]), 0) + found
    domains = asked.get("minDomains")
    return Constraint(
        key,
        skew if isinstance(skew := asked.get("maxSkew"), int) else 1,
        domains if isinstance(domains, int) else 1,
        selector,
        counts,
        int(selects(selector, labels_of(pod))),
    )


def _selector(asked: Mapping[str, Any], pod: Object) -> Mapping[str, Any] | None:
    """The label selector with matchLabelKeys worked in; None takes nothing."""
    selector = asked.get("labelSelector")
    if not isinstance(selector, Mapping):
        return None
    own = {key: labels_of(pod)[key] for key in texts_at(asked, "matchLabelKeys") if key in labels_of(pod)}
    return {**selector, "matchLabels": {**map_at(selector, "matchLabels"), **own}} if own else selector


def _admitted(asked: Mapping[str, Any], pod: Object, node: Object) -> bool:
    if (text_at(asked, "nodeAffinityPolicy") or "Honor") == "Honor" and not pod_wants(pod, node):
        return False
    return text_at(asked, "nodeTaintsPolicy") != "Honor" or not untolerated(pod, node)


def _counts(other: Object, selector: Mapping[str, Any], pod: Object) -> bool:
    if namespace_of(other) != namespace_of(pod) or text_at(other, "metadata", "deletionTimestamp"):
        return False
    empty = not (selector.get("matchLabels") or selector.get("matchExpressions"))
    return not empty and selects(selector, labels_of(other))


def _miss(constraint: Constraint, node: Object, pod: Object) -> Miss | None:
    name, labels = name_of(node), labels_of(node)
    own = Ref("Pod", name_of(pod), namespace_of(pod))
    if constraint.key not in labels:
        evidence = Evidence(str(Ref("Node", name)), f"metadata.labels[{constraint.key}]", "-")
        return Miss("spread_label", 72, {"key": constraint.key, "node": name}, (evidence,))
    domain = str(labels[constraint.key])
    there = constraint.counts.get(domain, 0)
    if there + constraint.itself - constraint.least <= constraint.skew:
        return None
    values = {
        "key": constraint.key,
        "domain": domain,
        "there": there,
        "after": there + constraint.itself,
        "least": constraint.least,
        "emptiest": constraint.emptiest or "-",
        "skew": constraint.skew,
        "selector": selector_text(constraint.selector),
        "node": name,
    }
    counted = ", ".join(f"{where}: {count}" for where, count in sorted(constraint.counts.items())[:6])
    return Miss("spread", 72, values, (Evidence(str(own), "spec.topologySpreadConstraints", counted),))
