"""The protocol of a run: what `-o json` and `--record` write, and `--from` reads again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kcompanion.errors import BadRecording
from kcompanion.learn.answers import Exchange, Request
from kcompanion.learn.lesson import EXEC
from kcompanion.model.fields import dig, map_at, maps_at, text_at, texts_at
from kcompanion.model.message import Message

KIND = "LessonRun"
POD_EXEC = 7  # slashes in /api/v1/namespaces/NS/pods/NAME/exec?container=NAME
_HINT = "`learn NAME --record FILE` writes one"


@dataclass(frozen=True)
class Setting:
    """Where a lesson runs, and under which mark."""

    run: str
    namespace: str
    own: bool  # the namespace was made for this run
    image: str


@dataclass(frozen=True)
class Judgement:
    """A claim and whether the answers bear it out; evidence is (field, value)."""

    id: str
    told: Message
    held: bool
    evidence: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        evidence = [{"field": name, "value": value} for name, value in self.evidence]
        return {"id": self.id, "told": self.told.to_json(), "held": self.held, "evidence": evidence}


@dataclass
class StepRun:
    """What was done in one step, and what it showed."""

    id: str
    exchanges: list[Exchange] = field(default_factory=list)
    claims: list[Judgement] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "acts": [one.to_json() for one in self.exchanges],
            "claims": [one.to_json() for one in self.claims],
        }


@dataclass
class Run:
    """A whole run. `failure` says why it ended early."""

    lesson: str
    setting: Setting
    steps: list[StepRun] = field(default_factory=list)
    failure: Message | None = None
    left: tuple[str, ...] = ()  # what could not be removed

    @property
    def shown(self) -> bool:
        """Whether it came to its end and every claim held."""
        return self.failure is None and all(claim.held for step in self.steps for claim in step.claims)

    def to_json(self) -> dict[str, Any]:
        return {
            "lesson": self.lesson,
            "run": self.setting.run,
            "namespace": self.setting.namespace,
            "ownNamespace": self.setting.own,
            "image": self.setting.image,
            "shown": self.shown,
            "failure": self.failure.to_json() if self.failure else None,
            "steps": [step.to_json() for step in self.steps],
            "left": list(self.left),
        }


@dataclass(frozen=True)
class Recorded:
    """A run read back: its setting and its exchanges, in their order."""

    lesson: str
    setting: Setting
    exchanges: tuple[Exchange, ...]
    left: tuple[str, ...]


def read(document: Any) -> Recorded:  # noqa: ANN401 - JSON
    """A recorded run.

    Raises:
        BadRecording: the document is something else.
    """
    if text_at(document, "kind") != KIND or not text_at(document, "lesson"):
        raise BadRecording("that is no recorded lesson", _HINT)
    setting = Setting(
        text_at(document, "run"),
        text_at(document, "namespace"),
        dig(document, "ownNamespace") is True,
        text_at(document, "image"),
    )
    acts = tuple(_exchange(act) for step in maps_at(document, "steps") for act in maps_at(step, "acts"))
    return Recorded(text_at(document, "lesson"), setting, acts, tuple(texts_at(document, "left")))


def _exchange(act: Mapping[str, Any]) -> Exchange:
    asked, answer = map_at(act, "request"), map_at(act, "answer")
    if text_at(asked, "method") == EXEC and text_at(asked, "path").count("/") != POD_EXEC:
        raise BadRecording("a command in a pod names no pod", _HINT)
    credentials = text_at(asked, "credentials")
    request = Request(
        text_at(asked, "method"),
        text_at(asked, "path"),
        asked.get("body"),
        text_at(asked, "contentType") or "application/json",
        "" if credentials == "own" else credentials,
    )
    return Exchange(
        text_at(act, "name"),
        request,
        _whole(answer, "status", 0),
        answer.get("body"),
        _whole(answer, "atMs", 0),
        _whole(answer, "tries", 1),
        answer.get("held") is not False,
    )


def _whole(answer: Mapping[str, Any], field: str, otherwise: int) -> int:
    value = answer.get(field, otherwise)
    if type(value) is not int:  # true is an int too
        raise BadRecording(f"an answer's {field} is no whole number", _HINT)
    return value
