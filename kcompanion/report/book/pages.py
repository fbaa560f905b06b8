"""The book's pages: a word, what it means and what to do, the rules that know it, and what shows it here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from kcompanion.explain.book import RULES
from kcompanion.explain.exitcodes import exit_code
from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, name_of, namespace_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.times import human_age
from kcompanion.model.world import World
from kcompanion.report.book.look import Example, Look, reasons_of
from kcompanion.report.book.page import Page
from kcompanion.report.book.words import CONDITIONS, PHASES, REASONS
from kcompanion.report.document import Block, Cell, Facts, Lines, Section, Table, columns

EXAMPLES = 5  # objects shown of those that there are


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
    return _page("phase", word, blocks, {}, examples, look, given)


def _condition(word: str, look: Look, given: str) -> Page:
    key = f"book.condition.{word.lower()}"
    kinds = CONDITIONS[word]
    facts: list[tuple[Message, Cell]] = [
        (say("book.label.of"), ", ".join(kinds)),
        (say("book.label.means"), say(f"{key}.means")),
        (say("book.label.otherwise"), say(f"{key}.otherwise")),
    ]
    examples = [example for kind in kinds for example in _with_condition(word, kind, look)]
    return _page("condition", word, [Facts(facts)], {}, examples, look, given)


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
            for path in [next((path for found, path in reasons_of(pod) if found == word), "")]
            if path
        ]
    return _page("reason", word, [Facts(facts)], _rules(entry.numbers, entry.codes), examples, look, given)


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
    return _page("exit-code", word, [Facts(facts)], _rules(numbers), examples, look, given)


# Taxonomy numbers of what ends with these codes.
_CODE_NUMBERS: Mapping[int, tuple[int, ...]] = {0: (28, 56), 128: (58,), 137: (54, 60, 144, 147), 143: (144,)}


def _page(
    topic: str,
    word: str,
    blocks: Sequence[Block],
    codes: Mapping[str, Message],
    examples: Sequence[Example],
    look: Look,
    given: str,
) -> Page:
    """The sections that every page has: the text, the rules, and what shows it here."""
    title = say(f"book.page.{topic.replace('-', '_')}", word=word)
    lines: list[Block] = [] if given == topic else [Lines([say(f"book.is_no_{given}", word=word)])]
    sections = [Section(title, [*lines, *blocks])]
    if codes:
        told = [say("book.rule", code=code, title=heading) for code, heading in codes.items()]
        sections.append(Section(say("book.section.rules"), [Lines(told)]))
    shown = sorted(examples, key=lambda one: (one.since, one.ref), reverse=True)[:EXAMPLES]
    sections.append(_here(shown, len(examples), look))
    return Page(topic, word, sections, shown, None if look.missing else len(examples), look.gaps, tuple(codes))


def _rules(numbers: Sequence[int], codes: Sequence[str] = ()) -> dict[str, Message]:
    """Code to heading of the rules that recognise these numbers of the taxonomy, and of those with these codes."""
    wanted = set(numbers)
    found = (rule for rule in RULES if wanted.intersection(rule.numbers) or rule.code in codes)
    return {rule.code: say(f"{rule.area}.{rule.code.lower()}.title") for rule in sorted(found, key=lambda r: r.code)}


def _here(shown: Sequence[Example], found: int, look: Look) -> Section:
    title = say("book.section.here_unread") if look.missing else say("book.section.here", count=found)
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


PAGES: Mapping[str, Callable[[str, Look, str], Page]] = {
    "phase": _phase,
    "condition": _condition,
    "reason": _reason,
    "exit-code": _exit_code,
}
