"""A recording of a cluster whose every text is hostile: what a report must show and never obey."""

from __future__ import annotations

from typing import Any

from kcompanion.cli.context import recording_path
from kcompanion.cluster import recording
from kcompanion.cluster.session import Session
from kcompanion.model.ask import Outcome, Reading
from kcompanion.model.snapshot import Snapshot

SCRIPT = "</script><script>alert(1)</script>"
MARKUP = "<img src=x onerror=alert(1)> [click](javascript:alert(1)) | **b** `x` $a$ @all ```"
ANSI = "\x1b[31mred\x1b[0m\x07"
BACKWARDS = "abc\u202edef\u2066ghi"
HANGUL = "한글-이름"
LONG = "a" * 253
HOSTILE = (SCRIPT, MARKUP, ANSI, BACKWARDS, HANGUL, LONG)


def hostile(name: str = "faulty") -> Snapshot:
    """A shipped recording with hostile names of pods, labels, annotations, messages and images."""
    snapshot = recording.load(recording_path(f"demo:{name}"))
    readings = {key: _changed(reading) for key, reading in snapshot.readings.items()}
    return Snapshot(snapshot.now, snapshot.origin, readings)


def _changed(reading: Reading) -> Reading:
    if reading.outcome is not Outcome.OK or not isinstance(reading.body, list):
        return reading
    plural = reading.ask.resource.plural if reading.ask.resource else ""
    body = [_twisted(item, index) if plural in _TWISTED else item for index, item in enumerate(reading.body)]
    return Reading(reading.ask, reading.outcome, reading.status, reading.detail, body, reading.stale, reading.peer)


_TWISTED = frozenset({"pods", "services", "deployments", "events", "namespaces", "nodes"})


def _twisted(item: Any, index: int) -> Any:
    """The item with one hostile text in its labels, annotations, messages and, of every second pod, its name."""
    text = HOSTILE[index % len(HOSTILE)]
    metadata = {**item.get("metadata", {})}
    metadata["labels"] = {**metadata.get("labels", {}), "odd": text}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), text: text}
    if index % 2 == 0 and "nodeName" in item.get("spec", {}):
        metadata["name"] = HOSTILE[index // 2 % len(HOSTILE)]
    status = {**item.get("status", {})}
    status["conditions"] = [{**one, "message": text} for one in status.get("conditions") or []]
    if "containerStatuses" in status:
        status["containerStatuses"] = [_reasoned(one) for one in status["containerStatuses"]]
    return {**item, "metadata": metadata, "status": status, **({"message": text} if "message" in item else {})}


def _reasoned(container: Any) -> Any:
    """The container's status; what keeps it from running has a reason that no page is wide enough for."""
    states = {name: {**told, "reason": LONG} if "reason" in told else told for name, told in container["state"].items()}
    return {**container, "state": states}


def session(snapshot: Snapshot) -> Session:
    return Session(recording.RecordedSource(snapshot))
