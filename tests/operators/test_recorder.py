"""The expectations are those of client-go's TestMultiSinkCache, TestEventSpamFilter and TestEventCorrelator."""

from __future__ import annotations

from kcompanion.reconcile.moments import SECOND
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.steps import Event
from kcompanion.reconcile.target import BUILT_IN
from operators.replicaset.recorder import COMBINED, Correlator, Write

START = 1_800_000_000 * SECOND


def event(message: str, uid: str = "u", reason: str = "SuccessfulCreate") -> Event:
    return Event(ReplicaSet(BUILT_IN, "n", "web", uid, version=7), "Normal", reason, message)


def sent(correlator: Correlator, *events: Event, each: float = 0.0, start: int = START) -> list[Write | None]:
    return [correlator.correlate(one, start + int(number * each * SECOND)) for number, one in enumerate(events)]


def test_a_new_event_is_posted_with_all_that_upstream_says() -> None:
    (write,) = sent(Correlator("replicaset-controller"), event("Created pod: web-1"))
    assert write is not None
    assert (write.method, write.path) == ("POST", "/api/v1/namespaces/n/events")
    assert write.payload["involvedObject"] == {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "namespace": "n",
        "name": "web",
        "uid": "u",
        "resourceVersion": "7",
    }
    assert write.payload["source"] == {"component": "replicaset-controller"}
    assert (write.payload["type"], write.payload["reason"], write.payload["count"]) == ("Normal", "SuccessfulCreate", 1)
    assert write.payload["metadata"]["name"].startswith("web.")


def test_the_same_sentence_only_raises_the_count() -> None:
    first, second, third = sent(Correlator("c"), *[event("quota exceeded")] * 3)
    assert first is not None
    assert second is not None
    assert third is not None
    name = first.payload["metadata"]["name"]
    assert (second.method, second.path) == ("PATCH", f"/api/v1/namespaces/n/events/{name}")
    assert (second.payload["count"], third.payload["count"]) == (2, 3)


def test_from_the_tenth_similar_event_on_they_are_put_together() -> None:
    writes = [write for write in sent(Correlator("c"), *(event(f"Created pod: {n}") for n in range(20))) if write]
    assert [write.method for write in writes] == ["POST"] * 10 + ["PATCH"] * 10
    assert writes[8].payload["message"] == "Created pod: 8"
    assert writes[9].payload["message"] == f"{COMBINED}Created pod: 9"
    assert writes[19].payload == {**writes[19].payload, "message": f"{COMBINED}Created pod: 19", "count": 11}


def test_after_ten_quiet_minutes_events_are_told_one_by_one_again() -> None:
    correlator = Correlator("c")
    sent(correlator, *(event(f"Created pod: {n}") for n in range(12)))
    (later,) = sent(correlator, event("Created pod: 99"), start=START + 601 * SECOND)
    assert later is not None
    assert (later.method, later.payload["message"]) == ("POST", "Created pod: 99")


def test_of_one_object_no_more_than_25_at_once() -> None:
    correlator = Correlator("c")
    writes = sent(correlator, *(event(f"Created pod: {n}") for n in range(1000)))
    assert sum(write is not None for write in writes) == 25
    (other,) = sent(correlator, event("Created pod: x", uid="another"))
    assert other is not None


def test_then_one_in_five_minutes_and_the_count_has_missed_none() -> None:
    correlator = Correlator("c")
    sent(correlator, *[event("quota exceeded")] * 30)
    early, later = (sent(correlator, event("quota exceeded"), start=START + s * SECOND)[0] for s in (200, 301))
    assert early is None
    assert later is not None
    assert later.payload["count"] == 32


def test_an_event_that_is_gone_is_posted_anew_with_its_count() -> None:
    correlator = Correlator("c")
    _, patch = sent(correlator, *[event("quota exceeded")] * 2)
    assert patch is not None
    anew = correlator.anew(event("quota exceeded"), patch, START + SECOND)
    assert (anew.method, anew.payload["count"], anew.payload["message"]) == ("POST", 2, "quota exceeded")
    (third,) = sent(correlator, event("quota exceeded"), start=START + 2 * SECOND)
    assert third is not None
    assert third.path.endswith(anew.payload["metadata"]["name"])


def test_a_message_too_long_for_the_api_server_is_cut() -> None:
    (write,) = sent(Correlator("c"), event("x" * 5000))
    assert write is not None
    assert len(write.payload["message"]) == 1024
