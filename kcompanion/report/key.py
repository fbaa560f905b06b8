"""`key`: the key of an object in etcd, what its parts mean, and what reading it back told."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.model.fields import text_at
from kcompanion.model.message import Message, say
from kcompanion.report.document import Block, Cell, Facts, Lesson, Lines, Section
from kcompanion.trace.etcdkey import Envelope
from kcompanion.trace.stored import Place, ReadBack


def verdict(place: Place) -> Message:
    """Where it is, in one sentence."""
    what = str(place.ref)
    if place.computed:
        return say("key.not_stored", what=what)
    if place.served_by:
        return say("key.aggregated", what=what, service=place.served_by)
    return say("key.verdict", what=what, key=place.key)


def sections(place: Place, back: ReadBack | None, *, explain: bool = False) -> list[Section]:
    """The parts, the object, what etcd told, and notes."""
    made = []
    if place.stored:
        pairs = [(say("key.fact.part", text=part.text), part.told) for part in place.parts]
        made.append(Section(say("key.section.parts"), [Facts(pairs)]))
    made.append(Section(say("key.section.object"), [_object(place)]))
    if back is not None:
        made.append(Section(say("key.section.read"), list(_read(back))))
    notes: list[Block] = [Lines(tuple(_notes(place)))] if place.stored else []
    if explain:
        notes.append(Lesson(say("key.lesson.title"), (say("key.lesson.text"),)))
    made.append(Section(say("key.section.good"), notes))
    return made


def _object(place: Place) -> Block:
    if place.unread is not None:
        reason = say(f"common.outcome.{place.unread.outcome.value}")
        return Lines((say("key.not_checked", reason=reason),))
    if place.item is None:
        return Lines((say("key.not_there"),))
    return Facts(
        (
            (say("key.fact.uid"), text_at(place.item, "metadata", "uid")),
            (say("key.fact.version"), place.version),
        )
    )


def _read(back: ReadBack) -> Iterator[Block]:
    if back.unread:
        yield Lines((say(f"key.unread.{back.unread}", pod=back.pod, reason=back.reason),))
        return
    pairs: list[tuple[Message, Cell]] = [
        (say("key.fact.pod"), back.pod),
        (say("key.fact.command"), " ".join(back.command)),
    ]
    stored = back.stored
    if stored is None:
        yield Facts(pairs)
        yield Lines((say("key.note.absent"),))
        return
    kind = " ".join(word for word in (stored.envelope.api_version, stored.envelope.kind) if word)
    pairs += [
        (say("key.fact.encoding"), _encoding(stored.envelope)),
        (say("key.fact.type"), kind or None),
        (say("key.fact.size"), say("key.note.bytes", bytes=stored.size)),
        (say("key.fact.created"), str(stored.created)),
        (say("key.fact.modified"), _revision(back, stored.modified)),
        (say("key.fact.writes"), say("key.note.versions", count=stored.writes)),
    ]
    yield Facts(pairs)
    yield Lines((say("key.note.hidden"),))


def _revision(back: ReadBack, revision: int) -> Message:
    if back.same is None:
        return say("key.note.same_unknown", revision=revision)
    if back.same:
        return say("key.note.same", revision=revision)
    return say("key.note.differs", revision=revision, version=back.version)


def _encoding(found: Envelope) -> Message:
    if found.encoding == "encrypted":
        return say("key.encoding.encrypted", provider=found.provider)
    return say(f"key.encoding.{found.encoding}")


def _notes(place: Place) -> Iterator[Message]:
    if not place.flags_seen:
        yield say("key.note.prefix_unknown")
    if place.override:
        yield say("key.note.override", servers=place.override)
    yield say("key.note.one_version")
