"""The scenarios of `kcompanion reconcile simulate`: a fault each, played on the core that the operator runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kcompanion.reconcile.moments import SECOND, api_time
from kcompanion.reconcile.pod import DELETION_COST
from kcompanion.reconcile.requests import Answer, CreatePod
from kcompanion.reconcile.simulate.story import NAMESPACE, Director, Story
from kcompanion.reconcile.steps import Step
from kcompanion.reconcile.target import Key


def play(name: str) -> Story:
    """Plays a scenario from its beginning."""
    director = Director()
    director.cluster.server.graceful = True
    SCENARIOS[name](director)
    return director.told(name)


def _pod_lost(on: Director) -> None:
    on.happens("created", name="web", replicas=3, selector="app=web")
    on.replicaset("web", 3)
    on.work()
    on.remark("slow_start")
    on.run_pods()
    lost = on.pods()[0]
    on.happens("killed", pod=lost.name)
    on.cluster.server.delete_pod(lost)
    on.work()
    on.remark("leaving_is_enough")
    on.run_pods()
    on.happens("ended", pod=lost.name)
    on.cluster.server.remove_pod(lost)
    on.work()
    on.remark("level_based")


def _label_tampered(on: Director) -> None:
    on.happens("created", name="web", replicas=2, selector="app=web")
    on.replicaset("web", 2)
    on.work()
    on.run_pods()
    taken = on.pods()[0]
    on.happens("relabelled", pod=taken.name, label="app=debug")
    _label(on, taken, "debug")
    on.work()
    on.remark("released_lives")
    on.run_pods()
    on.happens("relabelled", pod=taken.name, label="app=web")
    _label(on, taken, "web")
    on.work()
    on.remark("adopted_then_too_many")
    _finish(on)


def _label(on: Director, pod: Key, app: str) -> None:
    on.cluster.server.change_pod(pod, lambda item: item["metadata"].update(labels={"app": app}))


def _finish(on: Director) -> None:
    """The kubelets end what was deleted; not told."""
    for key in [key for key, item in on.cluster.server.pods.items() if item["metadata"].get("deletionTimestamp")]:
        on.cluster.server.remove_pod(key)
    on.cluster.settle()


def _quota(on: Director) -> None:
    on.cluster.server.quota = 2
    on.happens("quota_created", name="web", replicas=10, quota=2)
    key = on.replicaset("web", 10)
    on.cluster.deliver_all()
    on.turn(key)
    on.show()
    on.remark("slow_start_stops", calls=3, missing=10)
    on.cluster.deliver_all()
    on.happens("retried")
    on.turn(key)
    on.remark("back_off")
    on.cluster.deliver_all()
    on.happens("scaled", name="web", replicas=2)
    on.cluster.server.change_spec(key, replicas=2)
    on.work()
    on.remark("condition_gone")


def _slow_watch(on: Director) -> None:
    on.happens("created", name="web", replicas=3, selector="app=web")
    key = on.replicaset("web", 3)
    on.cluster.deliver("owners")
    on.turn(key)
    on.remark("watch_stands_still")
    on.happens("labelled_owner", name="web")
    on.cluster.deliver("owners")
    on.turn(key)
    on.show()
    on.remark("expectations")
    on.happens("watch_resumes")
    on.work()
    on.remark("met")


def _lost_answer(on: Director) -> None:
    on.happens("created_answer_lost", name="web", replicas=1)
    key = on.replicaset("web", 1)
    on.cluster.deliver("owners")

    def lose(step: Step) -> tuple[Answer, ...]:
        answers = on.cluster.serve(step)
        told = Answer(0, message="connection reset by peer")
        return tuple(told if isinstance(r, CreatePod) else a for r, a in zip(step.requests, answers, strict=True))

    on.turn(key, lose)
    on.remark("who_knows")
    on.cluster.deliver("owners")
    on.happens("counted_first")
    on.turn(key)
    on.show()
    on.remark("born_after_all")
    on.happens("watch_shows")
    on.work()


def _two_selectors(on: Director) -> None:
    on.happens("two_created", one="blue", other="green", selector="app=web")
    on.replicaset("blue", 1)
    on.replicaset("green", 2)
    on.work()
    on.remark("owner_counts")
    on.run_pods()
    on.happens("orphan_comes", pod="stray", label="app=web")
    on.cluster.server.add_pod(
        {"metadata": {"namespace": NAMESPACE, "name": "stray", "labels": {"app": "web"}}, "spec": {}}
    )
    on.work()
    on.remark("first_come")


def _scale_down(on: Director) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": "web-deployment",
        "controller": True,
    }
    on.happens("created", name="web", replicas=7, selector="app=web")
    key = on.replicaset("web", 7, controller=deployment)
    on.work()
    _set_apart(on)
    on.happens("scaled", name="web", replicas=1)
    on.rank(key)
    on.cluster.server.change_spec(key, replicas=1)
    on.work()
    on.remark("ranks")
    on.remark("powers_of_two")


def _set_apart(on: Director) -> None:
    """One pod for each of the rules that tell pods apart."""
    server, pods = on.cluster.server, on.pods()
    server.now += 3600 * SECOND
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": api_time(server.now)}
    for key, node in zip(
        pods[1:], ("worker-1", "worker-1", "worker-1", "worker-2", "worker-2", "worker-3"), strict=True
    ):
        on.cluster.run_pod(key, node, ready=key != pods[2])
    server.change_pod(pods[1], lambda pod: pod.update(status={"phase": "Pending"}))
    server.change_pod(pods[3], lambda pod: pod["metadata"].update(annotations={DELETION_COST: "-10"}))
    restarts = [{"name": "web", "restartCount": 5}]
    server.change_pod(pods[5], lambda pod: pod["status"].update(containerStatuses=restarts, conditions=[ready]))
    server.now += 7200 * SECOND
    on.cluster.settle()


SCENARIOS: Mapping[str, Callable[[Director], None]] = {
    "pod-lost": _pod_lost,
    "label-tampered": _label_tampered,
    "quota": _quota,
    "slow-watch": _slow_watch,
    "lost-answer": _lost_answer,
    "two-selectors": _two_selectors,
    "scale-down": _scale_down,
}
