"""Portraits: what is shown of an object, and what happens where something of it may not be read."""

from __future__ import annotations

import pytest

from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, Reading, listing
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.report.portraits import PORTRAITS, deployments, nodes, portrait, services, settings
from kcompanion.report.portraits.owners import chain
from kcompanion.report.portraits.sight import Sight, named
from tests.report.objects import item, printed, shop


def drawn(kind: str, name: str, world: World | None = None, language: str = "en", *, more: bool = True) -> str:
    seen = world or shop()
    one = item(seen, kind, name)
    return printed(portrait(Sight(one, ref_of(one, kind), seen, more, more, lessons=more)), language)


def test_a_pod_is_told_whole() -> None:
    text = drawn("Pod", "web-2-abc")
    for words in (
        "Running → CrashLoopBackOff, from status.containerStatuses[helper].state.waiting.reason",
        "Deployment web → ReplicaSet web-2",
        "only 1 of 2 containers ready",
        "10.1.0.7, shared by its 2 containers",
        "GET :8080/healthy every 10 s",
        "after 3 failures: 30 s",
        "exit 137 (SIGKILL, OOMKilled), 2m ago",
        "scratch   emptyDir            web:/scratch, helper:/in",
        "ConfigMap settings  web:/etc/settings (ro)",
        "shop; its token is good for 60 min",
        "Burstable",
        "500m",
    ):
        assert words in text
    assert "kube-api-access" not in text


def test_kubelet_and_controller_are_told_apart() -> None:
    text = drawn("Pod", "web-2-abc", more=False)
    assert "started again by the kubelet on worker-1 (restarts so far: 7)" in text
    assert "If the pod is lost, ReplicaSet web-2 makes another" in text
    assert "QoS" not in text


def test_the_log_of_the_run_before_is_shown_where_it_may_be_read() -> None:
    world = shop()
    path = "/api/v1/namespaces/default/pods/web-2-abc/log?container=helper&previous=true&tailLines=12"
    given = World(world.snapshot, logs=True)
    drawn("Pod", "web-2-abc", given)
    (ask,) = [ask for ask in given.wanted.values() if ask.path]
    assert ask.path == path
    lines = Reading(ask, Outcome.OK, 200, body="one\ntwo\x1b[31m\nthree")
    text = drawn("Pod", "web-2-abc", World(_with(world.snapshot, lines), logs=True))
    assert "  │ two\n  │ three" in text
    refused = Reading(ask, Outcome.FORBIDDEN, 403)
    text = drawn("Pod", "web-2-abc", World(_with(world.snapshot, refused), logs=True))
    assert "get pods/log: not allowed" in text
    assert "Containers" in text
    left_out = Reading(ask, Outcome.NOT_ASKED)
    assert "pods/log" not in drawn("Pod", "web-2-abc", World(_with(world.snapshot, left_out), logs=True))


def test_a_run_whose_log_is_gone_has_a_newer_one_that_ended() -> None:
    world = shop()
    given = World(world.snapshot, logs=True)
    drawn("Pod", "web-2-abc", given)
    (before,) = [ask for ask in given.wanted.values() if ask.path]
    gone = Reading(before, Outcome.OK, 200, body="unable to retrieve container logs for containerd://4c90724b0042")
    given = World(_with(world.snapshot, gone), logs=True)
    drawn("Pod", "web-2-abc", given)
    (newest,) = [ask for ask in given.wanted.values() if ask.path]
    assert newest.path == before.path.replace("previous=true", "previous=false")
    words = Reading(newest, Outcome.OK, 200, body="the newest run's words")
    text = drawn("Pod", "web-2-abc", World(_with(world.snapshot, gone, words), logs=True))
    assert "│ the newest run's words" in text
    lost = Reading(newest, Outcome.OK, 200, body=gone.body)
    assert "unable to" not in drawn("Pod", "web-2-abc", World(_with(world.snapshot, gone, lost), logs=True))


def _with(snapshot: Snapshot, *readings: Reading) -> Snapshot:
    return Snapshot(
        snapshot.now, snapshot.origin, {**snapshot.readings, **{reading.ask.key: reading for reading in readings}}
    )


def test_one_forbidden_thing_does_not_blank_the_rest() -> None:
    world = shop()
    kept = _with(world.snapshot, Reading(listing(r.REPLICASETS), Outcome.FORBIDDEN, 403))
    text = drawn("Deployment", "web", World(kept))
    assert "4 desired" in text
    assert "list replicasets.apps: not allowed" in text


def test_a_deployment_counts_and_compares_revisions() -> None:
    text = drawn("Deployment", "web")
    assert "4 desired, 4 of the newest revision, 4 in all, 3 ready, 3 available" in text
    assert "up to 1 more and 2 fewer than desired, so between 2 and 5 pods" in text
    assert "spec.containers[web].image shop/web:1 → shop/web:2" in text
    assert "spec.containers[web].env[A].value" in text
    assert "x →" not in text


@pytest.mark.parametrize(
    ("value", "whole", "up", "result"),
    [("25%", 4, True, 1), ("25%", 3, True, 1), ("25%", 3, False, 0), (2, 9, True, 2)],
)
def test_shares_are_rounded_as_the_controller_does(value: object, whole: int, up: bool, result: int) -> None:
    assert deployments.share(value, whole, up=up) == result


def test_a_replicaset_says_the_difference() -> None:
    text = drawn("ReplicaSet", "web-2")
    assert "4 desired, 3 current, 3 ready, 3 available" in text
    assert "the controller creates 1 more" in text
    assert "app=web,pod-template-hash=2" in text


def test_a_service_leads_to_its_pods_and_says_why_not() -> None:
    text = drawn("Service", "web")
    assert "http 80 → http/TCP" in text
    assert "kubectl port-forward -n default svc/web 8080:80" in text
    assert "web-2-abc  10.1.0.7  no       the pod is CrashLoopBackOff" in text
    (backend,) = services.backends(shop(), "default", "web")
    assert (backend.pod, backend.ready) == ("web-2-abc", False)


def test_settings_say_who_uses_which_key_and_never_a_value() -> None:
    text = drawn("ConfigMap", "settings")
    assert "level  5 B   web-2-abc: volume settings" in text
    assert "spare  2 B   -" in text
    assert "scrubbed" not in text


def test_what_is_asked_for_and_missing_is_found() -> None:
    ((name, key, use),) = settings.missing(shop(), "Secret", "default")
    assert (name, key, use.where) == ("token", "", "env KEY (web)")
    assert settings.missing(shop(), "ConfigMap", "default") == []
    text = printed(list(settings.missing_section(shop(), "Secret", ["default"])))
    assert "default/token  -    web-2-abc  env KEY (web)" in text


def test_an_account_has_pods_tokens_and_roles() -> None:
    text = drawn("ServiceAccount", "shop")
    assert "system:serviceaccount:default:shop" in text
    assert "web-2-abc  good for 60 min" in text
    assert "ClusterRole view  default  shop-reads" in text


def test_an_autoscaler_shows_its_sum() -> None:
    text = drawn("HorizontalPodAutoscaler", "web")
    assert "3 now, 6 desired, between 2 and 10" in text
    assert "⌈3 × 90 / 50⌉ = 6" in text


def test_a_claim_names_what_is_missing_in_its_chain() -> None:
    text = drawn("PersistentVolumeClaim", "data")
    assert "gone (does not exist)" in text
    assert "none bound yet" in text


def test_a_namespace_counts_and_shows_quotas() -> None:
    text = drawn("Namespace", "default")
    assert "1 CrashLoopBackOff" in text
    assert "team   requests.cpu  1500m  2     75%" in text


def test_a_node_counts_requests() -> None:
    text = drawn("Node", "worker-1")
    assert "disk=ssd:NoSchedule" in text
    assert "cpu       4        4         0.5        12%" in text
    assert "no Lease" in text


def test_requests_of_init_containers_and_sidecars() -> None:
    pod = {
        "spec": {
            "initContainers": [
                {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
                {"name": "init", "resources": {"requests": {"cpu": "3"}}},
            ],
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}],
            "overhead": {"cpu": "250m"},
        }
    }
    assert str(nodes.requested(pod, "cpu")) == "4.250"


def test_a_chain_that_goes_in_circles_ends() -> None:
    world = shop()
    loop = item(world, "ReplicaSet", "web-2")
    loop["metadata"]["ownerReferences"] = [
        {"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "web-2", "controller": True}
    ]
    assert len(chain(loop, world)) < 10


def test_long_lists_are_counted() -> None:
    assert named(["a", "b"]) == "a, b"
    assert not isinstance(named([str(number) for number in range(20)]), str)


@pytest.mark.parametrize("kind", [*PORTRAITS, "Widget"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_odd_objects_are_drawn_too(kind: str, language: str) -> None:
    """Hostile or half-made objects: fields missing, of the wrong type, or with escape sequences."""
    odd = {
        "metadata": {"name": "x\x1b[31m", "namespace": "default", "ownerReferences": "no", "finalizers": [1]},
        "spec": {"replicas": "many", "selector": [], "containers": [None, {"name": 3}], "rules": {}, "metrics": [{}]},
        "status": {"phase": 7, "conditions": ["x", {"type": None}], "currentReplicas": "y", "capacity": {"cpu": []}},
    }
    bare: dict[str, object] = {"metadata": {}}
    for one in (odd, bare):
        sight = Sight(one, Ref(kind, "x", "default"), shop(), more=True, whole=True, lessons=True)
        text = printed(portrait(sight), language)
        assert "\x1b" not in text
