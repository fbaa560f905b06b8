"""Performs a lesson: acts in their order, then the claims of each step, judged by the answers.

What answers is a Bench: a cluster, or a recorded run. The claims are judged anew either way, so a replay shows what
the answers prove and not what was once said of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from kcompanion.learn.answers import Answers, Exchange, Request
from kcompanion.learn.fill import NotThere, fill, shown
from kcompanion.learn.lesson import APPLY, INVALID, Act, Claim, Hold, Lesson, Pick, Send, Step, Undo, Until, Wait
from kcompanion.learn.mark import marked
from kcompanion.learn.protocol import Judgement, Run, Setting, StepRun
from kcompanion.model.message import Message, say

LONG = 160  # characters of a value that evidence shows


class Bench(Protocol):
    """What answers requests: a live cluster or a recording."""

    def send(self, name: str, request: Request, *, managed: bool) -> Exchange: ...

    def wait(self, name: str, request: Request, until: Until, seconds: float, *, managed: bool) -> Exchange: ...

    def hold(self, name: str, request: Request, until: Until, seconds: float, *, managed: bool) -> Exchange: ...

    def note(self, undo: Undo) -> None:
        """Keeps how a change outside the namespace is taken back; called before the change."""
        ...


class Audience(Protocol):
    """Who watches a run; each is told as soon as it is so."""

    def began(self, number: int, step: Step) -> None: ...

    def asked(self, act: Send | Wait | Hold, exchange: Exchange) -> None: ...

    def judged(self, judgement: Judgement) -> None: ...


def perform(lesson: Lesson, setting: Setting, bench: Bench, audience: Audience) -> Run:
    """Runs the lesson to its end, or to the first act that did not bring about its effect."""
    run = Run(lesson.id, setting)
    answers = Answers()
    for name, value in values(setting).items():
        answers.set(name, value)
    for number, step in enumerate(lesson.steps, 1):
        record = StepRun(step.id)
        run.steps.append(record)
        audience.began(number, step)
        for act in step.acts:
            run.failure = _act(act, setting, bench, audience, answers, record)
            if run.failure is not None:
                return run
        for claim in step.claims:
            judgement = judge(lesson, claim, answers)
            record.claims.append(judgement)
            audience.judged(judgement)
    return run


def values(setting: Setting) -> dict[str, str]:
    """What every lesson's placeholders may name."""
    return {"ns": setting.namespace, "image": setting.image, "run": setting.run}


def request_of(act: Send | Wait | Hold, setting: Setting, put: Callable[[Any], Any]) -> Request:
    """The act's request; `put` replaces placeholders."""
    if isinstance(act, Hold):
        return Request("GET", put(act.path))
    body = act.body
    if isinstance(body, Mapping) and act.path.count("/") and makes(act):
        body = marked(body, setting.run)
    credentials = put(act.credentials) if isinstance(act, Send) else ""
    return Request(act.method, put(act.path), put(body), act.content_type, credentials)


def makes(act: Send | Wait) -> bool:
    """Whether the body is an object to be kept (reviews and tokens are not, and bindings have no labels)."""
    kept = act.method in ("POST", "PUT") and "/binding" not in act.path and "/token" not in act.path
    return (kept and "review" not in act.path and "/eviction" not in act.path) or act.content_type == APPLY


def plan(lesson: Lesson, setting: Setting) -> Iterator[tuple[Step, list[tuple[Send | Wait | Hold, Request]]]]:
    """Every request of a lesson as far as it is known before (for `--dry-run`)."""
    known = values(setting)
    for step in lesson.steps:
        acts = [act for act in step.acts if not isinstance(act, Pick)]
        yield step, [(act, request_of(act, setting, lambda value: shown(value, known))) for act in acts]


def ways_back(lesson: Lesson, setting: Setting) -> list[Request]:
    """What takes back what a lesson does, the latest first, as far as it is known before."""
    known = values(setting)
    undone = [act.undo for step in lesson.steps for act in step.acts if isinstance(act, Send) and act.undo is not None]
    return [Request(one.method, shown(one.path, known), shown(one.body, known)) for one in reversed(undone)]


def judge(lesson: Lesson, claim: Claim, answers: Answers) -> Judgement:
    """A claim is held only if its proof is complete: a field that is missing never proves anything."""
    try:
        held = bool(claim.held(answers))
        says = dict(claim.says(answers))
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, StopIteration):
        held, says = False, None
    told = say("learn.unproved", id=claim.id) if says is None else lesson.text(f"claim.{claim.id}", **says)
    evidence = tuple((field, spelled(value)) for path in claim.shows for field, value in _fields(answers, path))
    return Judgement(claim.id, told, held, evidence)


def _fields(answers: Answers, path: str) -> Iterable[tuple[str, Any]]:
    """A field and its value; `NAME.*` is one line for each field of a picked mapping: what was added."""
    if not path.endswith(".*"):
        return [(path, answers.at(path))]
    picked = answers.at(path.removesuffix(".*"))
    return [(f"+ {key}", value) for key, value in picked.items()] if isinstance(picked, Mapping) else [(path, None)]


def spelled(value: object) -> str:
    """A field's value on one line."""
    told = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return told if len(told) <= LONG else told[: LONG - 1] + "…"


def _act(
    act: Act, setting: Setting, bench: Bench, audience: Audience, answers: Answers, record: StepRun
) -> Message | None:
    """Does one act; the reason when it did not bring about its effect."""
    try:
        if isinstance(act, Pick):
            answers.set(act.name, act.of(answers))
            return None
        request = request_of(act, setting, lambda value: fill(value, answers.raw))
        if isinstance(act, Send) and act.undo is not None:
            undo = act.undo
            bench.note(Undo(undo.method, fill(undo.path, answers.raw), fill(undo.body, answers.raw), undo.content_type))
    except (NotThere, KeyError, TypeError, IndexError, ValueError, AttributeError, StopIteration) as error:
        return say("learn.failed.missing", act=act.name, what=" ".join(str(error).split())[:LONG] or "-")
    exchange = _exchange(act, request, bench, answers)
    answers.keep(exchange)
    record.exchanges.append(exchange)
    audience.asked(act, exchange)
    return _failure(act, exchange)


def _exchange(act: Send | Wait | Hold, request: Request, bench: Bench, answers: Answers) -> Exchange:
    if isinstance(act, Send):
        return bench.send(act.name, request, managed=act.managed)
    ask = bench.wait if isinstance(act, Wait) else bench.hold
    return ask(act.name, request, act.until.beside(answers), act.seconds, managed=act.managed)


def _failure(act: Send | Wait | Hold, exchange: Exchange) -> Message | None:
    if isinstance(act, Send):
        if exchange.status in act.status:
            return None
        wanted = "/".join(map(str, act.status))
        said = exchange.body.get("message", "") if isinstance(exchange.body, Mapping) else ""
        return say("learn.failed.status", act=act.name, status=exchange.status, wanted=wanted, said=said or "-")
    if exchange.held:
        return None
    kind = "wait" if isinstance(act, Wait) else "hold"
    return say(f"learn.failed.{kind}", what=act.until.told, seconds=f"{act.seconds:.0f}")


def credentials_word(credentials: str) -> str:
    """How credentials are told: never by their value."""
    return {"": "", INVALID: INVALID}.get(credentials, "token")
