"""The book behind `explain`: phases, conditions, reasons and exit codes, with examples from the reader's cluster."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kcompanion.errors import NotFound, UsageError
from kcompanion.explain.book import RULES
from kcompanion.explain.exitcodes import BY_SIGNAL, EXPLAINED, SIGNALS, exit_code
from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.events import event_of
from kcompanion.model.fields import condition, maps_at, name_of, namespace_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World
from kcompanion.report.bookwords import CONDITIONS, PHASES, REASONS
from kcompanion.report.document import Block, Cell, Facts, Lines, Section, Table, columns

TOPICS = ("phase", "condition", "reason", "exit-code")
EXAMPLES = 5  # objects shown of those that there are
LARGEST = 255  # an exit code is one byte


@dataclass(frozen=True)
class Example:
    """An object of this cluster that shows a word of the book."""

    ref: Ref
    what: str  # where it stands, or what its STATUS is
    since: str = ""  # the API's time


@dataclass(frozen=True)
class Page:
    """A page of the book. `found` counts the examples there are, of which the first few are shown."""

    topic: str
    word: str
    sections: Sequence[Section]
    examples: Sequence[Example] = ()
    found: int = 0
    gaps: tuple[Gap, ...] = ()
    codes: Sequence[str] = field(default_factory=tuple)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [example.ref.kubectl.partition(" ")[0] for example in self.examples]

    def to_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "word": self.word or None,
            "rules": list(self.codes),
            "found": self.found,
            "counts": dict(sorted(self.counts.items())),
            "examples": [
                {
                    "kind": example.ref.kind,
                    "namespace": example.ref.namespace or None,
                    "name": example.ref.name,
                    "what": example.what,
                    "since": example.since or None,
                }
                for example in self.examples
            ],
        }


# --------------------------------------------------------------------------------------- what is asked for


def check(topic: str, word: str) -> None:
    """Whether the book has such a page.

    Raises:
        UsageError: an exit code that is none.
        NotFound: no such word; the hint names the nearest.
    """
    _resolved(topic, word)


def _resolved(topic: str, word: str) -> tuple[str, str]:
    """The topic and the word in its right spelling. A STATUS word that is no phase is found among the reasons."""
    if not word:
        return topic, ""
    if topic == "exit-code":
        return topic, str(_code(word))
    known = {"phase": PHASES, "condition": CONDITIONS, "reason": REASONS}
    for other in (topic, *(name for name in known if name != topic)):
        for spelling in known[other]:
            if spelling.lower() == word.lower():
                return other, spelling
    near = difflib.get_close_matches(word, known[topic], n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"`kcompanion explain {topic}` lists them"
    raise NotFound(f"the book has no {topic} {word!r}", hint)


def _code(word: str) -> int:
    by_name = {name: BY_SIGNAL + number for number, name in SIGNALS.items()}
    code = by_name.get(word.upper(), int(word) if word.isdecimal() and len(word) < 4 else -1)
    if not 0 <= code <= LARGEST:
        raise UsageError(f"{word!r} is no exit code", "it is a number from 0 to 255, or a signal such as SIGKILL")
    return code


def page(topic: str, word: str, world: World, space: str = "") -> Page:
    """The page of a word, or the list of a topic's words; examples are of one namespace or of all.

    Raises:
        NotFound, UsageError: as `check`.
    """
    given = topic
    topic, word = _resolved(topic, word)
    look = Look(world, space)
    if not word:
        return _INDEXES[topic](look)
    return _PAGES[topic](word, look, given)


@dataclass
class Look:
    """Looking for examples: what could not be read is noted, never an error."""

    world: World
    space: str
    missing: dict[str, Gap] = field(default_factory=dict)

    def all(self, resource: Resource) -> Sequence[Object]:
        """All objects of a resource, or those of the reader's own namespace where not all may be listed."""
        own = self.world.snapshot.origin.namespace or "default"
        spaces = [self.space] if self.space or not resource.namespaced else ["", own]
        gap: Gap | None = None
        for space in spaces:
            try:
                return self.world.all(resource, space)
            except NotKnown as unknown:
                gap = gap or unknown.gap
                if unknown.gap.outcome.value != "forbidden":
                    break
        if gap is not None:
            self.missing[gap.what] = gap
        return ()

    def pods(self) -> list[Pod]:
        return [Pod(item) for item in self.all(r.PODS)]

    def events(self, reason: str) -> list[Example]:
        """Objects about which somebody reported that reason, the latest first."""
        ask = listing(r.EVENTS, self.space or None, fields=f"reason={reason}")
        try:
            body = self.world.ask(ask).body
        except NotKnown as unknown:
            body = [item for item in self.world.seen(r.EVENTS, self.space) if text_at(item, "reason") == reason]
            if not body:
                self.missing[unknown.gap.what] = unknown.gap
        found = sorted(map(event_of, body if isinstance(body, list) else []), key=lambda one: one.last, reverse=True)
        latest = {(one.kind, one.namespace, one.name): one for one in reversed(found)}
        return [
            Example(Ref(one.kind, one.name, one.namespace), " ".join(one.message.split())[:100], one.last)
            for one in reversed(latest.values())
        ]


# ------------------------------------------------------------------------------------------------- indexes


def _phases(look: Look) -> Page:
    counts = Counter(pod.phase for pod in look.pods())
    rows: list[tuple[Cell, ...]] = [
        (word, counts.get(word, 0), say(f"book.phase.{word.lower()}.short")) for word in PHASES
    ]
    lines: list[Cell] = [say("book.phase_is_not_status"), say("book.how_to_go_on", topic="phase", word="Pending")]
    return _index("phase", [Table(columns("PHASE PODS MEANS"), rows), Lines(lines)], look, counts)


def _conditions(look: Look) -> Page:
    rows: list[tuple[Cell, ...]] = [
        (word, ", ".join(kinds), say(f"book.condition.{word.lower()}.short")) for word, kinds in CONDITIONS.items()
    ]
    lines: list[Cell] = [say("book.how_to_go_on", topic="condition", word="Ready")]
    return _index("condition", [Table(columns("TYPE OF MEANS"), rows), Lines(lines)], look, {})


def _reasons(look: Look) -> Page:
    counts: Counter[str] = Counter()
    for pod in look.pods():
        counts.update({word for word, _ in _reasons_of(pod)})
    rows: list[tuple[Cell, ...]] = [
        (word, say(f"book.where.{entry.where}"), counts.get(word) or None) for word, entry in REASONS.items()
    ]
    lines: list[Cell] = [say("book.how_to_go_on", topic="reason", word="CrashLoopBackOff")]
    return _index("reason", [Table(columns("REASON STANDS_IN PODS"), rows), Lines(lines)], look, counts)


def _codes(look: Look) -> Page:
    counts = Counter(str(code) for pod in look.pods() for code in _ended_with(pod))
    rows: list[tuple[Cell, ...]] = [
        (code, exit_code(code).signal or None, counts.get(str(code)) or None, exit_code(code).short)
        for code in EXPLAINED
    ]
    lines: list[Cell] = [say("book.code_over_128"), say("book.how_to_go_on", topic="exit-code", word="137")]
    return _index("exit-code", [Table(columns("CODE SIGNAL CONTAINERS MEANS"), rows), Lines(lines)], look, counts)


def _index(topic: str, blocks: Sequence[Block], look: Look, counts: Mapping[str, int]) -> Page:
    title = say(f"book.title.{topic.replace('-', '_')}")
    return Page(topic, "", [Section(title, blocks)], gaps=_gaps(look), counts=counts)


# --------------------------------------------------------------------------------------------------- pages


def _phase(word: str, look: Look, given: str) -> Page:
    key = f"book.phase.{word.lower()}"
    facts = [(say(f"book.label.{part}"), say(f"{key}.{part}")) for part in ("means", "before", "next")]
    blocks: list[Block] = [Facts(facts)]
    if PHASES[word]:
        blocks.append(Lines([say(f"{key}.note")]))
    examples = [
        Example(pod.ref, pod.status_word, text_at(pod.raw, "metadata", "creationTimestamp"))
        for pod in look.pods()
        if pod.phase == word
    ]
    return _page("phase", word, blocks, (), examples, look, given)


def _condition(word: str, look: Look, given: str) -> Page:
    key = f"book.condition.{word.lower()}"
    kinds = CONDITIONS[word]
    facts: list[tuple[Message, Cell]] = [
        (say("book.label.of"), ", ".join(kinds)),
        (say("book.label.means"), say(f"{key}.means")),
        (say("book.label.otherwise"), say(f"{key}.otherwise")),
    ]
    examples = [example for kind in kinds for example in _with_condition(word, kind, look)]
    return _page("condition", word, [Facts(facts)], (), examples, look, given)


# Which kinds are looked at for examples of a condition.
_KINDS: Mapping[str, Resource] = {
    "Pod": r.PODS,
    "Node": r.NODES,
    "Deployment": r.DEPLOYMENTS,
    "Job": r.JOBS,
    "HorizontalPodAutoscaler": r.HPAS,
    "PersistentVolumeClaim": r.PERSISTENTVOLUMECLAIMS,
    "Namespace": r.NAMESPACES,
}
# Conditions that are well when they are False, or that only say that something goes on.
_WELL_WHEN_FALSE = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "ReplicaFailure"})


def _with_condition(word: str, kind: str, look: Look) -> Iterator[Example]:
    """Objects on which the condition is not as one wishes it; of other conditions those that have it."""
    resource = _KINDS.get(kind)
    for item in look.all(resource) if resource else ():
        told = condition(item, word)
        state = text_at(told, "status")
        wanted = "False" if word in _WELL_WHEN_FALSE else "True"
        finished = kind == "Pod" and text_at(item, "status", "phase") in ("Succeeded", "Failed")
        if not told or (state == wanted and word in _USUAL) or finished:
            continue
        reason = text_at(told, "reason")
        what = f"{state} {reason}".strip()
        yield Example(Ref(kind, name_of(item), namespace_of(item)), what, text_at(told, "lastTransitionTime"))


# Conditions that every healthy object of a kind has: only the exceptions are worth showing.
_USUAL = _WELL_WHEN_FALSE | {
    "PodScheduled",
    "PodReadyToStartContainers",
    "Initialized",
    "ContainersReady",
    "Ready",
    "Available",
    "Progressing",
}


def _reason(word: str, look: Look, given: str) -> Page:
    key, entry = f"book.reason.{word.lower()}", REASONS[word]
    facts: list[tuple[Message, Cell]] = [
        (say("book.label.where"), say(f"book.where.{entry.where}")),
        (say("book.label.means"), say(f"{key}.means")),
        (say("book.label.do"), say(f"{key}.do")),
    ]
    if entry.where == "event":
        examples = look.events(word)
    else:
        examples = [
            Example(pod.ref, path, _since(pod))
            for pod in look.pods()
            for path in [next((path for found, path in _reasons_of(pod) if found == word), "")]
            if path
        ]
    return _page("reason", word, [Facts(facts)], entry.numbers, examples, look, given)


def _reasons_of(pod: Pod) -> Iterator[tuple[str, str]]:
    """Every reason that stands in a pod, and where."""
    if pod.reason:
        yield pod.reason, "status.reason"
    for one in maps_at(pod.raw, "status", "conditions"):
        if one.get("status") != "True" and text_at(one, "reason"):
            yield text_at(one, "reason"), f"status.conditions[{text_at(one, 'type')}]"
    for container in pod.containers:
        if container.waiting:
            yield container.waiting, f"{container.name}: waiting"
        for part, name in (("state", "ended"), ("lastState", "ended before")):
            if reason := text_at(container.status, part, "terminated", "reason"):
                yield reason, f"{container.name}: {name}"
    yield pod.status_word, "STATUS"


def _since(pod: Pod) -> str:
    return text_at(pod.raw, "status", "startTime") or text_at(pod.raw, "metadata", "creationTimestamp")


def _exit_code(word: str, look: Look, given: str) -> Page:
    known = exit_code(int(word))
    facts: list[tuple[Message, Cell]] = [(say("book.label.short"), known.short)]
    if known.signal:
        facts.append((say("book.label.signal"), say("book.signal", name=known.signal, number=known.number, code=word)))
    facts += [(say("book.label.means"), known.means), (say("book.label.sender"), known.sender)]
    examples = []
    for pod in look.pods():
        for container in pod.containers:
            if container.exit_code == int(word):
                reason = text_at(container.ended, "reason")
                examples.append(Example(pod.ref, f"{container.name}: {reason}", text_at(container.ended, "finishedAt")))
    numbers = tuple(sorted(_CODE_NUMBERS.get(int(word), ())))
    return _page("exit-code", word, [Facts(facts)], numbers, examples, look, given)


# Taxonomy numbers of what ends with these codes.
_CODE_NUMBERS: Mapping[int, tuple[int, ...]] = {0: (28, 56), 128: (58,), 137: (54, 60, 144, 147), 143: (144,)}


def _ended_with(pod: Pod) -> Iterator[int]:
    return (one.exit_code for one in pod.containers if one.exit_code is not None)


def _page(
    topic: str,
    word: str,
    blocks: Sequence[Block],
    numbers: Sequence[int],
    examples: Sequence[Example],
    look: Look,
    given: str,
) -> Page:
    """The sections that every page has: the text, the rules, and what shows it here."""
    title = say(f"book.page.{topic.replace('-', '_')}", word=word)
    lines: list[Block] = [] if given == topic else [Lines([say(f"book.is_no_{given}", word=word)])]
    sections = [Section(title, [*lines, *blocks])]
    codes = _rules(numbers)
    if codes:
        told = [say("book.rule", code=code, title=heading) for code, heading in codes.items()]
        sections.append(Section(say("book.section.rules"), [Lines(told)]))
    shown = sorted(examples, key=lambda one: (one.since, one.ref), reverse=True)[:EXAMPLES]
    sections.append(_here(shown, len(examples), look))
    return Page(topic, word, sections, shown, len(examples), _gaps(look), tuple(codes))


def _rules(numbers: Sequence[int]) -> dict[str, Message]:
    """Code to heading of the rules that recognise these numbers of the taxonomy."""
    wanted = set(numbers)
    found = {
        rule.code: say(f"{rule.area}.{rule.code.lower()}.title") for rule in RULES if wanted.intersection(rule.numbers)
    }
    return dict(sorted(found.items()))


def _here(shown: Sequence[Example], found: int, look: Look) -> Section:
    title = say("book.section.here", count=found)
    if not shown:
        return Section(title, [Lines([say("book.unread" if look.missing else "book.nothing_here")])])
    rows: list[tuple[Cell, ...]] = [(str(one.ref), _age(one.since, look.world), one.what or None) for one in shown]
    blocks: list[Block] = [Table(columns("OBJECT SINCE WHAT"), rows)]
    if found > len(shown):
        blocks.append(Lines([say("book.more_here", count=found - len(shown))]))
    ref = shown[0].ref
    blocks.append(Lines([f"→ kcompanion explain {ref.kubectl}"]))
    return Section(title, blocks)


def _age(moment: str, world: World) -> Cell:
    seconds = world.since(moment)
    return None if seconds is None else human_age(seconds)


def _gaps(look: Look) -> tuple[Gap, ...]:
    return tuple(look.missing[key] for key in sorted(look.missing))


_INDEXES: Mapping[str, Callable[[Look], Page]] = {
    "phase": _phases,
    "condition": _conditions,
    "reason": _reasons,
    "exit-code": _codes,
}
_PAGES: Mapping[str, Callable[[str, Look, str], Page]] = {
    "phase": _phase,
    "condition": _condition,
    "reason": _reason,
    "exit-code": _exit_code,
}
