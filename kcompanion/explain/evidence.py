"""Evidence and steps in one line: what rules cite and advise most."""

from __future__ import annotations

from kcompanion.model.events import Event
from kcompanion.model.finding import Evidence, Risk, Step
from kcompanion.model.message import Message
from kcompanion.model.refs import Ref

LONGEST = 300  # characters of a value that is cited


def seen(ref: Ref, path: str, value: object, at: str = "") -> Evidence:
    """A fact read from an object: `seen(pod.ref, "status.phase", "Pending")`."""
    return Evidence(str(ref), path, _short(value), at)


def told(event: Event) -> Evidence:
    """What an event says, with how often and when last."""
    times = f" (×{event.count})" if event.count > 1 else ""
    about = Ref(event.kind, event.name, event.namespace)
    return Evidence(f"Event of {about}", event.reason, _short(event.message) + times, event.last)


def inspect(command: str, text: Message | None = None) -> Step:
    return Step(Risk.INSPECT, command, text)


def low_risk(command: str = "", text: Message | None = None) -> Step:
    return Step(Risk.LOW_RISK, command, text)


def change(command: str = "", text: Message | None = None) -> Step:
    return Step(Risk.CHANGING, command, text)


def destroy(command: str = "", text: Message | None = None) -> Step:
    return Step(Risk.DESTRUCTIVE, command, text)


def _short(value: object) -> str:
    words = " ".join(str(value).split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
