"""What happened last: in the order of time."""

from __future__ import annotations

from typing import Any

from kcompanion.trace.lately import lately


def happened(name: str, when: str) -> dict[str, Any]:
    about = {"kind": "Pod", "name": name, "namespace": "shop"}
    return {"metadata": {"name": name}, "involvedObject": about, "reason": name, "message": "so", "eventTime": when}


def test_the_newest_is_first_whatever_part_of_a_second_is_written() -> None:
    times = {"first": "2026-11-21T10:00:21Z", "then": "2026-11-21T10:00:21.980000Z", "last": "2026-11-21T10:00:22Z"}
    found = lately([happened(name, when) for name, when in times.items()] + [happened("never", "")])
    assert [one.subject.partition("/")[2] for one in found] == ["last", "then", "first", "never"]
