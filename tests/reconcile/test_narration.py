"""Decisions in sentences, in both languages, from their JSON."""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.reconcile.decision import Action, Answered, Change, Decision, Observed
from kcompanion.reconcile.expectations import Pending
from kcompanion.reconcile.narration import headline, told
from kcompanion.reconcile.pod import pod_of
from kcompanion.reconcile.target import Key
from kcompanion.reconcile.triggers import Cause, Wake
from kcompanion.reconcile.victims import Rule, Victim
from kcompanion.text.catalog import phrase

KEY = Key("shop", "web")
POD = pod_of({"metadata": {"name": "web-a", "namespace": "shop", "uid": "u1"}})


def words(decision: Decision | dict[str, Any], language: str = "en") -> list[str]:
    body = decision.to_json() if isinstance(decision, Decision) else decision
    return [phrase(message, language) for message in told(body)]


def test_too_few() -> None:
    decision = Decision(
        KEY,
        (Wake(KEY, Cause.POD_GONE, "web-x"), Wake(KEY, Cause.POD_GONE, "web-x"), Wake(KEY, Cause.RETRY)),
        Action.CREATE,
        count=1,
        desired=3,
        observed=Observed(active=2, ready=1),
        created=("web-b",),
        changes=(Change("replicas", 3, 2),),
    )
    assert words(decision) == [
        "3 wanted, 2 there (1 ready): 1 too few, so create 1",
        "woken by: pod web-x left the cluster",
        "woken by: the attempt before failed",
        "created: web-b",
        "status: replicas 3 → 2",
    ]
    assert words(decision, "ko")[0] == "3개를 원하는데 2개 있습니다(준비됨 1개). 1개 모자라므로 1개를 만듭니다"


def test_why_just_this_pod() -> None:
    victim = Victim(POD, Rule.COST, -5, "web-b", 0)
    decision = Decision(KEY, action=Action.DELETE, count=1, desired=1, observed=Observed(active=2), victims=(victim,))
    assert words(decision)[1] == "web-a goes first: its deletion cost is -5; that of web-b is 0"


def test_one_is_not_told_as_many() -> None:
    crowd, restarts = (Victim(POD, rule, 2, "web-b", 1) for rule in (Rule.CROWD, Rule.RESTARTS))
    decision = Decision(KEY, action=Action.WAIT, pending=Pending(1, 2, 0), victims=(crowd, restarts))
    assert words(decision)[1:] == [
        "web-a goes first: its node has 2 pods of its kin; that of web-b has 1",
        "web-a goes first: it restarted more often (2×) than web-b (1×)",
        "asked for before and not seen in the watch yet: 1 creation, 2 deletions",
    ]
    assert words(decision, "ko")[-1] == "앞서 요청했지만 워치에 아직 보이지 않음: 생성 1개, 삭제 2개"
    other = Decision(KEY, action=Action.WAIT, pending=Pending(2, 1, 0))
    assert words(other)[-1].endswith(": 2 creations, 1 deletion")


def test_what_was_refused() -> None:
    answers = (
        Answered("CreatePod", 201, "", 1),
        Answered("CreatePod", 403, "exceeded quota", 4),
        Answered("DeletePod", 0, "", 1),
    )
    decision = Decision(KEY, action=Action.CREATE, answers=answers, error="exceeded quota", requeue_after=0.005)
    assert words(decision)[1:] == [
        "CreatePod (4×) got HTTP 403: exceeded quota",
        "DeletePod (1×) got no answer; whether it took place is not known",
        "error: exceeded quota",
        "looks again in 0.0 s at the latest",
    ]


def test_many_names_are_counted() -> None:
    decision = Decision(KEY, created=tuple(f"p{n}" for n in range(30)), adopted=("orphan",))
    assert words(decision)[1:] == [
        "adopted (no controller had them, and the selector matches): orphan",
        "created: p0, p1, p2, p3, p4 +25",
    ]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("action", Action)
def test_every_action_has_words(language: str, action: Action) -> None:
    assert words(Decision(KEY, action=action), language)[0]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_cause_and_rule_has_words(language: str) -> None:
    for cause in Cause:
        assert len(words(Decision(KEY, (Wake(KEY, cause, "p"),)), language)) == 2, cause
    for rule in Rule:
        assert len(words(Decision(KEY, victims=(Victim(POD, rule, 1, "q", 2),)), language)) == 2, rule


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"plan": 3, "wokenBy": "x", "answers": [1], "status": [None], "created": [], "claims": {"adopted": 1}},
        {"plan": {"action": "new-one", "victims": [{"rule": "other"}]}, "wokenBy": [{"cause": "other"}]},
        {"desired": True, "requeueAfterSeconds": "soon", "error": 7},
    ],
)
def test_what_is_odd_is_left_out(odd: dict[str, Any]) -> None:
    assert [message.id for message in told(odd)] == ["reconcile.action.unknown"]
    assert phrase(headline(odd), "en") == "0 wanted, 0 there"
