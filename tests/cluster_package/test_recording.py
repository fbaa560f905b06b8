"""Recordings: written whole, read with suspicion, and answering like the cluster they came from."""

from __future__ import annotations

import gzip
import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster import recording
from kcompanion.cluster.recording import RecordedSource
from kcompanion.errors import BadRecording, CompanionError
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Reading, getting, listing, local, raw, review
from kcompanion.model.snapshot import Origin, Snapshot

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)


def pod(name: str, namespace: str = "shop", **labels: str) -> dict[str, Any]:
    managed = [{"manager": "kubectl"}]
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels, "managedFields": managed}}


def snapshot(*readings: Reading) -> Snapshot:
    origin = Origin("ctx", "c", "https://10.0.0.1", "shop", "jane", fake="a published layout")
    return Snapshot(NOW, origin, {reading.ask.key: reading for reading in readings})


EVERY_SORT = snapshot(
    Reading(listing(r.PODS, keep_managed_fields=True), Outcome.OK, 200, body=[pod("a", tier="web"), pod("b", "other")]),
    Reading(listing(r.NODES), Outcome.FORBIDDEN, 403, "no", [{"metadata": {"name": "half"}}]),
    Reading(getting(r.SERVICES, "s", "shop"), Outcome.OK, 200, body={"metadata": {"name": "s"}}, stale=True),
    Reading(raw("/readyz?verbose", "https://10.0.0.2"), Outcome.OK, 500, body="[-]etcd", peer={"subject": "CN=x"}),
    Reading(review(r.SELF_REVIEW, {}), Outcome.OK, 201, body={"status": {}}),
    Reading(listing(r.CRDS, metadata_only=True), Outcome.ABSENT, 404),
    Reading(local("client-certificate"), Outcome.OK, body={"subject": "CN=jane"}),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.kcr"
    recording.save(EVERY_SORT, path)
    assert recording.load(path) == EVERY_SORT


def test_the_same_readings_give_the_same_bytes(tmp_path: Path) -> None:
    backwards = Snapshot(NOW, EVERY_SORT.origin, dict(reversed(list(EVERY_SORT.readings.items()))))
    recording.save(EVERY_SORT, tmp_path / "a")
    recording.save(backwards, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "x.kcr"
    recording.save(EVERY_SORT, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CompanionError, match="cannot be written"):
        recording.save(EVERY_SORT, tmp_path / "no" / "x.kcr")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CompanionError, match="cannot be written"):
        recording.save(EVERY_SORT, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def packed(document: object) -> bytes:
    return gzip.compress(json.dumps(document).encode(), mtime=0)


def whole(**changes: object) -> dict[str, object]:
    document = {"format": "kcompanion-recording", "version": 1, "capturedAt": "2026-11-21T06:30:00Z", "origin": {}}
    return {**document, "readings": [], **changes}


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "is not a recording"),
        (b"plain text", "is not a recording"),
        (packed(whole())[:-12], "is cut off"),
        (packed(whole())[:20] + b"\xff" * 40, "is cut off"),
        (packed([1]), "is not a recording"),
        (packed({"format": "other"}), "is not a recording"),
        (gzip.compress(b"[" * 200_000, mtime=0), "is not a recording"),
        (gzip.compress(b"\xff\xfe", mtime=0), "is not a recording"),
        (packed(whole(version=2)), "use a newer kcompanion"),
        (packed(whole(version="x")), "format version x"),
        (packed(whole(version=0)), "format version 0"),
        (packed(whole(capturedAt="yesterday")), "lacks its date"),
        (packed(whole(origin=None)), "lacks its date"),
        (packed(whole(readings=7)), "cannot be understood"),
        (packed(whole(readings=["x"])), "cannot be understood"),
        (packed(whole(readings=[{"verb": "drop"}])), "cannot be understood"),
        (packed(whole(readings=[{"verb": "list", "resource": {"a": 1}, "outcome": "ok"}])), "cannot be understood"),
        (packed(whole(readings=[{"verb": "raw", "outcome": "fine"}])), "cannot be understood"),
        (gzip.compress(b" " * (80 << 20), compresslevel=1, mtime=0), "more than any cluster"),
    ],
)
def test_foreign_broken_newer_and_hostile_files(tmp_path: Path, data: bytes, word: str) -> None:
    path = tmp_path / "x.kcr"
    path.write_bytes(data)
    with pytest.raises(BadRecording) as caught:
        recording.load(path)
    assert word in f"{caught.value.text} {caught.value.hint}"
    assert caught.value.hint


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="there is no file"):
        recording.load(tmp_path / "no")
    with pytest.raises(BadRecording, match="cannot be read"):
        recording.load(tmp_path)


def test_fields_of_later_versions_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "x.kcr"
    path.write_bytes(packed(whole(origin={"context": "c", "moon": 1}, later=True)))
    assert recording.load(path).origin.context == "c"


def asked(ask: Ask) -> Reading:
    return RecordedSource(EVERY_SORT).read([ask])[ask.key]


def test_wider_answers_answer_narrower_questions() -> None:
    assert [p["metadata"]["name"] for p in asked(listing(r.PODS, "shop")).body] == ["a"]
    assert [p["metadata"]["name"] for p in asked(listing(r.PODS, selector="tier=web")).body] == ["a"]
    one = asked(getting(r.PODS, "b", "other"))
    assert one.body["metadata"]["name"] == "b"
    assert "managedFields" not in one.body["metadata"]
    assert asked(getting(r.PODS, "nobody", "shop")).outcome is Outcome.ABSENT
    assert asked(listing(r.PODS, metadata_only=True)).body[0].keys() == {"metadata"}


def test_what_was_forbidden_stays_so_for_narrower_questions() -> None:
    assert asked(listing(r.NODES, selector="a=b")).outcome is Outcome.FORBIDDEN
    assert asked(getting(r.NODES, "half")).ok
    assert asked(getting(r.NODES, "other")).outcome is Outcome.FORBIDDEN


def test_what_was_never_asked_is_not_held() -> None:
    for ask in (listing(r.DEPLOYMENTS), raw("/livez"), listing(r.CRDS)):
        assert asked(ask).outcome is Outcome.NOT_ASKED
