"""Questions, their keys, and the gaps they leave."""

from __future__ import annotations

from datetime import UTC, datetime

from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, Reading, getting, listing, local, raw, review
from kcompanion.model.snapshot import Snapshot

ASKS = [
    listing(r.PODS),
    listing(r.PODS, "a"),
    listing(r.PODS, selector="a"),
    listing(r.PODS, keep_managed_fields=True),
    listing(r.PODS, metadata_only=True),
    listing(r.LEASES, "a"),
    getting(r.PODS, "a", "b"),
    getting(r.PODS, "b", "a"),
    raw("/version"),
    raw("/version", "https://x"),
    local("client-certificate"),
    review(r.ACCESS_REVIEW, {"a": 1}),
    review(r.ACCESS_REVIEW, {"a": 2}),
]


def snapshot(*readings: Reading) -> Snapshot:
    return Snapshot(datetime.now(UTC), readings={reading.ask.key: reading for reading in readings})


def test_every_question_has_its_own_key() -> None:
    assert len({ask.key for ask in ASKS}) == len(ASKS)


def test_rights() -> None:
    assert listing(r.LEASES).right == ("list", "leases.coordination.k8s.io")
    assert getting(r.PODS, "a").right == ("get", "pods")
    assert raw("/readyz?verbose").right == ("get", "/readyz")
    assert review(r.SELF_REVIEW, {}).right == ("create", "selfsubjectreviews.authentication.k8s.io")


def test_only_absence_is_no_gap_that_matters() -> None:
    for outcome in Outcome:
        gaps = snapshot(Reading(ASKS[0], outcome)).gaps()
        if outcome is Outcome.OK:
            assert gaps == ()
        else:
            assert [gap.decisive for gap in gaps] == [outcome is not Outcome.ABSENT]


def test_what_was_never_asked_is_a_gap_when_it_is_needed() -> None:
    held = snapshot(Reading(ASKS[0], Outcome.OK, body=[]))
    assert held.gaps() == ()
    assert [gap.outcome for gap in held.gaps([ASKS[0], ASKS[1]])] == [Outcome.NOT_ASKED]


def test_bodies_of_the_wrong_shape_are_nothing() -> None:
    held = snapshot(Reading(ASKS[0], Outcome.OK, body="x"), Reading(ASKS[6], Outcome.OK, body=[]))
    assert held.items(ASKS[0]) == ()
    assert held.object(ASKS[6]) is None
    assert held.text(ASKS[6]) is None
