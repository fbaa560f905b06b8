"""Every way a small world can go, one after the other.

Between two syncs any of these may happen: the next change of a watch is delivered, the controller syncs, it dies and
comes back, somebody meddles. Within a sync, at every step: a request fails (refused, or served and the answer lost),
the controller dies after any number of its requests, any number of changes is delivered before the answers.

Worlds are copied at every fork. Two that differ in names and versions only are the same and looked at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kcompanion.reconcile.pod import Pod, pod_of
from kcompanion.reconcile.requests import AdoptPod, Answer, CreatePod, DeletePod, ListPods, Request
from kcompanion.reconcile.simulate.cluster import KINDS, Cluster
from kcompanion.reconcile.simulate.server import Change
from kcompanion.reconcile.steps import Step
from kcompanion.reconcile.target import Key

KEY = Key("shop", "web")
LABELS = {"app": "web"}
Meddling = Callable[[Cluster], None]


class Broken(AssertionError):
    """The core did what it must never do."""


class Died(Exception):
    """The controller ends in the middle of a sync."""


class SeenBefore(Exception):
    """From here on a sync goes as another did."""


@dataclass
class World:
    """A cluster, and what may still go wrong in it."""

    cluster: Cluster
    crashes: int
    failures: int
    meddling: Meddling | None = None
    trail: tuple[str, ...] = ()

    def fork(self, told: str) -> World:
        return World(self.cluster.copy(), self.crashes, self.failures, self.meddling, (*self.trail, told))

    def meddle(self) -> None:
        """Somebody does something, once."""
        assert self.meddling is not None
        self.trail += ("meddle",)
        self.meddling(self.cluster)
        self.meddling = None


@dataclass
class Chooser:
    """Replays a list of choices and then takes the first of each; `advance` goes to the next list."""

    path: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    at: int = 0

    def pick(self, width: int) -> int:
        if self.at == len(self.path):
            self.path.append(0)
            self.widths.append(width)
        self.at += 1
        return self.path[self.at - 1]

    def advance(self) -> bool:
        self.at = 0
        while self.path and self.path[-1] + 1 == self.widths[-1]:
            self.path.pop()
            self.widths.pop()
        if not self.path:
            return False
        self.path[-1] += 1
        return True


def successors(world: World, sight: Sight) -> Iterator[World]:
    """Every world that may come next."""
    for kept in KINDS:
        if world.cluster.server.undelivered[kept]:
            other = world.fork(f"deliver {kept}")
            other.cluster.deliver(kept)
            yield other
    if world.crashes:
        other = world.fork("crash")
        other.crashes -= 1
        other.cluster.restart()
        yield other
    if world.meddling:
        other = world.fork("")
        other.meddle()
        yield other
    if KEY in world.cluster.queue:
        chooser, seen = Chooser(), dict[Hashable, tuple[int, ...]]()
        while True:
            if after := synced(world, chooser, sight, seen):
                yield after
            if not chooser.advance():
                break


def synced(world: World, chooser: Chooser, sight: Sight, seen: dict[Hashable, tuple[int, ...]]) -> World | None:
    """One sync, as the chooser has it; None if it goes on as one that was seen before."""
    other = world.fork("sync")
    owner = other.cluster.store.owner(KEY)
    asked = owner.replicas if owner else 0
    past: list[Hashable] = []

    def serve(step: Step) -> tuple[Answer, ...]:
        if not step.requests:  # events only
            return ()
        answers = _served(other, step, asked, chooser)
        # what a sync knows: the answers so far, and what it saw right after it counted the pods
        now = sight.of(other)
        counted_now = now if isinstance(step.requests[0], ListPods) else None
        past.append((tuple((answer.code, answer.reason) for answer in answers), counted_now))
        way = tuple(chooser.path[: chooser.at])
        if seen.setdefault((*past, now), way) != way:
            raise SeenBefore
        return answers

    try:
        other.cluster.sync(KEY, serve)
    except Died:
        other.cluster.restart()
    except SeenBefore:
        return None
    return other


def _served(world: World, step: Step, asked: int, chooser: Chooser) -> tuple[Answer, ...]:
    requests = step.requests
    dies_after = chooser.pick(len(requests) + 2) - 1 if world.crashes else -1
    if dies_after >= 0:
        world.crashes -= 1
        world.trail += (f"die after {dies_after} of {_names(requests)}",)
        for request in requests[:dies_after]:
            _execute(world, request, asked)
        raise Died
    world.trail += (_names(requests),)
    fault = _fault(world, requests, chooser)
    answers = []
    for i, request in enumerate(requests):
        if (i, "refused") == fault:
            answers.append(Answer(500, message="refused"))
            continue
        answer = _execute(world, request, asked)
        answers.append(Answer(0, message="lost") if (i, "lost") == fault else answer)
    if world.meddling and chooser.pick(2):
        world.meddle()
    for kept in KINDS:
        count = chooser.pick(len(world.cluster.server.undelivered[kept]) + 1)
        world.trail += (f"deliver {count} {kept}",)
        for _ in range(count):
            world.cluster.deliver(kept)
    return tuple(answers)


def _fault(world: World, requests: Sequence[Request], chooser: Chooser) -> tuple[int, str] | None:
    """Which request fails, and how. Of creations made at once it is all the same which one it is."""
    if not world.failures:
        return None
    names = [type(request).__name__ for request in requests]
    which = [i for i, name in enumerate(names) if name != "CreatePod" or names.index(name) == i]
    chosen = chooser.pick(1 + 2 * len(which))
    if not chosen:
        return None
    world.failures -= 1
    fault = which[(chosen - 1) // 2], ("refused", "lost")[chosen % 2]
    world.trail += (f"request {fault[0]} {fault[1]}",)
    return fault


def _execute(world: World, request: Request, asked: int) -> Answer:
    """Serves a request, and looks whether it is one that must never be sent."""
    server = world.cluster.server
    uid = server.owners[KEY]["metadata"]["uid"]
    if isinstance(request, DeletePod | AdoptPod):
        item = server.pods.get(Key(request.namespace, request.name))
        reference = slim(item).controller if item else None
        allowed = (uid,) if isinstance(request, DeletePod) else (uid, None)
        if item is not None and (reference and reference.uid) not in allowed:
            raise Broken(f"{request} is not its own", world.trail)
    answer = server.answer(request)
    if isinstance(request, CreatePod) and (many := counted(world)) > asked:
        raise Broken(f"{many} pods where {asked} were asked for", world.trail)
    return answer


def counted(world: World) -> int:
    """The pods that are its own and fit its selector, as they really are."""
    uid = world.cluster.server.owners[KEY]["metadata"]["uid"]
    pods = [slim(item) for item in world.cluster.server.pods.values()]
    mine = [pod for pod in pods if pod.active and pod.controller and pod.controller.uid == uid]
    return sum(LABELS.items() <= pod.labels.items() for pod in mine)


def _names(requests: Sequence[Request]) -> str:
    return ", ".join(type(request).__name__ for request in requests)


# ---------------------------------------------------------------------------------------- what is the same


class Slim:
    """Pods by the identity of the object they are of, which is never changed."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Pod]] = {}

    def __call__(self, item: Any) -> Pod:
        found = self._known.get(id(item))
        if found is None:
            found = self._known[id(item)] = (item, pod_of(item))
        return found[1]


slim = Slim()


class Sight:
    """What distinguishes two worlds: names, uids and versions only by their order."""

    def of(self, world: World) -> Hashable:
        cluster = world.cluster
        server, store = cluster.server, cluster.store
        lines = [change for change in server.undelivered["pods"]]
        pods = [slim(item) for item in server.pods.values()]
        coming = [(change.type, slim(change.item)) for change in lines]
        known = store.known_pods
        uids = sorted({*(p.uid for p in pods), *(p.uid for _, p in coming), *known}, key=_born)
        order = {uid: i for i, uid in enumerate(uids)}
        expectations = cluster.books.expectations
        pending = expectations.pending(KEY, cluster.now)
        return (
            tuple(sorted((order[p.uid], _shape(p)) for p in pods)),
            tuple((type_, order[p.uid], _shape(p)) for type_, p in coming),
            tuple(sorted((order[uid], _shape(p)) for uid, p in known.items())),
            tuple(_owner(item) for item in server.owners.values()),
            tuple(_owner(change.item) for change in server.undelivered["owners"]),
            pending and (pending.creations, pending.deletions, expectations.doubtful(KEY, cluster.now)),
            tuple(sorted(order.get(uid, -1) for uid in expectations.awaited(KEY))),
            tuple(
                sorted((k, _behind(server.undelivered[k], v)) for k, v in cluster.books.versions.newest(KEY).items())
            ),
            KEY in cluster.queue,
            (world.crashes, world.failures, world.meddling is None),
        )


def _born(uid: str) -> int:
    return int(uid.rpartition("#")[2])


def _shape(pod: Pod) -> tuple[str, bool, bool]:
    return pod.controller.uid if pod.controller else "", LABELS.items() <= pod.labels.items(), pod.deleting


def _owner(item: Any) -> Hashable:
    conditions = tuple(condition["reason"] for condition in item["status"].get("conditions", ()))
    counts = tuple(item["status"].get(name) for name in ("replicas", "terminatingReplicas", "observedGeneration"))
    return item["spec"]["replicas"], item["metadata"]["generation"], counts, conditions


def _behind(lines: Sequence[Change], version: int) -> int:
    """How many lines must be delivered before this version is seen."""
    return sum(int(line.item["metadata"]["resourceVersion"]) <= version for line in lines)


# ------------------------------------------------------------------------------------------ the search


@dataclass
class Explored:
    worlds: int = 0
    ends: int = 0


def explore(start: World) -> Explored:
    """Looks at every world that can come of this one.

    Raises:
        Broken: something happened that must not, or a world cannot come to rest, or rests in a wrong state.
    """
    sight, result = Sight(), Explored()
    first = sight.of(start)
    before: dict[Hashable, set[Hashable]] = {first: set()}  # by what each can be reached
    waiting: deque[tuple[Hashable, World]] = deque([(first, start)])
    ends: list[Hashable] = []
    trails = {first: start.trail}
    while waiting:
        key, world = waiting.pop()
        result.worlds += 1
        if _at_rest(world):
            _check_end(world)
            ends.append(key)
        for other in successors(world, sight):
            seen = sight.of(other)
            if seen not in before:
                before[seen] = set()
                trails[seen] = other.trail
                waiting.append((seen, other))
            before[seen].add(key)
    result.ends = len(ends)
    reaching = set(ends)
    todo = list(ends)
    while todo:
        for key in before[todo.pop()]:
            if key not in reaching:
                reaching.add(key)
                todo.append(key)
    if lost := before.keys() - reaching:
        raise Broken(f"{len(lost)} worlds never come to rest", trails[next(iter(lost))])
    return result


def _at_rest(world: World) -> bool:
    return not any(world.cluster.server.undelivered.values()) and KEY not in world.cluster.queue


def _check_end(world: World) -> None:
    item = world.cluster.server.owners[KEY]
    wanted, status = item["spec"]["replicas"], item["status"]
    if counted(world) != wanted:
        raise Broken(f"at rest with {counted(world)} pods of {wanted}", world.trail)
    if (status["replicas"], status.get("observedGeneration")) != (wanted, item["metadata"]["generation"]):
        raise Broken(f"at rest with a status of {status}", world.trail)
    if status.get("conditions"):
        raise Broken("at rest with a failure", world.trail)
    strays = [pod_of(pod) for pod in world.cluster.server.active_pods(KEY)]
    if any(not LABELS.items() <= pod.labels.items() for pod in strays):
        raise Broken("at rest with a pod that should have been released", world.trail)
    orphans = [pod for pod in map(pod_of, world.cluster.server.pods.values()) if pod.controller is None and pod.active]
    if any(LABELS.items() <= pod.labels.items() for pod in orphans):
        raise Broken("at rest with an orphan that should have been adopted", world.trail)
