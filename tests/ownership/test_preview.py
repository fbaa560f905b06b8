"""What a change of labels would bring about; the cluster tests then do it for real."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from kcompanion.model.times import format_time
from kcompanion.ownership.owners import MIRROR
from kcompanion.ownership.preview import Changes, Preview, Then, parsed, preview
from kcompanion.reconcile.claims import Claim
from kcompanion.reconcile.moments import since_1970
from kcompanion.reconcile.pod import pod_of
from kcompanion.reconcile.victims import ranked
from kcompanion.report.orphans import preview_sections
from kcompanion.text.catalog import phrase
from tests.ownership.build import NOW, Json, controller, deployed, pod, thing, world


def told(item: Json, changes: Changes, *objects: Json) -> Preview:
    return preview(item, changes, world(item, *objects))


def test_released_and_made_anew() -> None:
    *rest, last = deployed(3)
    seen = told(last, {"app": "debug"}, *rest)
    (effect,) = seen.effects
    assert (effect.claim, effect.then, effect.count, effect.made) == (Claim.RELEASES, Then.CREATES, 2, 1)
    assert seen.keeps is None


def test_a_label_nobody_selects_by_changes_nothing() -> None:
    *rest, last = deployed(2)
    seen = told(last, {"note": "x"}, *rest)
    assert (seen.effects, str(seen.keeps)) == ((), "ReplicaSet shop/web-5d54dbcf5f")


def test_kubelet_looks_after_a_static_pod_whatever_its_labels() -> None:
    static = pod("etcd-n1", thing("Node", "n1"), metadata={"annotations": {MIRROR: "x"}})
    (then, _) = preview_sections(told(static, {"app": "x"}), explain=False)
    (line,) = [phrase(line, "en") for block in then.blocks for line in getattr(block, "lines", ())]
    assert line.startswith("kubelet looks after it")
    (then, _) = preview_sections(told(pod("bare"), {"app": "x"}), explain=False)
    (line,) = [phrase(line, "en") for block in then.blocks for line in getattr(block, "lines", ())]
    assert line.startswith("No controller has it then")


def test_taken_away_and_moved_to_another() -> None:
    *rest, last = deployed(2)
    other = controller("ReplicaSet", "api", {"app": "api"}, 1)
    seen = told(
        last, {"app": "api", "pod-template-hash": None}, *rest, other, pod("api-1", other, labels={"app": "api"})
    )
    assert [(one.controller.name, one.then) for one in seen.effects] == [
        ("web-5d54dbcf5f", Then.CREATES),
        ("api", Then.DELETES),
    ]
    assert len(seen.effects[1].deleted) == 1


def test_back_again_it_is_one_too_many() -> None:
    objects = deployed(2)
    made = objects[1]
    free = pod("web-5d54dbcf5f-zzzzz", labels={"app": "debug", "pod-template-hash": "5d54dbcf5f"}, phase="Pending")
    (effect,) = told(free, {"app": "web"}, *objects).effects
    assert (effect.controller.name, effect.deleted) == (made["metadata"]["name"], ("web-5d54dbcf5f-zzzzz",))


def test_a_set_scaled_to_less_makes_none() -> None:
    *rest, last = deployed(2)
    rest[1]["spec"]["replicas"] = 1
    (effect,) = told(last, {"app": "x"}, *rest).effects
    assert (effect.then, effect.made) == (Then.ENOUGH, 0)


def test_statefulset_daemonset_and_job() -> None:
    labels = {"app": "db"}
    for kind, then in (("StatefulSet", Then.STUCK), ("DaemonSet", Then.SAME_NODE), ("Job", Then.JOB)):
        owner = controller(kind, "db", labels)
        (effect,) = told(pod("db-0", owner, labels=labels), {"app": None}, owner).effects
        assert effect.then is then


def test_services_policies_and_budgets() -> None:
    *rest, last = deployed(1)
    service = thing("Service", "web", spec={"selector": {"app": "web"}})
    headless = thing("Service", "none", spec={})
    policy = thing("NetworkPolicy", "all", spec={"podSelector": {}})
    closed = thing("NetworkPolicy", "debug", spec={"podSelector": {"matchLabels": {"app": "debug"}}})
    budget = thing("PodDisruptionBudget", "web", spec={"selector": {"matchLabels": {"app": "web"}}})
    seen = told(last, {"app": "debug"}, *rest, service, headless, policy, closed, budget)
    assert [(one.ref.kind, one.ref.name, one.gains) for one in seen.chosen] == [
        ("Service", "web", False),
        ("NetworkPolicy", "debug", True),
        ("PodDisruptionBudget", "web", False),
    ]


def test_rivals_are_named() -> None:
    first, second = (controller("ReplicaSet", name, {"app": "x"}, 1) for name in ("a", "b"))
    seen = told(pod("p"), {"app": "x"}, first, second)
    assert [effect.controller.name for effect in seen.effects] == ["a"]
    assert [ref.name for ref in seen.rivals] == ["b"]


@pytest.mark.parametrize("word", ["app", "=x", "-", "app=bad value", "a/b/c=", "app=-x", "/x=y", "app=" + "x" * 64])
def test_bad_labels(word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)):
        dict(parsed([word]))


def test_good_labels() -> None:
    assert dict(parsed(["app=web", "tier-", "a.b/c=", "x=1"])) == {"app": "web", "tier": None, "a.b/c": "", "x": "1"}


# --------------------------------------------------------------------- which pods are deleted first


def order(*pods: Json) -> list[str]:
    slim = [pod_of(item) for item in pods]
    return [one.pod.name for one in ranked(slim, slim, since_1970(NOW))]


def ago(**more: float) -> str:
    return format_time(NOW - timedelta(**more))


def test_unbound_pending_unready_and_cheap_pods_go_first() -> None:
    unbound = pod("unbound", phase="Pending", node="")
    pending = pod("pending", phase="Pending", node="a")
    unready = pod("unready", node="b")
    unready["status"]["conditions"][0]["status"] = "False"
    cheap = pod("cheap", node="c", metadata={"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-1"}})
    assert order(pod("good", node="d"), cheap, unready, pending, unbound) == [
        "unbound",
        "pending",
        "unready",
        "cheap",
        "good",
    ]


def test_crowded_nodes_then_the_young_by_powers_of_two() -> None:
    crowd = [pod("two", node="a", uid="2"), pod("one", node="a", uid="1"), pod("alone", node="b", uid="0")]
    assert order(*crowd) == ["one", "two", "alone"]  # alike in all, so the uid decides
    for item, second in zip(crowd, (1, 2, 3), strict=True):  # of about the same age, so the uid decides
        item["status"]["conditions"][0]["lastTransitionTime"] = ago(days=1, seconds=second)
    assert order(*crowd) == ["one", "two", "alone"]
    young, old = pod("young", node="a"), pod("old", node="b")
    young["status"]["conditions"][0]["lastTransitionTime"] = ago(minutes=1)
    old["status"]["conditions"][0]["lastTransitionTime"] = ago(days=1)
    assert order(old, young) == ["young", "old"]


def test_many_restarts_go_before_few() -> None:
    calm, restless = pod("calm", node="a"), pod("restless", node="b")
    restless["status"]["containerStatuses"] = [{"name": "c", "restartCount": 3}]
    assert order(calm, restless) == ["restless", "calm"]
