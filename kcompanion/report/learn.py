"""A lesson as it is read: what is asked, each request with its real answer, what that proves, and a question back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

import yaml

from kcompanion.learn.answers import Exchange, Request
from kcompanion.learn.lesson import COMMANDS, KUBECONFIG, RUN, START, STOP, TOOL, Hold, Lesson, Send, Step, Wait
from kcompanion.learn.needs import Unmet, open_questions
from kcompanion.learn.protocol import Judgement, Run, Setting
from kcompanion.model.fields import dig, text_at
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.report.document import Block, Cell, Document, Lines, Literal, Section, Table, columns

BODY, WIDE = 26, 72  # lines and columns of a body that are shown
PRINTED = 14  # lines of what a command printed
_OPEN = re.compile(r"[\w./=-]*<[\w.-]+>[\w./-]*")  # a word with a placeholder
_HEADS = columns("LESSON MIN TITLE NEEDS TOUCHES")
Acts = Iterable[tuple[Send | Wait | Hold, Exchange]]


def catalogue(lessons: Sequence[Lesson], lacks: Mapping[str, Sequence[Unmet]] | None = None) -> Document:
    """The list of lessons; with what each lacks on a cluster, where that was asked."""
    rows: list[list[Cell]] = [
        [one.id, one.minutes, one.text("title"), _words("need", one.needs), _words("touch", one.touches)]
        for one in lessons
    ]
    lacking = {name: missing for name, missing in (lacks or {}).items() if missing}
    able = [] if lacks is None else [_able(len(lessons), lacking)]
    return Document(
        sections=[
            Section(say("learn.list", count=len(lessons)), [Table(_HEADS, rows)]),
            *able,
            Section(say("learn.how"), [Lines([say("learn.how_run"), say("learn.how_replay"), say("learn.how_clean")])]),
        ],
        gaps=tuple(dict.fromkeys(gap for missing in lacking.values() for gap in open_questions(missing))),
    )


def _able(count: int, lacking: Mapping[str, Sequence[Unmet]]) -> Section:
    """How many can run, what each of the others lacks, and of which it is not known."""
    unknown = [name for name, missing in lacking.items() if open_questions(missing)]
    able = count - len(lacking)
    told = say("learn.able", count=able, of=count)
    if unknown:
        told = say("learn.able_unknown", count=able, of=count, unknown=len(unknown))
    lines: list[Cell] = [
        say("learn.lacking", id=name, what=_joined([one.told for one in missing if one.known]))
        for name, missing in lacking.items()
        if name not in unknown
    ]
    lines += [say("learn.how_lacking")] if lines else []
    lines += [say("learn.unknown", ids=", ".join(unknown))] if unknown else []
    status = Status.UNKNOWN if unknown else Status.WARN if lines else Status.OK
    return Section(told, [Lines(lines)] if lines else [], status)


def _words(kind: str, names: Sequence[str]) -> Cell:
    if not names:
        return None
    return _joined([say(f"learn.{kind}.{name}") for name in names])


def _joined(words: Sequence[Message]) -> Message:
    told = words[0]
    for word in words[1:]:
        told = say("learn.both", first=told, second=word)
    return told


def opening(lesson: Lesson, where: Message) -> Document:
    """Question and plan, before anything is done."""
    return Document(
        title=say("learn.title", id=lesson.id, title=lesson.text("title")),
        sections=[
            Section(say("learn.question"), [Lines([lesson.text("question")])]),
            Section(say("learn.plan"), [Lines([lesson.text("plan"), where])]),
        ],
    )


def step(lesson: Lesson, number: int, one: Step, acts: Acts, claims: Sequence[Judgement]) -> Document:
    """What was asked in a step, what came back, and what that proves."""
    blocks = [block for act, exchange in acts for block in _exchange(act, exchange)]
    heading = say("learn.step", number=number, told=lesson.text(f"step.{one.id}"))
    return Document(sections=[Section(heading, blocks), *(_claim(claim) for claim in claims)])


def planned(lesson: Lesson, number: int, one: Step, asks: Iterable[tuple[Send | Wait | Hold, Request]]) -> Section:
    """A step of a dry run."""
    blocks = [block for act, request in asks for block in _request(act, request, whole=True)]
    return Section(say("learn.step", number=number, told=lesson.text(f"step.{one.id}")), blocks)


def around(when: str, requests: Iterable[Request]) -> Section:
    """What a dry run asks before the first step, or after the last (`before`, `after`)."""
    blocks: list[Block] = []
    for request in requests:
        if request.method in COMMANDS:
            blocks += [Lines([say("learn.command")]), Literal(typed(request.method, request.path, request.body))]
        elif asked := dig(request.body, "spec", "resourceAttributes"):  # a review: its body says no more than this
            what = "/".join(asked[part] for part in ("resource", "subresource") if asked.get(part))
            line = say("learn.request.review", path=request.path, verb=asked["verb"], what=what)
            blocks.append(Lines([line]))
        else:
            line = say("learn.request.own", method=request.method, path=request.path)
            blocks += _with_body(line, request, whole=True)
    return Section(say(f"learn.{when}"), blocks)


def typed(method: str, path: str, words: object) -> list[str]:
    """A command as one types it, on lines of a terminal's width; in a pod, the kubectl that does the same."""
    said = [str(word) for word in words] if isinstance(words, Sequence) else []
    if method in (RUN, TOOL):
        return folded([path, *said])
    if method == START:
        return folded([path, *said, "&"])
    if method == STOP:
        return ["kill %1"]
    _, _, _, _, namespace, _, pod, end = path.split("/")
    return folded(["kubectl", "exec", "-n", namespace, pod, "-c", end.partition("container=")[2], "--", *said])


def closing(lesson: Lesson, run: Run) -> Document:
    """The conclusion, or what went otherwise than it should; of a recorded run also what it had left behind."""
    left = [Section(say("learn.left_then"), [Lines(list(run.left))], Status.FAIL)] if run.left else []
    return Document(sections=[*_ended(lesson, run), *left])


def _ended(lesson: Lesson, run: Run) -> list[Section]:
    if run.failure is not None:
        return [Section(say("learn.stopped"), [Lines([run.failure])], Status.FAIL)]
    claims = [claim for one in run.steps for claim in one.claims]
    wrong = [claim for claim in claims if not claim.held]
    if wrong:
        told = say(one_or_many("learn.not_shown", len(wrong)), count=len(wrong), of=len(claims))
        return [Section(told, [Lines([claim.told for claim in wrong])], Status.FAIL)]
    return [
        Section(say("learn.conclusion", count=len(claims)), [Lines([lesson.text("conclusion")])], Status.OK),
        Section(say("learn.check"), [Lines([lesson.text("ask")])]),
    ]


def answer(lesson: Lesson) -> Document:
    """The answer to the question at the end."""
    return Document(sections=[Section(say("learn.answer"), [Lines([lesson.text("answer")])])])


def where(setting: Setting, *, replayed: bool) -> Message:
    """Where the requests go."""
    kind = "replay" if replayed else "own" if setting.own else "shared"
    return say(f"learn.where.{kind}", namespace=setting.namespace)


def _exchange(act: Send | Wait | Hold, exchange: Exchange) -> list[Block]:
    if exchange.request.method in COMMANDS:
        return _command(act, exchange)
    if exchange.request.method == KUBECONFIG:
        return _request(act, exchange.request)
    told = f"{exchange.status} {_reason(exchange)}".strip()
    if isinstance(act, Send):
        return [*_request(act, exchange.request), Lines([say("learn.answered", name=exchange.name, told=told)])]
    return [*_request(act, exchange.request), Lines([_looks(act, exchange)])]


def _looks(act: Wait | Hold, exchange: Exchange) -> Message:
    kind = ("waited" if exchange.held else "waited_in_vain") if isinstance(act, Wait) else "held"
    return say(
        one_or_many(f"learn.{kind}", exchange.tries),
        name=exchange.name,
        until=act.until.told,
        count=exchange.tries,
        ms=exchange.at_ms,
    )


def _command(act: Send | Wait | Hold, exchange: Exchange) -> list[Block]:
    """A command, how it ended, and what it printed."""
    asked = _request(act, exchange.request)
    if isinstance(act, Send):
        kind = "started" if exchange.request.method == START and exchange.status == 0 else "ended"
        answered = say(f"learn.{kind}", name=exchange.name, code=exchange.status)
    else:
        answered = _looks(act, exchange)
    out, err = (exchange.body.get(key) for key in ("out", "err")) if isinstance(exchange.body, Mapping) else ("", "")
    printed = body_lines(out) if isinstance(out, Mapping | list) else str(out or "").splitlines()
    lines = [clipped(line) for line in [*printed, *str(err or "").splitlines()]]
    lines = lines if len(lines) <= PRINTED else [*lines[: PRINTED - 1], "…"]
    return [*asked, Lines([answered]), *([Literal(lines)] if lines else [])]


def _reason(exchange: Exchange) -> str:
    """The API server's own words of a refusal, or what an answer holds."""
    if exchange.status >= 300:
        return " ".join(part for part in (text_at(exchange.body, "reason"), text_at(exchange.body, "message")) if part)
    kind, name = text_at(exchange.body, "kind"), text_at(exchange.body, "metadata", "name")
    return f"{kind} {name}".strip()


def _request(act: Send | Wait | Hold, request: Request, *, whole: bool = False) -> list[Block]:
    if request.method in COMMANDS:
        line = say("learn.command" if isinstance(act, Send) else "learn.command_again")
        return [Lines([line]), Literal(typed(request.method, request.path, request.body))]
    kind = {"": "own", "invalid": "invalid"}.get(request.credentials, "token")
    line = say(f"learn.request.{kind}", method=request.method, path=request.path)
    if request.method == KUBECONFIG:
        line = say("learn.request.kubeconfig")
    if isinstance(act, Wait | Hold):
        line = say("learn.request.again", method=request.method, path=request.path)
    return _with_body(line, request, whole=whole)


def _with_body(line: Message, request: Request, *, whole: bool) -> list[Block]:
    if request.body is None or request.method == "DELETE":
        return [Lines([line])]
    return [Lines([line]), Literal(body_lines(request.body, whole=whole))]


def body_lines(body: object, *, whole: bool = False) -> list[str]:
    """A body as people write it, as much of it as fits, or all its lines."""
    plain = yaml.safe_dump(_plain(body), sort_keys=False, allow_unicode=True, width=WIDE)
    lines = [clipped(line) for line in plain.splitlines()]
    return lines if whole or len(lines) <= BODY else [*lines[: BODY - 1], "…"]


def clipped(line: str) -> str:
    return line if len(line) <= WIDE else line[: WIDE - 1] + "…"


def folded(words: Sequence[str]) -> list[str]:
    """Words of a command on lines that may be pasted, but for what a dry run cannot know yet."""
    lines = [""]
    for word in (word if _OPEN.fullmatch(word) else shlex.quote(word) for word in words):
        if lines[-1] and len(lines[-1]) + len(word) > WIDE - 2:
            lines[-1] += "\\"
            lines.append("  ")
        lines[-1] += f"{word} "
    return [line.rstrip() for line in lines]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _claim(claim: Judgement) -> Section:
    lines = [f"{field} = {value}" for field, value in claim.evidence]
    return Section(claim.told, [Lines(lines)] if lines else [], Status.OK if claim.held else Status.FAIL)
