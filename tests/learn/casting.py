"""Replays of the shipped runs, as recorded or with their answers changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kcompanion.learn.answers import Exchange
from kcompanion.learn.lesson import Hold, Lesson, Send, Step, Wait
from kcompanion.learn.perform import perform
from kcompanion.learn.protocol import Judgement, Recorded, Run, read
from kcompanion.learn.replay import Replay

RECORDINGS = Path(__file__).resolve().parents[2] / "kcompanion" / "recordings" / "lessons"


class Silent:
    def began(self, number: int, step: Step) -> None: ...
    def asked(self, act: Send | Wait | Hold, exchange: Exchange) -> None: ...
    def judged(self, judgement: Judgement) -> None: ...


def document(lesson: Lesson) -> dict[str, Any]:
    """The file of a lesson's shipped run."""
    found: dict[str, Any] = json.loads((RECORDINGS / f"{lesson.id}.json").read_text(encoding="utf-8"))
    return found


def recorded(lesson: Lesson) -> Recorded:
    """The shipped run of a lesson."""
    return read(document(lesson))


def replayed(lesson: Lesson) -> Run:
    """The lesson performed on its shipped run."""
    shipped = recorded(lesson)
    run = perform(lesson, shipped.setting, Replay(shipped), Silent())
    run.left = shipped.left
    return run
