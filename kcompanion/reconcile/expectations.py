"""What a controller remembers between two looks, since its view of the cluster is always a little old.

`Expectations`: how many creations and deletions it has asked for and not yet seen in the watch. Until they are seen
(or five minutes have gone by) it neither creates nor deletes: counting an old view twice would make pods twice.
They are in doubt when an answer got lost, or when they were never met: then the pods have to be counted past the
view before anything is done (see `doubt`). The built-in controller goes on without, and may make a pod too many.

`Versions`: the newest resourceVersion its own writes brought about. A view older than that is not worth a look
(KEP-5647, StaleControllerConsistency).

Both live in memory only. After a restart it is enough that nothing is done before both watches have listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from kcompanion.reconcile.moments import SECOND
from kcompanion.reconcile.target import Key

TIMEOUT = 5 * 60 * SECOND  # ExpectationsTimeout in pkg/controller/controller_utils.go
Kept = Literal["pods", "owners"]


@dataclass(slots=True)
class _Expected:
    creations: int
    deletions: int
    since: int
    doomed: set[str]  # uids whose deletion is awaited
    sure: bool = False  # whether it is known what became of every request


@dataclass(frozen=True, slots=True)
class Pending:
    """What is awaited: so many creations and deletions, for so many nanoseconds."""

    creations: int
    deletions: int
    age: int

    @property
    def fulfilled(self) -> bool:
        return self.creations <= 0 and self.deletions <= 0

    @property
    def expired(self) -> bool:
        return self.age > TIMEOUT


class Expectations:
    """The book of what each ReplicaSet awaits. All times come from the caller."""

    __slots__ = ("_book",)

    def __init__(self) -> None:
        self._book: dict[Key, _Expected] = {}

    def expect_creations(self, key: Key, count: int, now: int) -> None:
        """To be called before the first request: an answer of the watch may overtake the server's own."""
        self.expect(key, count, (), now)

    def expect_deletions(self, key: Key, uids: Iterable[str], now: int) -> None:
        self.expect(key, 0, uids, now)

    def expect(self, key: Key, creations: int, deletions: Iterable[str], now: int) -> None:
        """Whatever was expected before is overwritten."""
        doomed = set(deletions)
        self._book[key] = _Expected(creations, len(doomed), now, doomed)

    def settle(self, key: Key) -> None:
        """Every request was answered, and no answer leaves open what became of it."""
        if expected := self._book.get(key):
            expected.sure = True

    def creation_observed(self, key: Key, count: int = 1) -> None:
        """Pods were seen, or will surely never be. May go below zero: a request that failed may have been served."""
        if expected := self._book.get(key):
            expected.creations -= count

    def deletion_observed(self, key: Key, uid: str) -> None:
        """Counts once for each pod, and only for those that were asked to go."""
        expected = self._book.get(key)
        if expected and uid in expected.doomed:
            expected.doomed.remove(uid)
            expected.deletions -= 1

    def forget(self, key: Key) -> None:
        self._book.pop(key, None)

    def satisfied(self, key: Key, now: int) -> bool:
        """Whether pods may be created and deleted again."""
        pending = self.pending(key, now)
        return pending is None or pending.fulfilled or pending.expired

    def doubtful(self, key: Key, now: int) -> bool:
        """Whether the view, even with what is awaited, may be wrong about the number of pods."""
        expected = self._book.get(key)
        if expected is None:
            return False
        unmet = expected.creations > 0 or expected.deletions > 0
        return not expected.sure or (unmet and now - expected.since > TIMEOUT)

    def pending(self, key: Key, now: int) -> Pending | None:
        expected = self._book.get(key)
        return None if expected is None else Pending(expected.creations, expected.deletions, now - expected.since)

    def awaited(self, key: Key) -> frozenset[str]:
        """The uids of the pods whose deletion is awaited."""
        expected = self._book.get(key)
        return frozenset(expected.doomed) if expected else frozenset()

    def keys(self) -> tuple[Key, ...]:
        return tuple(self._book)

    def copy(self) -> Expectations:
        other = Expectations()
        other._book = {key: replace(expected, doomed=set(expected.doomed)) for key, expected in self._book.items()}
        return other


@dataclass(frozen=True, slots=True)
class Stale:
    """The view has not caught up with our own write."""

    kept: Kept
    seen: int
    written: int


@dataclass(slots=True)
class _Written:
    uid: str
    versions: dict[Kept, int] = field(default_factory=dict)


class Versions:
    """The book of what was written for each ReplicaSet."""

    __slots__ = ("_book",)

    def __init__(self) -> None:
        self._book: dict[Key, _Written] = {}

    def wrote(self, key: Key, uid: str, kept: Kept, version: int) -> None:
        written = self._book.get(key)
        if written is None or written.uid != uid:
            written = self._book[key] = _Written(uid)
        written.versions[kept] = max(version, written.versions.get(kept, 0))

    def stale(self, key: Key, seen: Mapping[Kept, int]) -> Stale | None:
        """What is older than our own write; 0 stands for a view that cannot tell its version."""
        written = self._book.get(key)
        if written is None:
            return None
        for kept, version in written.versions.items():
            if 0 < seen.get(kept, 0) < version:
                return Stale(kept, seen[kept], version)
        del self._book[key]
        return None

    def newest(self, key: Key) -> Mapping[Kept, int]:
        """What was written and not yet seen, by kind."""
        written = self._book.get(key)
        return dict(written.versions) if written else {}

    def copy(self) -> Versions:
        other = Versions()
        other._book = {key: replace(written, versions=dict(written.versions)) for key, written in self._book.items()}
        return other

    def forget(self, key: Key, uid: str = "") -> None:
        """Of this uid only, if one is given: its successor of the same name keeps its own."""
        written = self._book.get(key)
        if written is not None and uid in ("", written.uid):
            del self._book[key]


@dataclass(frozen=True, slots=True)
class Books:
    """Both, as they are kept side by side for one target."""

    expectations: Expectations = field(default_factory=Expectations)
    versions: Versions = field(default_factory=Versions)

    def copy(self) -> Books:
        """For a simulation that goes on in more than one way."""
        return Books(self.expectations.copy(), self.versions.copy())
