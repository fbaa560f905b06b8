"""Questions about controllers and what they own: chains of owners, selectors, adoption, roll-outs, budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.controlplane import pods
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.resources import Resource
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.quiz.owned import controller_reference, replicas_of
from kcompanion.quiz.question import Choice, Ground, Question, kcompanion, kubectl, place, source, word

HASH = "pod-template-hash"
CONTROLLERS = {
    "ReplicaSet": "replicaset-controller",
    "DaemonSet": "daemonset-controller",
    "StatefulSet": "statefulset-controller",
    "Job": "job-controller",
}
# Whatever takes pods by a selector; a Deployment only does so through its ReplicaSets.
_TAKERS = (r.REPLICASETS, r.STATEFULSETS, r.DAEMONSETS, r.JOBS, r.REPLICATIONCONTROLLERS)


def _chains(ground: Ground) -> Iterator[tuple[Object, Object, Object]]:
    """Pod, ReplicaSet and Deployment, where all three are there and name each other by uid."""
    sets = {dig(one, "metadata", "uid"): one for one in ground.all(r.REPLICASETS)}
    tops = {dig(one, "metadata", "uid"): one for one in ground.all(r.DEPLOYMENTS)}
    for pod in ground.all(r.PODS):
        middle = sets.get(controller_reference(pod).get("uid"))
        top = tops.get(controller_reference(middle).get("uid")) if middle is not None else None
        if middle is not None and top is not None:
            yield pod, middle, top


def pod_controller(ground: Ground) -> Question | None:
    chain = ground.one(list(_chains(ground)))
    if chain is None:
        return None
    pod, middle, top = chain
    others = [one for one in ground.all(r.REPLICASETS) if one is not middle]
    return ground.asked(
        "pod_controller",
        [f"ReplicaSet {place(middle)}"],
        [
            f"Deployment {place(top)}",
            *(f"ReplicaSet {place(one)}" for one in others),
            f"Node {text_at(pod, 'spec', 'nodeName') or '-'}",
            *(f"DaemonSet {place(one)}" for one in ground.all(r.DAEMONSETS)),
        ],
        values={"pod": place(pod), "replicaset": name_of(middle), "deployment": name_of(top)},
        proof=[Evidence(source("Pod", pod), "metadata.ownerReferences[0]", f"ReplicaSet {name_of(middle)}")],
        commands=[kcompanion("owners pod", pod), kubectl("get pod", pod, "jsonpath={.metadata.ownerReferences}")],
    )


def deployment_of(ground: Ground) -> Question | None:
    chain = ground.one(list(_chains(ground)))
    if chain is None:
        return None
    pod, middle, top = chain
    return ground.asked(
        "deployment_of",
        [place(top)],
        [place(one) for one in ground.all(r.DEPLOYMENTS) if one is not top],
        values={"pod": place(pod), "replicaset": name_of(middle), "deployment": place(top)},
        proof=[
            Evidence(source("Pod", pod), "metadata.ownerReferences[0]", f"ReplicaSet {name_of(middle)}"),
            Evidence(source("ReplicaSet", middle), "metadata.ownerReferences[0]", f"Deployment {name_of(top)}"),
        ],
        commands=[
            kcompanion("tree pod", pod),
            kubectl("get replicaset", middle, "jsonpath={.metadata.ownerReferences}"),
        ],
    )


def name_part(ground: Ground) -> Question | None:
    named = [(pod, str(labels_of(pod).get(HASH) or "")) for pod, _, _ in _chains(ground)]
    chosen = ground.one([(pod, part) for pod, part in named if part and f"-{part}-" in name_of(pod)])
    if chosen is None:
        return None
    pod, part = chosen
    return ground.asked(
        "name_part",
        [word("name_part.template")],
        [word("name_part.image"), word("name_part.node"), word("name_part.random"), word("name_part.revision")],
        values={"pod": place(pod), "part": part},
        proof=[Evidence(source("Pod", pod), f"metadata.labels[{HASH}]", part)],
        commands=[kcompanion("tree pod", pod), kubectl("get pod", pod, "jsonpath={.metadata.labels}")],
    )


def who_replaces(ground: Ground) -> Question | None:
    wanting = {dig(one, "metadata", "uid") for one in _steady(ground)}
    owned = [
        (pod, str(controller_reference(pod).get("kind")))
        for pod in ground.all(r.PODS)
        if controller_reference(pod).get("uid") in wanting
    ]
    chosen = ground.one([(pod, kind) for pod, kind in owned if not map_at(pod, "metadata").get("deletionTimestamp")])
    if chosen is None:
        return None
    pod, kind = chosen
    return ground.asked(
        "who_replaces",
        [CONTROLLERS[kind]],
        [
            *(name for name in CONTROLLERS.values() if name != CONTROLLERS[kind]),
            "kubelet",
            "kube-scheduler",
            "deployment-controller",
        ],
        values={
            "pod": place(pod),
            "kind": kind,
            "owner": str(controller_reference(pod).get("name")),
            "who": CONTROLLERS[kind],
        },
        proof=[Evidence(source("Pod", pod), "metadata.ownerReferences[0].kind", kind)],
        commands=[
            kcompanion("controlplane controllers"),
            kubectl("get pod", pod, "jsonpath={.metadata.ownerReferences}"),
        ],
    )


def _steady(ground: Ground) -> Iterator[Object]:
    """Controllers that have just the pods they want, so that one pod less is one to make."""
    for resource in (r.REPLICASETS, r.STATEFULSETS):
        for item in ground.all(resource):
            if replicas_of(item) is not None and dig(item, "status", "replicas") == replicas_of(item):
                yield item
    for item in ground.all(r.DAEMONSETS):
        wanted = dig(item, "status", "desiredNumberScheduled")
        if (
            wanted
            and dig(item, "status", "currentNumberScheduled") == wanted
            and not dig(item, "status", "numberMisscheduled")
        ):
            yield item


def naked(ground: Ground) -> Question | None:
    """A pod that nobody would make anew."""
    alone = [pod for pod in ground.all(r.PODS) if not dig(pod, "metadata", "ownerReferences")]
    chosen = ground.one([pod for pod in alone if not pods.is_static(pod) and text_at(pod, "spec", "nodeName")])
    if chosen is None:
        return None
    return ground.asked(
        "naked",
        [word("naked.nothing")],
        [word("naked.elsewhere"), word("naked.same"), word("naked.scheduler")],
        values={"pod": place(chosen), "node": text_at(chosen, "spec", "nodeName")},
        proof=[Evidence(source("Pod", chosen), "metadata.ownerReferences", "none")],
        commands=[kcompanion("orphans"), kubectl("get pod", chosen, "jsonpath={.metadata.ownerReferences}")],
    )


def adopts(ground: Ground) -> Question | None:
    """Who would take a pod that has just the labels a ReplicaSet selects: only where exactly one would."""
    takers = [(resource, item) for resource in _TAKERS for item in ground.all(resource)]
    chosen = ground.first(
        [(item, labels) for item in ground.all(r.REPLICASETS) if (labels := _plain(item))],
        lambda pair: [one for _, one in takers if _takes(one, *pair)] == [pair[0]],
    )
    if chosen is None:
        return None
    item, labels = chosen
    wrong: list[Choice] = [f"{resource.kind} {place(one)}" for resource, one in _choosers(ground) if one is not item]
    return ground.asked(
        "adopts",
        [f"ReplicaSet {place(item)}"],
        [*wrong, word("adopts.nobody")],
        values={
            "labels": selector_text({"matchLabels": labels}),
            "namespace": namespace_of(item),
            "replicaset": name_of(item),
        },
        proof=[Evidence(source("ReplicaSet", item), "spec.selector", selector_text(dig(item, "spec", "selector")))],
        commands=[kcompanion("orphans"), kubectl("get replicaset", item, "jsonpath={.spec.selector}")],
    )


def _plain(item: Object) -> Mapping[str, Any]:
    """The labels of a selector that asks for nothing else, of one that is not going away."""
    selector = map_at(item, "spec", "selector")
    if map_at(item, "metadata").get("deletionTimestamp") or set(selector) != {"matchLabels"}:
        return {}
    return map_at(selector, "matchLabels")


def _takes(taker: Object, item: Object, labels: Mapping[str, Any]) -> bool:
    if namespace_of(taker) != namespace_of(item):
        return False
    selector = dig(taker, "spec", "selector")
    if isinstance(selector, Mapping) and not {"matchLabels", "matchExpressions"} & set(selector):
        return all(labels.get(key) == value for key, value in selector.items())  # a ReplicationController's
    return selects(selector, labels)


def _choosers(ground: Ground) -> Iterator[tuple[Resource, Object]]:
    for resource in (r.DEPLOYMENTS, r.SERVICES, r.DAEMONSETS, r.REPLICASETS):
        for item in ground.all(resource):
            yield resource, item


def job_of(ground: Ground) -> Question | None:
    owned = [one for one in ground.all(r.JOBS) if controller_reference(one).get("kind") == "CronJob"]
    chosen = ground.one(owned)
    if chosen is None:
        return None
    right = f"CronJob {namespace_of(chosen)}/{controller_reference(chosen).get('name')}"
    others = [f"Deployment {place(one)}" for one in ground.all(r.DEPLOYMENTS)]
    return ground.asked(
        "job_of",
        [right],
        [
            *others,
            *(f"Job {place(one)}" for one in ground.all(r.JOBS) if one is not chosen),
            *(f"DaemonSet {place(one)}" for one in ground.all(r.DAEMONSETS)),
        ],
        values={"job": place(chosen), "owner": right},
        proof=[
            Evidence(
                source("Job", chosen),
                "metadata.ownerReferences[0]",
                f"CronJob {controller_reference(chosen).get('name')}",
            )
        ],
        commands=[kcompanion("owners job", chosen), kubectl("get job", chosen, "jsonpath={.metadata.ownerReferences}")],
    )
