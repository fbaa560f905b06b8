"""`whoami`: the identity, its certificate, and what a node needs to join."""

from __future__ import annotations

from kcompanion.access.identity import Identity, Join, Token
from kcompanion.model.fields import text_at
from kcompanion.model.message import Message, say
from kcompanion.model.times import human_age
from kcompanion.report.document import Block, Cell, Facts, Lesson, Lines, Section, Table, columns


def verdict(found: Identity, impersonated: str) -> Message:
    if not found.user:
        return say("whoami.verdict.unknown")
    if impersonated:
        return say("whoami.verdict.impersonated", user=found.user)
    return say("whoami.verdict.known", user=found.user)


def sections(found: Identity, impersonated: str, credential_user: str, *, explain: bool = False) -> list[Section]:
    """Identity, then joining."""
    pairs: list[tuple[Message, Cell]] = [
        (say("whoami.fact.user"), found.user or None),
        (say("whoami.fact.groups"), ", ".join(found.groups) or None),
        (say("whoami.fact.extra"), ", ".join(found.extra) or None),
        (say("whoami.fact.entry"), credential_user or None),
    ]
    if impersonated:
        pairs.append((say("whoami.fact.impersonated"), impersonated))
    blocks: list[Block] = [Facts(pairs), *_lesson("identity", on=explain)]
    return [
        Section(say("whoami.section.identity"), blocks),
        Section(say("whoami.section.certificate"), _certificate(found)),
        Section(say("whoami.section.join"), [*_join(found.join), *_lesson("join", on=explain)]),
    ]


def _certificate(found: Identity) -> list[Block]:
    if found.certificate is None:
        return [Lines((say("whoami.no_certificate"),))]
    end: Cell = text_at(found.certificate, "notAfter")
    if found.days is not None:
        word = "ended" if found.days < 0 else "ends"
        end = say(f"whoami.{word}", end=end, days=abs(found.days))
    return [
        Facts(
            [
                (say("whoami.fact.subject"), text_at(found.certificate, "subject")),
                (say("whoami.fact.issuer"), text_at(found.certificate, "issuer")),
                (say("whoami.fact.end"), end),
            ]
        )
    ]


def _join(join: Join) -> list[Block]:
    if not join.by_kubeadm:
        unread = any(there is None for there in join.left.values())
        return [Lines((say("whoami.join_unread" if unread else "whoami.no_kubeadm"),))]
    pairs: list[tuple[Message, Cell]] = [
        (say("whoami.fact.hash"), join.hash or None),
        (say("whoami.fact.matches"), _matches(join)),
        (say("whoami.fact.endpoint"), join.endpoint or None),
    ]
    for name, there in join.left.items():
        word = {True: "there", False: "absent", None: "unread"}[there]
        pairs.append((say("whoami.fact.left"), say(f"whoami.left.{word}", name=name)))
    blocks: list[Block] = [Facts(pairs)]
    if join.tokens is None:
        blocks.append(Lines((say("whoami.tokens_unread"),)))
    elif not join.tokens:
        blocks.append(Lines((say("whoami.tokens_none"),)))
    else:
        rows: list[list[Cell]] = [
            [number, _expiry(token), token.expiration or None, ", ".join(token.usages)]
            for number, token in enumerate(join.tokens, 1)
        ]
        blocks.append(Table(columns("TOKEN ENDS EXPIRATION USAGES"), rows))
    blocks.append(Lines((say("whoami.check_hash"), say("whoami.new_token"))))
    return blocks


def _matches(join: Join) -> Cell:
    if not join.hash or not join.root_hash:
        return None
    return say("whoami.same" if join.hash == join.root_hash else "whoami.different")


def _expiry(token: Token) -> Cell:
    if token.seconds is None:
        return say("whoami.never")
    if token.seconds < 0:
        return say("whoami.token_ended", age=human_age(-token.seconds))
    return say("whoami.in_time", age=human_age(token.seconds))


def _lesson(part: str, *, on: bool) -> list[Lesson]:
    if not on:
        return []
    return [Lesson(say(f"whoami.lesson.{part}.title"), (say(f"whoami.lesson.{part}.text"),))]
