"""InterPodAffinity: required affinity and anti-affinity of the pod, and the anti-affinity of the pods there.

Facts from pkg/scheduler/framework/plugins/interpodaffinity of Kubernetes 1.36: a pod counts for affinity only if it
matches all terms; where no pod at all matches and the pod matches its own terms, it may be the first one; without
namespaces and namespaceSelector a term means the pod's own namespace, an empty namespaceSelector all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Evidence
from kcompanion.model.refs import Ref
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.result import MET, NOTHING_ASKED, Miss, Result, missed
from kcompanion.scheduling.state import REQUIRED, State, lazily, same

Term = Mapping[str, Any]
Domain = tuple[str, str]  # topology key and value


class Neighbours:
    """The pods that matter to one pod, by the domain they are in."""

    def __init__(self, pod: Object, state: State) -> None:
        self.pod = pod
        self.state = state
        self.wanted = list(maps_at(pod, "spec", "affinity", "podAffinity", REQUIRED))
        self.avoided = list(maps_at(pod, "spec", "affinity", "podAntiAffinity", REQUIRED))
        self.friends: set[Domain] = set()
        self.foes: dict[tuple[int, Domain], Object] = {}  # by the term's place in the list
        self.guards: dict[Domain, tuple[Object, Term]] = {}
        self._look()

    def _look(self) -> None:
        if self.wanted or self.avoided:
            placed = bool(text_at(self.pod, "spec", "nodeName"))
            for other, name in self.state.bound:
                if not (placed and same(other, self.pod)):
                    self._meet(other, self._labels(name))
        for guard in self.state.anti_terms:
            if not same(guard.pod, self.pod) and matches(guard.term, guard.pod, self.pod, self.state):
                where = _domain(guard.term, self._labels(guard.node))
                if where:
                    self.guards.setdefault(where, (guard.pod, guard.term))

    def _meet(self, other: Object, labels: Mapping[str, Any]) -> None:
        if self.wanted and all(matches(term, self.pod, other, self.state) for term in self.wanted):
            self.friends.update(filter(None, (_domain(term, labels) for term in self.wanted)))
        for place, term in enumerate(self.avoided):
            where = _domain(term, labels)
            if where and matches(term, self.pod, other, self.state):
                self.foes.setdefault((place, where), other)

    def _labels(self, node: str) -> Mapping[str, Any]:
        return labels_of(self.state.nodes.get(node, {}))

    def misses(self, node: Object) -> list[Miss]:
        labels = labels_of(node)
        found = self._missing_friends(node, labels)
        for place, term in enumerate(self.avoided):
            foe = self.foes.get((place, _domain(term, labels) or ("", "")))
            if foe is not None:
                found.append(self._foe(term, foe, labels))
        for key, value in labels.items():
            guard = self.guards.get((key, str(value)))
            if guard is not None:
                found.append(self._guard(*guard, key, str(value)))
        return found

    def _missing_friends(self, node: Object, labels: Mapping[str, Any]) -> list[Miss]:
        for term in self.wanted:
            if _domain(term, labels) is None:
                key = text_at(term, "topologyKey")
                evidence = Evidence(str(Ref("Node", name_of(node))), f"metadata.labels[{key}]", "-")
                return [Miss("friend_label", 69, {"key": key, "node": name_of(node)}, (evidence,))]
        lonely = [term for term in self.wanted if _domain(term, labels) not in self.friends]
        if not lonely or (not self.friends and all(matches(t, self.pod, self.pod, self.state) for t in self.wanted)):
            return []
        term = lonely[0]
        values = {"selector": selector_text(term.get("labelSelector")) or "-", **self._where(term, labels)}
        path = f"spec.affinity.podAffinity.{REQUIRED}[].labelSelector"
        return [Miss("friend", 69, values, (self._own(path, values["selector"]),))]

    def _foe(self, term: Term, foe: Object, labels: Mapping[str, Any]) -> Miss:
        other = Ref("Pod", name_of(foe), namespace_of(foe))
        selector = selector_text(term.get("labelSelector")) or "-"
        values = {"selector": selector, "holder": other.place, **self._where(term, labels)}
        path = f"spec.affinity.podAntiAffinity.{REQUIRED}[].labelSelector"
        on_node = Evidence(str(other), "spec.nodeName", text_at(foe, "spec", "nodeName"))
        return Miss("foe", 70, values, (self._own(path, selector), on_node))

    def _guard(self, guard: Object, term: Term, key: str, domain: str) -> Miss:
        other = Ref("Pod", name_of(guard), namespace_of(guard))
        selector = selector_text(term.get("labelSelector")) or "-"
        values = {"selector": selector, "holder": other.place, "key": key, "domain": domain}
        path = f"spec.affinity.podAntiAffinity.{REQUIRED}[].labelSelector"
        return Miss("guard", 71, values, (Evidence(str(other), path, selector),))

    def _where(self, term: Term, labels: Mapping[str, Any]) -> dict[str, str]:
        key = text_at(term, "topologyKey")
        return {"key": key, "domain": str(labels.get(key, "-"))}

    def _own(self, path: str, value: str) -> Evidence:
        return Evidence(str(Ref("Pod", name_of(self.pod), namespace_of(self.pod))), path, value)


def inter_pod_affinity(pod: Object, state: State) -> Callable[[Object], Result]:
    """InterPodAffinity."""
    neighbours = lazily(lambda: Neighbours(pod, state))

    def on(node: Object) -> Result:
        near = neighbours()
        if not (near.wanted or near.avoided or near.guards):
            return NOTHING_ASKED
        found = near.misses(node)
        return missed(*found) if found else MET

    return on


def matches(term: Term, owner: Object, target: Object, state: State) -> bool:
    """Whether a term of the pod `owner` means the pod `target`."""
    selector = term.get("labelSelector")
    if not selects(selector, labels_of(target)):
        return False
    space, listed, chosen = namespace_of(target), texts_at(term, "namespaces"), term.get("namespaceSelector")
    if not listed and chosen is None:
        return space == namespace_of(owner)
    if space in listed:
        return True
    if not isinstance(chosen, Mapping):
        return False
    if not (chosen.get("matchLabels") or chosen.get("matchExpressions")):
        return True
    return selects(chosen, labels_of(state.world.get(r.NAMESPACES, space) or {}))


def _domain(term: Term, labels: Mapping[str, Any]) -> Domain | None:
    key = text_at(term, "topologyKey")
    return (key, str(labels[key])) if key in labels else None
