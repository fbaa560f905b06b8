"""`tree`: objects below their owners, with state, age and what is special about the tie; relations, names, events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from kcompanion.controlplane.nodes import is_fake
from kcompanion.model.events import Event
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import NODES
from kcompanion.model.snapshot import Gap
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.names import HASH_LABEL, Name, name_parts
from kcompanion.ownership.owners import BROKEN, Entity, Owner
from kcompanion.ownership.ties import Relation
from kcompanion.ownership.tree import Forest, Node
from kcompanion.report import tree_relations as relations
from kcompanion.report.document import Block, Branch, Lesson, Lines, Section, Table, Tree, columns
from kcompanion.report.tree_state import State, state_of
from kcompanion.report.tree_view import Line, Rest, revision, view

EVENTS = 40  # lines; the latest (all with -o wide)
SAMPLES = 4  # names that are taken apart
LESSONS = ("owners", "names", "deletion")


class Part(StrEnum):
    """What of the answer a gap leaves open."""

    TREE = "tree"
    STATES = "states"
    RELATIONS = "relations"
    EVENTS = "events"


@dataclass(frozen=True)
class Grown:
    """Everything a tree is told from."""

    forest: Forest
    states: Mapping[str, State]  # by uid
    relations: Sequence[Relation] | None = None  # none when nobody asked
    events: Sequence[Event] | None = None  # none when nobody asked, or nobody may read them
    unread: Mapping[Part, Sequence[Gap]] = field(default_factory=dict)  # of what was asked for beside the tree

    def state(self, node: Node) -> State:
        return self.states[node.entity.uid]

    @cached_property
    def unjudged(self) -> Sequence[Node]:
        """The objects of which nobody can say how they are."""
        return [node for node in self.forest.walk() if self.state(node).status is Status.UNKNOWN]

    @cached_property
    def gaps(self) -> Mapping[Part, Sequence[Gap]]:
        """Everything that was not read, by what it leaves open."""
        verdicts = [state.verdict for state in self.states.values() if state.verdict is not None]
        judging = dict.fromkeys(missed.gap for verdict in verdicts for missed in verdict.not_evaluated)
        return {Part.TREE: self.forest.gaps, Part.STATES: tuple(judging), **self.unread}

    @property
    def asides_unread(self) -> bool:
        """Whether relations or events that were asked for could not all be read."""
        return any(gap.decisive for gaps in self.unread.values() for gap in gaps)

    @property
    def undecided(self) -> bool:
        return self.forest.undecided or bool(self.unjudged) or self.asides_unread


def states(forest: Forest, world: World) -> dict[str, State]:
    """The state of every object in the trees, by uid."""
    return {node.entity.uid: state_of(node.entity, world) for node in forest.walk()}


def events_of(forest: Forest, world: World) -> list[Event]:
    """The events about all objects of the trees, the latest last.

    Raises:
        NotKnown: they could not all be listed.
    """
    found: dict[Event, None] = {}
    unknown: NotKnown | None = None
    for node in forest.walk():
        try:
            found.update(dict.fromkeys(world.events(node.entity.ref, node.entity.uid)))
        except NotKnown as missing:
            unknown = missing
    if unknown is not None:
        raise unknown
    return sorted(found, key=lambda event: (event.last, event.kind, event.name, event.reason, event.message))


def verdict(grown: Grown) -> tuple[Message, Status]:
    """How many objects there are, how many of them fail, and how many nobody can judge."""
    bad = [node for node in grown.forest.walk() if grown.state(node).bad]
    loose = [node for node in grown.forest.walk() if any(owner.state in BROKEN for owner in node.owners)]
    told = _told(grown, bad=len(bad), loose=len(loose))
    if any(grown.state(node).status is Status.FAIL for node in bad):
        return told, Status.FAIL
    if grown.undecided:
        return told, Status.UNKNOWN
    return told, Status.WARN if bad or loose else Status.OK


def _told(grown: Grown, *, bad: int, loose: int) -> Message:
    nodes = list(grown.forest.walk())
    asked = [node.entity.ref for node in nodes if node.asked]
    what = str(asked[0]) if len(asked) == 1 else say("tree.several", count=len(asked)) if asked else say("tree.scope")
    if grown.forest.undecided:
        key = "unknown"
    elif grown.unjudged:
        key = "bad_unjudged" if bad else "unjudged"
    else:
        key = "bad" if bad else "loose" if loose else "ok"
    values = {"what": what, "count": len(nodes), "bad": bad, "unjudged": len(grown.unjudged), "loose": loose}
    told = say(one_or_many(f"tree.verdict.{key}", len(nodes)), **values)
    return say("tree.verdict.partly", told=told) if grown.asides_unread else told


def sections(grown: Grown, world: World, *, every: bool, explain: bool) -> list[Section]:
    """The trees, what they may lack, then whatever else was asked for."""
    lines = [view(root, grown.states, every=every) for root in grown.forest.roots]
    blocks: list[Block] = [Tree([branch(line, grown, every=every) for line in lines])]
    if any(line.node.entity.mirror for root in lines for line in root.walk()):
        blocks.append(Lines((say("tree.mirror"),)))
    made = [Section(say("tree.section.tree"), blocks)]
    if missing := [line for part, gaps in grown.gaps.items() for line in _missing(part, gaps)]:
        made.append(Section(say("tree.section.missing"), [Lines(missing)]))
    if grown.relations or (grown.relations is not None and not grown.gaps.get(Part.RELATIONS)):
        inside = {node.entity.ref for node in grown.forest.walk()}
        made.append(Section(say("tree.section.relations"), relations.blocks(grown.relations, inside, every=every)))
    if explain:
        made += _explained(grown)
    if grown.events is not None:
        told = _events(grown.events, world, every=every) if grown.events else [Lines((say("tree.no_events"),))]
        made.append(Section(say("tree.section.events"), told))
    return made


def _missing(part: Part, gaps: Sequence[Gap]) -> list[Message]:
    """The resources that could not be read, by the reason, each named once, and what lacks for it."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for gap in gaps:
        if gap.decisive:
            reasons.setdefault((gap.verb, gap.outcome.value), {}).setdefault(gap.resource)
    return [
        say(
            f"tree.not_read.{part.value}",
            verb=verb,
            reason=say(f"common.outcome.{outcome}"),
            kinds=", ".join(sorted(kinds)),
        )
        for (verb, outcome), kinds in sorted(reasons.items())
    ]


def branch(
    line: Line,
    grown: Grown,
    *,
    every: bool = False,
    parent: Node | None = None,
    counted: Callable[[Rest], Message] | None = None,
) -> Branch:
    """A line of the tree with everything below it; `counted` words what was left out."""
    node, state = line.node, grown.state(line.node)
    below = [branch(child, grown, every=every, parent=node, counted=counted) for child in line.children]
    below += [Branch((counted or rest_text)(rest)) for rest in line.rests]
    return Branch(
        f"{node.entity.ref.kind}/{label_name(node, parent)}",
        state.status,
        state.word,
        state.age,
        list(_notes(node, parent, state, every=every)),
        node.asked,
        below,
    )


def label_name(node: Node, parent: Node | None) -> str:
    """The name; with the namespace at the top and wherever it is not that of the line above."""
    ref = node.entity.ref
    return ref.name if parent is not None and parent.entity.ref.namespace == ref.namespace else ref.place


def rest_text(rest: Rest) -> Message:
    """What was left out, in one line."""
    if not rest.old:
        return say("tree.rest.more", count=rest.count, kind=rest.kind)
    if not rest.revisions:
        return say("tree.rest.old", count=rest.count)
    return say("tree.rest.old_revisions", count=rest.count, first=rest.revisions[0], last=rest.revisions[-1])


def _notes(node: Node, parent: Node | None, state: State, *, every: bool) -> Iterator[Message | str]:
    number = revision(node)
    if number is not None:
        yield say("tree.note.revision", number=number)
    if node.entity.mirror:
        yield say("tree.note.mirror")
    if node.entity.resource == NODES and is_fake(node.entity.item):
        yield say("tree.note.fake")
    if node.entity.ref.kind == "Namespace":
        yield say("tree.note.namespace")
    of_node = node.reference is not None and node.reference.kind == "Node"  # owns its Lease, and counts nothing
    if node.reference is not None and not node.reference.controller and not of_node:
        yield say("tree.note.not_controller")
    if every and node.reference is not None and node.reference.blocks:
        yield say("tree.note.blocks")
    if node.entity.deleting and state.word != "Terminating":
        yield say("tree.note.deleting")
    for owner in node.owners:
        if parent is None or owner.reference != node.reference:
            yield owner_note(owner)
    if parent is not None and name_parts(node.entity, parent.entity).hash_matches is False:
        yield say("tree.note.hash", label=HASH_LABEL)
    if state.code:
        yield state.code


def owner_note(owner: Owner) -> Message:
    """What became of an owner that is not the line above."""
    named = Ref(owner.reference.kind, owner.reference.name)
    where = owner.entity.ref.namespace if owner.entity else ""
    role = say("tree.role.controller" if owner.reference.controller else "tree.role.owner")
    return say(f"tree.owner.{owner.state.value}", what=str(named), where=where or "-", role=role)


# --------------------------------------------------------------------------------- beside the tree


def _explained(grown: Grown) -> list[Section]:
    """Names taken apart, static pods, and the lessons."""
    made: list[Section] = []
    for node, name in _samples(grown.forest):
        lines: list[Message] = [
            say(f"tree.part.{part.meaning.value}", text=part.text, of=part.of or "-") for part in name.parts
        ]
        if name.hash_matches is not None:
            lines.append(say("tree.hash.match" if name.hash_matches else "tree.hash.differs", label=HASH_LABEL))
        made.append(Section(say("tree.section.name", what=str(node.entity.ref)), [Lines(lines)]))
    keys = [*LESSONS, *(["static"] if any(node.entity.mirror for node in grown.forest.walk()) else [])]
    lessons: list[Block] = [Lesson(say(f"tree.lesson.{key}.title"), [say(f"tree.lesson.{key}.text")]) for key in keys]
    return [*made, Section(say("tree.section.lessons"), lessons)]


def _samples(forest: Forest) -> list[tuple[Node, Name]]:
    """One name of each pair of kinds, those asked for first."""
    found: dict[tuple[str, str], tuple[Node, Name]] = {}
    pairs = [pair for root in forest.roots for pair in _named(root, None, None)]
    for node, name, owner in sorted(pairs, key=lambda pair: not pair[0].asked):
        if len(name.parts) > 1:
            found.setdefault((node.entity.ref.kind, owner), (node, name))
    return list(found.values())[:SAMPLES]


def _named(node: Node, parent: Entity | None, above: Entity | None) -> Iterator[tuple[Node, Name, str]]:
    if parent is not None:
        yield node, name_parts(node.entity, parent, above), parent.ref.kind
    for child in node.children:
        yield from _named(child, node.entity, parent)


def _events(events: Sequence[Event], world: World, *, every: bool) -> list[Block]:
    shown = events if every else events[-EVENTS:]
    rows = []
    for event in shown:
        seconds = world.since(event.last)
        age = "-" if seconds is None else human_age(seconds)
        times = f"×{event.count}" if event.count > 1 else ""
        rows.append([age, event.type, event.reason, f"{event.kind}/{event.name}", times, event.message])
    blocks: list[Block] = [Table(columns("AGE TYPE REASON OBJECT TIMES MESSAGE"), rows)]
    if len(shown) < len(events):
        blocks.append(Lines((say("tree.more_events", count=len(events) - len(shown)),)))
    return blocks
