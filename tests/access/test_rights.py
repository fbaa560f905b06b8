from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kcompanion.access.rights import Need, Right, access_review, allowed, coverage, findings, reviews, right_of, rights
from kcompanion.access.roles import manifests, reads_secrets
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Reading, getting, listing, local, raw, review
from kcompanion.model.snapshot import Snapshot

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PODS, SYSTEM_PODS, NODES = listing(r.PODS), listing(r.PODS, "kube-system"), listing(r.NODES)
HEALTH = raw("/readyz?verbose")
INFO = getting(r.CONFIGMAPS, "cluster-info", "kube-public")
NEED = Need("look", (NODES,), (NODES, SYSTEM_PODS, HEALTH))


def answered(**verdicts: bool) -> Snapshot:
    """A snapshot with access reviews: `nodes=True, pods=False, readyz=True`."""
    readings = {}
    for ask in (NODES, SYSTEM_PODS, HEALTH):
        right = right_of(ask)
        assert right is not None
        key = right.resource or right.path.strip("/")
        if key in verdicts:
            question = access_review(right)
            readings[question.key] = Reading(question, Outcome.OK, body={"status": {"allowed": verdicts[key]}})
    return Snapshot(NOW, readings=readings)


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (SYSTEM_PODS, "list pods -n kube-system"),
        (listing(r.LEASES), "list leases.coordination.k8s.io"),
        (INFO, "get configmaps cluster-info -n kube-public"),
        (HEALTH, "get /readyz"),
    ],
)
def test_the_right_of_a_question(ask: Ask, text: str) -> None:
    right = right_of(ask)
    assert right is not None
    assert right.text == text


@pytest.mark.parametrize("ask", [local("client-certificate"), review(r.SELF_REVIEW, {})])
def test_questions_that_need_no_right(ask: Ask) -> None:
    assert right_of(ask) is None


def test_a_wider_right_includes_the_narrower() -> None:
    assert rights([Need("a", (PODS, SYSTEM_PODS)), Need("b", (SYSTEM_PODS,))]) == (right_of(PODS),)


def test_each_review_is_asked_once() -> None:
    assert len(reviews([NEED, NEED])) == 3


@pytest.mark.parametrize(
    ("verdicts", "expected", "missing"),
    [
        ({"nodes": True, "pods": True, "readyz": True}, "complete", 0),
        ({"nodes": True, "pods": False, "readyz": True}, "partial", 1),
        ({"nodes": False, "pods": True, "readyz": True}, "impossible", 1),
        ({"nodes": True, "pods": True}, "unknown", 0),
        ({"nodes": True, "pods": False}, "unknown", 1),
        ({}, "unknown", 0),
    ],
)
def test_how_complete_a_command_will_be(verdicts: dict[str, bool], expected: str, missing: int) -> None:
    (row,) = coverage(answered(**verdicts), [NEED])
    assert (row.verdict, len(row.missing)) == (expected, missing)


CREATE, GET = Right(resource="pods", verb="create"), Right(resource="pods", verb="get")
ACTING = Need("act", (), (NODES,), acts=(CREATE, GET), closer="kcompanion act --check")


@pytest.mark.parametrize(
    ("nodes", "create", "get", "expected"),
    [
        (True, True, True, "complete"),
        (True, True, False, "partial"),
        (False, True, True, "partial"),
        (True, False, True, "impossible"),  # to look on is not what it is for
    ],
)
def test_who_may_change_nothing_can_do_nothing_with_what_changes_things(
    nodes: bool, create: bool, get: bool, expected: str
) -> None:
    verdicts = zip(reviews([ACTING]), sorted_rights(), strict=True)
    held = {right_of(NODES): nodes, CREATE: create, GET: get}
    readings = {q.key: Reading(q, Outcome.OK, body={"status": {"allowed": held[right]}}) for q, right in verdicts}
    (row,) = coverage(Snapshot(NOW, readings=readings), [ACTING])
    assert (row.verdict, row.closer) == (expected, "kcompanion act --check")
    assert [one.next_command for one in findings([row])] == (
        [] if expected == "complete" else ["kcompanion act --check"]
    )
    assert rights([ACTING]) == (right_of(NODES),)  # the rest is nothing to be granted for the asking


def sorted_rights() -> list[Right]:
    return sorted(ACTING.rights)


def test_without_reviews_the_questions_themselves_tell() -> None:
    held = {
        NODES.key: Reading(NODES, Outcome.OK, body=[]),
        SYSTEM_PODS.key: Reading(SYSTEM_PODS, Outcome.FORBIDDEN),
        HEALTH.key: Reading(HEALTH, Outcome.TIMEOUT),
    }
    snapshot = Snapshot(NOW, readings=held)
    assert [allowed(snapshot, right) for ask in (NODES, SYSTEM_PODS, HEALTH) if (right := right_of(ask))] == [
        True,
        False,
        None,
    ]


def test_a_forbidden_wide_list_says_nothing_of_the_narrow_one() -> None:
    snapshot = Snapshot(NOW, readings={PODS.key: Reading(PODS, Outcome.FORBIDDEN)})
    narrow = right_of(SYSTEM_PODS)
    assert narrow is not None
    assert allowed(snapshot, narrow) is None


def test_roles_grant_exactly_the_rights_where_they_are_needed() -> None:
    made = manifests([Need("x", (NODES, SYSTEM_PODS, HEALTH, INFO))], "tools")
    assert [(m["kind"], m["metadata"].get("namespace")) for m in made] == [
        ("ServiceAccount", "tools"),
        ("ClusterRole", None),
        ("ClusterRoleBinding", None),
        ("Role", "kube-public"),
        ("RoleBinding", "kube-public"),
        ("Role", "kube-system"),
        ("RoleBinding", "kube-system"),
    ]
    assert made[1]["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
        {"nonResourceURLs": ["/readyz"], "verbs": ["get"]},
    ]
    assert made[3]["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["cluster-info"], "verbs": ["get"]}
    ]
    verbs = {verb for m in made for rule in m.get("rules", []) for verb in rule["verbs"]}
    assert verbs <= {"get", "list"}


def test_commands_that_read_secrets_are_named() -> None:
    assert reads_secrets([NEED, Need("s", (listing(r.SECRETS),))]) == ("s",)


def test_rights_are_ordered_so_that_manifests_never_change_by_chance() -> None:
    assert sorted([Right(resource="b"), Right(resource="a")])[0].resource == "a"
