"""Who is whose parent among the objects that were listed, and which parents tell what ails their children."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from kcompanion.explain.judge import CHILDREN
from kcompanion.explain.lifting import speaking
from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.refs import Ref, parse_ref, ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World


class Family:
    """Parents, grandparents and Services of what was listed, without asking for any more."""

    def __init__(self, world: World, kinds: Iterable[Resource], namespace: str) -> None:
        self._world = world
        self._parents: dict[str, tuple[str, str]] = {}  # and the uid that the child knows
        self._services: dict[str, list[tuple[Mapping[str, object], str]]] = defaultdict(list)
        self._labels: dict[str, tuple[str, Mapping[str, object]]] = {}
        self._listed: dict[str, Object] = {}
        self._whole: set[str] = set()  # kinds of which every object is known
        for resource in kinds:
            for item in world.seen(resource, namespace):
                self._add(item, resource)
            try:
                world.all(resource, namespace)
            except NotKnown:
                continue
            self._whole.add(resource.kind)

    def _add(self, item: Object, resource: Resource) -> None:
        subject = ref_of(item, resource.kind).subject
        self._listed[subject] = item
        for reference in maps_at(item, "metadata", "ownerReferences"):
            if reference.get("controller") is True:
                kind = text_at(reference, "kind")
                outside = kind == "Node"  # static pods
                owner = Ref(kind, text_at(reference, "name"), "" if outside else namespace_of(item))
                self._parents[subject] = owner.subject, text_at(reference, "uid")
        if resource is r.PODS:
            self._labels[subject] = namespace_of(item), labels_of(item)
        elif resource is r.SERVICES and (selector := map_at(item, "spec", "selector")):
            self._services[namespace_of(item)].append((selector, subject))

    def _parent(self, subject: str) -> str:
        """The controlling owner; none where it is known to be gone, or to be another object of the same name."""
        parent, uid = self._parents.get(subject, ("", ""))
        held = self._listed.get(parent)
        if held is None:
            return "" if parent.partition("/")[0] in self._whole else parent
        return parent if text_at(held, "metadata", "uid") in ("", uid) else ""

    def ancestors(self, subject: str) -> Iterator[str]:
        """Parent, grandparent and so on, without nodes."""
        seen = {subject}
        while (subject := self._parent(subject)) and subject not in seen:
            if subject.startswith("Node/"):
                return
            seen.add(subject)
            yield subject

    def top(self, subject: str) -> str:
        """The topmost owner, or the object itself."""
        return [subject, *self.ancestors(subject)][-1]

    def services(self, subject: str) -> Iterator[str]:
        """The Services that select a pod."""
        space, labels = self._labels.get(subject, ("", {}))
        for selector, service in self._services.get(space, ()):
            if all(labels.get(key) == value for key, value in selector.items()):
                yield service

    def tells(self, root: str, subject: str) -> bool:
        """Whether the explanation of a root tells what ails an object: it is the object, or speaks for it."""
        return root == subject or (root in self.ancestors(subject) and root in self._speakers(subject))

    def speaker(self, subject: str) -> str:
        """The topmost object that tells what ails this one: people know their Deployments, not the ReplicaSets."""
        return list(self._speakers(subject))[-1]

    def _speakers(self, subject: str) -> Iterator[str]:
        yield subject
        for child, parent in pairwise([subject, *self.ancestors(subject)]):
            if not self._tells(parent, child):
                return
            yield parent

    def _tells(self, parent: str, child: str) -> bool:
        owner, name = self._listed.get(parent), parse_ref(child).name
        if owner is None:
            return False
        kind = parse_ref(parent).kind
        for resource in CHILDREN.get(kind, ()):
            try:
                children = self._world.children(owner, resource)
            except NotKnown:
                continue
            if any(name_of(one) == name for one in speaking(owner, kind, children)):
                return True
        return False
