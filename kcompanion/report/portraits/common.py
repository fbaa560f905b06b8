"""Parts of many portraits: conditions, the pods of a controller, selectors, and what is being deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, maps_at, text_at, texts_at
from kcompanion.model.message import say
from kcompanion.model.selectors import selector_text
from kcompanion.model.snapshot import Object
from kcompanion.report.document import Cell, Lines, Section, Table, columns
from kcompanion.report.portraits.sight import Fact, Part, Sight, label, named

FEW, MANY = 6, 40  # rows of a table
LONGEST = 200  # characters of a condition's message


def conditions(sight: Sight) -> Iterator[Section]:
    """The conditions that the object's controllers report."""
    rows: list[tuple[Cell, ...]] = [
        (
            text_at(one, "type"),
            text_at(one, "status"),
            text_at(one, "reason"),
            sight.age(one.get("lastTransitionTime")) if one.get("lastTransitionTime") else None,
            " ".join(text_at(one, "message").split())[:LONGEST],
        )
        for one in maps_at(sight.item, "status", "conditions")
    ]
    if rows:
        yield Section(say("portrait.section.conditions"), [Table(columns("TYPE STATUS REASON AGE MESSAGE"), rows)])


def deletion(sight: Sight) -> Iterator[Fact]:
    """Since when it is being deleted, and which finalizers hold it."""
    since = dig(sight.item, "metadata", "deletionTimestamp")
    finalizers = texts_at(sight.item, "metadata", "finalizers")
    if since:
        yield label("deleted"), say("portrait.deleting", age=sight.age(since), finalizers=named(finalizers) or "-")
    elif finalizers and sight.whole:
        yield label("finalizers"), named(finalizers)


def selector(sight: Sight) -> Iterator[Fact]:
    """The label selector, spelt as `kubectl -l` takes it."""
    spelt = selector_text(dig(sight.item, "spec", "selector"))
    if spelt:
        yield label("selector"), spelt


def created(sight: Sight) -> Iterator[Fact]:
    """How old the object is."""
    yield label("age"), say("portrait.old", age=sight.age(dig(sight.item, "metadata", "creationTimestamp")))


def owned_pods(sight: Sight) -> Iterator[Section]:
    """The pods it controls, those that are not well first."""
    yield from pods_table(sight, sight.world.children(sight.item, r.PODS))


def pods_table(sight: Sight, items: Sequence[Object], title: str = "pods") -> Iterator[Section]:
    """A bounded table of pods, those that are not well first, and how many were left out."""
    pods = sorted((Pod(item) for item in items), key=lambda pod: (pod.well, pod.namespace, pod.name))
    spaces = len({pod.namespace for pod in pods}) > 1
    rows = [
        (
            f"{pod.namespace}/{pod.name}" if spaces else pod.name,
            pod.status_word,
            "/".join(map(str, pod.ready_count)),
            sum(container.restarts for container in pod.containers),
            sight.age(dig(pod.raw, "metadata", "creationTimestamp")),
            pod.node,
        )
        for pod in pods
    ]
    yield from bounded(sight, title, "POD STATUS READY RESTARTS +AGE NODE", rows)


def bounded(sight: Sight, title: str, heads: str, rows: Sequence[Sequence[Cell]]) -> Iterator[Section]:
    """A table of a few rows, or of many with -o wide, and how many more there are."""
    most = MANY if sight.whole else FEW
    if not rows:
        return
    left = len(rows) - most
    blocks: list[Table | Lines] = [Table(columns(heads), rows[:most])]
    if left > 0:
        blocks.append(Lines([say("portrait.rows_left", count=left)]))
    yield Section(say(f"portrait.section.{title}", count=len(rows)), blocks)


def only_whole(part: Part) -> Part:
    """A part that is drawn only when all there is was asked for."""

    def draw(sight: Sight) -> Iterator[Section]:
        if sight.whole:
            yield from part(sight)

    return draw


def when(test: Callable[[Sight], bool], part: Part) -> Part:
    """A part that is drawn when the test holds, or all there is was asked for."""

    def draw(sight: Sight) -> Iterator[Section]:
        if sight.whole or test(sight):
            yield from part(sight)

    return draw


def count_at(item: Object, *path: str) -> int:
    """A count of a status; the API server leaves out what is 0."""
    value = dig(item, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
