"""`contexts`: the list, or one context in detail with the commands to switch."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.access.contexts import Context
from kcompanion.model.fields import text_at
from kcompanion.model.message import Message, say
from kcompanion.report.document import Block, Cell, Facts, Lesson, Lines, Section, Table, columns


def verdict(found: Sequence[Context], current: str) -> Message:
    if not found:
        return say("contexts.verdict.none")
    if not current:
        return say("contexts.verdict.no_current", count=len(found))
    return say("contexts.verdict.current", count=len(found), current=current)


def listing(found: Sequence[Context], files: Sequence[str], *, explain: bool = False) -> list[Section]:
    """All contexts, the current one marked, and how to switch."""
    rows: list[list[Cell]] = [
        [
            "*" if c.current else "",
            c.name,
            c.cluster,
            c.namespace,
            _credential_and_end(c),
            c.user,
            c.server,
        ]
        for c in found
    ]
    head = columns("CURRENT NAME CLUSTER NAMESPACE CREDENTIAL +USER +SERVER")
    commands = switching(next((c.name for c in found if not c.current), "NAME"))
    blocks: list[Block] = [Table(head, rows), *_lesson(on=explain)]
    sections = [Section(say("contexts.section.contexts"), blocks)]
    if found:
        sections.append(Section(say("contexts.section.switch"), [commands]))
    paths: list[Cell] = list(files)
    sections.append(Section(say("contexts.section.files"), [Lines(paths)]))
    return sections


def switching(name: str) -> Facts:
    """Kubectl's commands to change context and namespace."""
    return Facts(
        [
            (say("contexts.switch.context"), f"kubectl config use-context {name}"),
            (say("contexts.switch.namespace"), "kubectl config set-context --current --namespace=NAMESPACE"),
            (say("contexts.switch.once"), f"kubectl --context {name} -n NAMESPACE get pods"),
        ]
    )


def detail(context: Context, *, explain: bool = False) -> list[Section]:
    """One context with its cluster and user."""
    certificate, authority = context.credential.certificate, context.authority
    pairs: list[tuple[Message, Cell]] = [
        (say("contexts.fact.current"), say("contexts.yes" if context.current else "contexts.no")),
        (say("contexts.fact.cluster"), context.cluster),
        (say("contexts.fact.server"), context.server or None),
        (say("contexts.fact.authority"), _subject_and_end(authority)),
        (say("contexts.fact.user"), context.user or None),
        (say("contexts.fact.credential"), credential(context)),
        (say("contexts.fact.certificate"), _subject_and_end(certificate)),
        (say("contexts.fact.ends"), ends(context)),
        (say("contexts.fact.namespace"), context.namespace),
    ]
    if context.missing:
        pairs.append((say("contexts.fact.missing"), ", ".join(context.missing)))
    title = say("contexts.section.context", name=context.name)
    return [
        Section(title, [Facts(pairs), *_lesson(on=explain)]),
        Section(say("contexts.section.switch"), [switching(context.name)]),
    ]


def credential(context: Context) -> Cell:
    """`certificate`, `exec (aws)`: the kind and never the thing."""
    kinds = context.credential.kinds
    if not kinds:
        return say("contexts.kind.none")
    name = say(f"contexts.kind.{kinds[0].replace('-', '_')}")
    if context.credential.program:
        return say("contexts.kind.with", kind=name, what=context.credential.program)
    return name


def _credential_and_end(context: Context) -> Cell:
    kind, end = credential(context), ends(context)
    return kind if end is None else say("contexts.with_end", kind=kind, end=end)


def ends(context: Context) -> Cell:
    """When the client certificate ends, in days."""
    if context.days is None:
        return None
    if context.days < 0:
        return say("contexts.ended", days=-context.days)
    return say("contexts.in_days", days=context.days)


def _subject_and_end(facts: object) -> Cell:
    subject = text_at(facts, "subject")
    if not subject:
        return None
    return say("contexts.until", subject=subject, end=text_at(facts, "notAfter"))


def _lesson(*, on: bool) -> list[Lesson]:
    return [Lesson(say("contexts.lesson.title"), (say("contexts.lesson.text"),))] if on else []
