"""`orphans`: what no controller looks after and why, who is in whose way, and what a change of labels would bring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.pod import Pod
from kcompanion.model.finding import Finding, Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Gap
from kcompanion.model.times import Age, human_age
from kcompanion.model.world import World
from kcompanion.ownership.orphans import FAULTS, Orphan, Sort
from kcompanion.ownership.overlaps import Conflict
from kcompanion.ownership.preview import Effect, Preview
from kcompanion.reconcile.claims import Claim
from kcompanion.report.document import Block, Cell, Lesson, Lines, Literal, Section, Table, columns

SHOWN = 20  # rows of one sort (all with -o wide)
QUIET = 5  # of those that are meant to be so
LESSONS = ("claim", "names", "immutable", "static", "collector")


@dataclass(frozen=True)
class Found:
    """Everything `orphans` tells of."""

    orphans: Sequence[Orphan] = ()
    conflicts: Sequence[Conflict] = ()
    preview: Preview | None = None
    findings: Sequence[Finding] = ()
    gaps: Sequence[Gap] = ()
    examined: int = 0
    namespace: str = ""  # the one looked into; empty for all
    undecided: bool = False  # whether what could not be read leaves open which objects are orphans
    blind: bool = False  # the same of controllers in each other's way

    @property
    def faults(self) -> list[Orphan]:
        return [orphan for orphan in self.orphans if orphan.sort in FAULTS]


def verdict(found: Found) -> tuple[Message, Status]:
    """How many objects nobody looks after, and how many controllers are in each other's way."""
    faults, clashes = len(found.faults), len(found.conflicts)
    values = {"count": faults, "clashes": clashes, "examined": found.examined}
    open_ = found.undecided or found.blind
    if faults or clashes:
        told = say(one_or_many("orphans.verdict.warn", found.examined), **values)
        return (say("orphans.verdict.partly", told=told), Status.UNKNOWN) if open_ else (told, Status.WARN)
    if found.undecided:
        return say(one_or_many("orphans.verdict.unknown", found.examined), **values), Status.UNKNOWN
    told = say(one_or_many("orphans.verdict.ok", found.examined), **values)
    if not found.examined:
        told = say(f"orphans.verdict.none{'_there' if found.namespace else ''}", namespace=found.namespace)
    return (say("orphans.verdict.blind", told=told), Status.UNKNOWN) if open_ else (told, Status.OK)


def sections(found: Found, world: World, *, every: bool, explain: bool) -> list[Section]:
    """What needs a look first, then what is meant to be so, then lessons."""
    made: list[Section] = []
    for sort in sorted(Sort, key=lambda sort: (sort not in FAULTS, list(Sort).index(sort))):
        those = [orphan for orphan in found.orphans if orphan.sort is sort]
        if those:
            made.append(_sort(sort, those, world, every=every))
    if found.conflicts:
        made.append(Section(say("orphans.section.conflicts"), [_conflicts(found.conflicts)], Status.WARN))
    if explain:
        made.append(Section(say("orphans.section.lessons"), _lessons(LESSONS)))
    return made


def _sort(sort: Sort, those: Sequence[Orphan], world: World, *, every: bool) -> Section:
    limit = len(those) if every else (SHOWN if sort in FAULTS else QUIET)
    rows = [_row(orphan, world) for orphan in those[:limit]]
    told = columns("OBJECT STATUS AGE WHY" if sort in FAULTS else "OBJECT STATUS AGE")  # of the rest all is one reason
    blocks: list[Block] = [Table(told, rows)]
    if len(those) > limit:
        blocks.append(Lines((say("orphans.more", count=len(those) - limit),)))
    if sort not in FAULTS:
        blocks.append(Lines((say(f"orphans.meant.{sort.value}"),)))
    return Section(say(f"orphans.sort.{sort.value}", count=len(those)), blocks, Status.WARN if sort in FAULTS else None)


def _row(orphan: Orphan, world: World) -> list[Cell]:
    word = Pod(orphan.entity.item).status_word if orphan.entity.ref.kind == "Pod" and not orphan.entity.bare else ""
    return [str(orphan.entity.ref), word, _age(orphan.entity.created, world), why(orphan, world)]


def why(orphan: Orphan, world: World) -> Message:
    """Why it has no controller, in one sentence."""
    key = f"orphans.why.{orphan.sort.value}"
    if orphan.owner is not None:
        reference = orphan.owner.reference
        where = orphan.owner.entity.ref.namespace if orphan.owner.entity else ""
        return say(key, owner=str(Ref(reference.kind, reference.name)), uid=reference.uid, where=where or "-")
    if orphan.sort is Sort.RELEASED:
        return _released(orphan, world)
    if orphan.sort is Sort.ADOPTABLE:
        return say(key, names=_names(orphan.adopters))
    if orphan.sort is Sort.LEFT and orphan.maker is not None:
        return _left(orphan, world)
    return say(key)


def _released(orphan: Orphan, world: World) -> Message:
    labels = _joined([_difference(*one) for one in orphan.differing])
    told = say("orphans.why.released", maker=str(orphan.maker), labels=labels)
    if orphan.write is not None:
        told = say("orphans.written", told=told, manager=orphan.write.manager, age=_age(orphan.write.time, world))
    else:
        told = say("orphans.unwritten", told=told)
    return say("orphans.replaced", told=told, pod=str(orphan.replacement)) if orphan.replacement else told


def _left(orphan: Orphan, world: World) -> Message:
    told = say("orphans.why.left", maker=str(orphan.maker))
    if orphan.write is None:
        return told
    values = {"field": orphan.write.field, "manager": orphan.write.manager, "age": _age(orphan.write.time, world)}
    return say("orphans.relabelled", told=told, **values)


def _age(moment: str, world: World) -> Age | str:
    seconds = world.since(moment)
    return "-" if seconds is None else human_age(seconds)


def _difference(key: str, wanted: str, found: str) -> Message:
    return say("orphans.differs" if found else "orphans.lacks", key=key, wanted=wanted, found=found or "-")


def _joined(parts: Sequence[Message]) -> Message | str:
    if not parts:
        return "-"
    told = parts[0]
    for part in parts[1:]:
        told = say("orphans.joined", first=told, second=part)
    return told


def _names(refs: Sequence[Ref]) -> str:
    return ", ".join(map(str, refs))


def _conflicts(conflicts: Sequence[Conflict]) -> Lines:
    lines = []
    for one in conflicts:
        parties = [str(ref) for ref in one.parties]
        values = {"first": parties[0], "second": parties[-1], "names": ", ".join(parties[:-1]), "detail": one.detail}
        lines.append(say(f"orphans.clash.{one.clash.value}", **values, count=one.count))
    return Lines(lines)


def _lessons(keys: Sequence[str]) -> list[Block]:
    return [Lesson(say(f"orphans.lesson.{key}.title"), [say(f"orphans.lesson.{key}.text")]) for key in keys]


# ------------------------------------------------------------------------------------- the preview


def preview_verdict(told: Preview) -> Message:
    """What would happen, in one sentence."""
    pod = str(told.pod)
    if not told.changes:
        return say("orphans.preview.same", pod=pod)
    released = next((effect.controller for effect in told.effects if effect.claim is Claim.RELEASES), None)
    adopted = next((effect.controller for effect in told.effects if effect.claim is Claim.ADOPTS), None)
    if released and adopted:
        return say("orphans.preview.moves", pod=pod, first=str(released), second=str(adopted))
    if released:
        return say("orphans.preview.freed", pod=pod, first=str(released))
    if adopted:
        return say("orphans.preview.adopted", pod=pod, second=str(adopted))
    return say("orphans.preview.stays", pod=pod)


def preview_sections(told: Preview, *, explain: bool) -> list[Section]:
    """What each controller would do, and who selects the pod then."""
    made = [Section(say("orphans.section.then"), [Lines(list(_effects(told)))])]
    if told.chosen:
        lines = [
            say(f"orphans.chosen.{one.ref.kind.lower()}.{'gains' if one.gains else 'loses'}", name=str(one.ref))
            for one in told.chosen
        ]
        made.append(Section(say("orphans.section.chosen"), [Lines(lines)]))
    made.append(Section(say("orphans.section.command"), [Literal([command(told)])]))
    if explain:
        made.append(Section(say("orphans.section.lessons"), _lessons(LESSONS[:3])))
    return made


def _effects(told: Preview) -> Iterator[Message]:
    if told.finished:
        yield say("orphans.effect.finished")
    if told.keeps is not None:
        yield say("orphans.effect.keeps", controller=str(told.keeps))
    for effect in told.effects:
        yield _effect(effect, told)
    if told.rivals:
        yield say("orphans.effect.rivals", names=_names(told.rivals))
    if told.static:
        yield say("orphans.effect.static")
    elif told.keeps is None and not any(effect.claim is Claim.ADOPTS for effect in told.effects):
        yield say("orphans.effect.nobody")


def _effect(effect: Effect, told: Preview) -> Message:
    key = f"orphans.effect.{effect.claim.value}_{effect.then.value}"
    number = max(effect.made, len(effect.deleted))
    return say(
        f"{key}_perhaps" if effect.perhaps else (one_or_many(key, number) if number else key),
        controller=str(effect.controller),
        pod=told.pod.name,
        count=effect.count,
        wanted=0 if effect.wanted is None else effect.wanted,
        made=effect.made,
        deleted=", ".join(effect.deleted) or "-",
        perhaps=", ".join(effect.perhaps) or "-",
    )


def command(told: Preview) -> str:
    """The kubectl command that would do it; kcompanion never does."""
    words = [
        *(f"{key}={value}" for key, value in sorted(told.after.items()) if told.before.get(key) != value),
        *(f"{key}-" for key in sorted(told.before) if key not in told.after),
    ]
    space = f" -n {told.pod.namespace}" if told.pod.namespace else ""
    changed = any(key in told.before and told.before[key] != value for key, value in told.after.items())
    overwrite = " --overwrite" if changed else ""
    return f"kubectl label pod {told.pod.name}{space} {' '.join(words)}{overwrite}"


def to_json(found: Found) -> dict[str, Any]:
    """The body of `orphans -o json`."""
    return {
        "status": verdict(found)[1].value,
        "examined": found.examined,
        "counts": dict(Counter(orphan.sort.value for orphan in found.orphans)),
        "orphans": [orphan.to_json() for orphan in found.orphans],
        "conflicts": [one.to_json() for one in found.conflicts],
        "preview": found.preview.to_json() if found.preview else None,
    }
