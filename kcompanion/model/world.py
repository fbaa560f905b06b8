"""A World: what is known of a cluster, looked up object by object, with "no" kept apart from "not known".

Judging code asks it for whatever it needs. What nobody asked the cluster yet is put on the list of what is `wanted`
and the judgement is broken off; the edge reads what is wanted and judges anew, until nothing more is wanted. So
every explanation costs just the requests it needs, and the code that judges stays a pure function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from kcompanion.model.ask import Ask, Outcome, Reading, Verb, getting, listing, log_tail
from kcompanion.model.events import Event, event_of
from kcompanion.model.fields import labels_of, maps_at, name_of, namespace_of, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.resources import EVENTS, PODS, Resource
from kcompanion.model.selectors import matches
from kcompanion.model.snapshot import Gap, Object, Snapshot, gap_of
from kcompanion.model.times import seconds_between

Index = Mapping[tuple[str, str], Object]
T = TypeVar("T")
_LOG_IS_GONE = "unable to retrieve container logs for "  # the kubelet says so with code 200, as if it were the log


class NotKnown(Exception):
    """What was asked of the World is not known; `gap` says why."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.what)
        self.gap = gap


class World:
    """Look-ups in a snapshot. Every method that needs something unread raises NotKnown and notes what is wanted."""

    def __init__(self, snapshot: Snapshot, *, logs: bool = False) -> None:
        self.snapshot = snapshot
        self.logs = logs  # whether the last lines of crashed containers may be read
        self.wanted: dict[str, Ask] = {}
        self.wishes = 0  # how often something unread was wanted; the same thing counts each time
        # by id of a reading: the snapshot keeps them all, and a question's key takes longer to spell than to look up
        self._indexes: dict[int, Index] = {}
        self._whole: dict[int, Sequence[Object]] = {}
        self._spaces: dict[int, Mapping[str, list[Object]]] = {}
        self._lists: dict[tuple[Resource, str | None, bool], Reading | None] = {}
        self._single = frozenset(
            (reading.ask.resource, reading.ask.name)
            for reading in snapshot.readings.values()
            if reading.ask.verb is Verb.GET
        )
        self._by_node: Mapping[str, list[Object]] | None = None
        self._children: dict[str, Mapping[str, list[Object]]] = {}
        self._events: dict[str, Mapping[tuple[str, str, str], list[Event]]] = {}
        self._made: dict[Callable[[World], Any], Any] = {}

    def once(self, work: Callable[[World], T]) -> T:
        """What a function makes of this World, worked out at the first call; what raises is tried again."""
        if work not in self._made:
            self._made[work] = work(self)
        found: T = self._made[work]
        return found

    @property
    def now(self) -> datetime:
        return self.snapshot.now

    def since(self, moment: object) -> int | None:
        """Whole seconds since an API time, None when there is none."""
        return seconds_between(moment, self.now)

    # ------------------------------------------------------------------------------------- objects

    def get(self, resource: Resource, name: str, namespace: str = "", *, managed: bool = False) -> Object | None:
        """An object by name, or None when there is surely none; `managed` wants it with its managedFields.

        Raises:
            NotKnown: it was not read, or could not be.
        """
        space = (namespace or None) if resource.namespaced else None
        one = self._one(resource, name, space, managed=managed)
        if one is not None:
            if isinstance(one.body, dict):
                return one.body
            if one.outcome is Outcome.ABSENT:
                return None
        listed = self._listed(resource, space, managed=managed)
        if listed is not None:
            found = self._index(listed).get((space or "", name))
            if found is not None:
                return found
            if listed.ok:
                return None
        if one is not None:
            raise NotKnown(gap_of(one))
        raise self._want(getting(resource, name, space, keep_managed_fields=managed))

    def all(self, resource: Resource, namespace: str = "", selector: str = "") -> Sequence[Object]:
        """All objects of a namespace, or of the cluster.

        Raises:
            NotKnown: they were not listed, or not all of them.
        """
        space = (namespace or None) if resource.namespaced else None
        listed = self._listed(resource, space)
        if listed is None:
            raise self._want(listing(resource, space))
        if not listed.ok and listed.outcome is not Outcome.ABSENT:  # an API that is not served holds no objects
            raise NotKnown(gap_of(listed))
        found = self._space(listed, space)
        return [item for item in found if matches(selector, labels_of(item))] if selector else found

    def metadata(self, resource: Resource, namespace: str = "") -> Sequence[Object]:
        """At least the metadata of all objects of a namespace, or of the cluster: names, labels and owners.

        Raises:
            NotKnown: they were not listed, or not all of them.
        """
        space = (namespace or None) if resource.namespaced else None
        whole = self._listed(resource, space)
        if whole is not None and whole.ok:
            return self._space(whole, space)
        bare = [listing(resource, one, metadata_only=True) for one in dict.fromkeys((space, None))]
        listed = self._reading(*bare)
        if listed is None:
            raise self._want(bare[0])
        if not listed.ok and listed.outcome is not Outcome.ABSENT:
            raise NotKnown(gap_of(listed))
        return self._space(listed, space)

    def seen(self, resource: Resource, namespace: str = "") -> Sequence[Object]:
        """Whatever objects were listed, be it all or not; wants nothing."""
        listed = self._listed(resource, (namespace or None) if resource.namespaced else None)
        return () if listed is None else self._space(listed, namespace or None)

    def children(self, owner: Object, resource: Resource) -> Sequence[Object]:
        """The objects of a resource whose controller reference names this object, in its namespace (or any).

        Raises:
            NotKnown: they could not all be listed.
        """
        uid = text_at(owner, "metadata", "uid")
        space = namespace_of(owner)
        self.all(resource, space)
        listed = self._listed(resource, space or None)
        if listed is None or not uid:
            return ()
        key = listed.ask.key
        if key not in self._children:
            made: dict[str, list[Object]] = {}
            for item in _items(listed):
                for reference in maps_at(item, "metadata", "ownerReferences"):
                    if reference.get("controller") is True:
                        made.setdefault(text_at(reference, "uid"), []).append(item)
            self._children[key] = made
        return self._children[key].get(uid, ())

    def pods_on(self, node: str) -> Sequence[Object]:
        """The pods bound to a node.

        Raises:
            NotKnown: they could not all be listed.
        """
        everywhere = self._listed(PODS, None)
        if everywhere is not None and everywhere.ok:
            if self._by_node is None:
                made: dict[str, list[Object]] = {}
                for item in _items(everywhere):
                    made.setdefault(text_at(item, "spec", "nodeName"), []).append(item)
                self._by_node = made
            return self._by_node.get(node, ())
        ask = listing(PODS, fields=f"spec.nodeName={node}")
        reading = self._reading(ask)
        if reading is None:
            raise self._want(ask)
        if not reading.ok:
            raise NotKnown(gap_of(reading))
        return tuple(_items(reading))

    # ------------------------------------------------------------------------- events and log lines

    def events(self, ref: Ref, uid: str = "") -> Sequence[Event]:
        """The events about an object, the latest last. Events live about an hour, so none proves nothing.

        Raises:
            NotKnown: they could not be listed.
        """
        space = ref.namespace or "default"  # events about objects without a namespace are kept there
        fields = f"involvedObject.kind={ref.kind},involvedObject.name={ref.name}"
        narrow = listing(EVENTS, space, fields=fields)
        reading = self._reading(narrow)
        if reading is None or not reading.ok:
            wide = self._listed(EVENTS, space)
            reading = wide if wide is not None and (wide.ok or reading is None) else reading
        if reading is None:
            raise self._want(narrow)
        if not reading.ok:
            raise NotKnown(gap_of(reading))
        found = self._events_by_object(reading).get((ref.kind, ref.namespace, ref.name), ())
        return [event for event in found if not uid or event.uid in ("", uid, ref.name)]

    def log(self, pod: Object, container: str, *, previous: bool) -> Sequence[str] | None:
        """The last lines of a container's log; None where logs are not to be read or there is none.

        The kubelet keeps one ended run of a container. Once the next has ended too, which the status tells a moment
        later, the log asked for is gone: the latest words are those of the newest run.

        Raises:
            NotKnown: it was not read, or could not be.
        """
        if not self.logs:
            return None
        ask = log_tail(namespace_of(pod), name_of(pod), container, previous=previous)
        reading = self._reading(ask)
        if reading is None:
            raise self._want(ask)
        if reading.outcome is Outcome.NOT_ASKED:  # recordings hold log lines only where somebody asked for that
            return None
        if not reading.ok:
            raise NotKnown(gap_of(reading))
        if reading.status != 200 or not isinstance(reading.body, str):
            return None
        if reading.body.startswith(_LOG_IS_GONE):
            return self.log(pod, container, previous=False) if previous else None
        return reading.body.splitlines()

    # ------------------------------------------------------------------------------------ readings

    def ask(self, ask: Ask) -> Reading:
        """The answer to any question (`/version`, a review).

        Raises:
            NotKnown: it was not asked, or not answered. Absent is an answer.
        """
        reading = self._reading(ask)
        if reading is None:
            raise self._want(ask)
        if not reading.ok and reading.outcome is not Outcome.ABSENT:
            raise NotKnown(gap_of(reading))
        return reading

    def _want(self, ask: Ask) -> NotKnown:
        self.wanted[ask.key] = ask
        self.wishes += 1
        return NotKnown(gap_of(Reading(ask, Outcome.NOT_ASKED)))

    def _one(self, resource: Resource, name: str, namespace: str | None, *, managed: bool) -> Reading | None:
        if (resource, name) not in self._single:
            return None
        keeps = _keeps(managed)
        return self._reading(*(getting(resource, name, namespace, keep_managed_fields=keep) for keep in keeps))

    def _reading(self, exact: Ask, *wider: Ask) -> Reading | None:
        """The best answer to a question. That a recording lacks a wider one answers nothing: `exact` may be in it."""
        readings = self.snapshot.readings
        held = [readings[ask.key] for ask in (exact, *wider) if ask.key in readings]
        held = [one for one in held if one.outcome is not Outcome.NOT_ASKED or one.ask == exact]
        return next((reading for reading in held if reading.ok), held[0] if held else None)

    def _listed(self, resource: Resource, namespace: str | None, *, managed: bool = False) -> Reading | None:
        place = resource, namespace, managed
        if place not in self._lists:
            spaces = dict.fromkeys((namespace, None))
            asks = [listing(resource, s, keep_managed_fields=keep) for s in spaces for keep in _keeps(managed)]
            self._lists[place] = self._reading(*asks)
        return self._lists[place]

    def _index(self, listed: Reading) -> Index:
        key = id(listed)
        if key not in self._indexes:
            self._indexes[key] = {(namespace_of(item), name_of(item)): item for item in _items(listed)}
        return self._indexes[key]

    def _space(self, listed: Reading, namespace: str | None) -> Sequence[Object]:
        key = id(listed)
        if namespace is None or listed.ask.namespace == namespace:
            if key not in self._whole:
                self._whole[key] = tuple(_items(listed))
            return self._whole[key]
        if key not in self._spaces:
            made: dict[str, list[Object]] = {}
            for item in _items(listed):
                made.setdefault(namespace_of(item), []).append(item)
            self._spaces[key] = made
        return self._spaces[key].get(namespace, ())

    def _events_by_object(self, reading: Reading) -> Mapping[tuple[str, str, str], list[Event]]:
        key = reading.ask.key
        if key not in self._events:
            made: dict[tuple[str, str, str], list[Event]] = {}
            for event in sorted(map(event_of, _items(reading)), key=lambda e: (e.last, e.reason)):
                made.setdefault((event.kind, event.namespace, event.name), []).append(event)
            self._events[key] = made
        return self._events[key]


def _keeps(managed: bool) -> tuple[bool, ...]:
    """Whether managedFields are kept, of the questions that will do: what has them answers one without them too."""
    return (True,) if managed else (False, True)


def _items(reading: Reading) -> Iterator[Any]:
    body = reading.body if isinstance(reading.body, list) else ()
    return (item for item in body if isinstance(item, Mapping))
