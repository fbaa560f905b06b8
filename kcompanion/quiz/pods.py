"""Questions about pods: phase and STATUS, quality of service, probes, restarts, addresses, accounts, schedulers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.controlplane import pods
from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, namespace_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Object
from kcompanion.quiz.question import Ground, Question, kcompanion, kubectl, place, source, word

PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
CLASSES = ("Guaranteed", "Burstable", "BestEffort")
POLICIES = ("Always", "OnFailure", "Never")
DEFAULT_THRESHOLD = 3  # failureThreshold where none is given; the API server writes it in


def phase(ground: Ground) -> Question | None:
    differing = [(pod, Pod(pod).status_word) for pod in ground.all(r.PODS) if text_at(pod, "status", "phase") in PHASES]
    chosen = ground.one([(pod, told) for pod, told in differing if told != text_at(pod, "status", "phase")])
    if chosen is None:
        return None
    pod, told = chosen
    right = text_at(pod, "status", "phase")
    return ground.asked(
        "phase",
        [right],
        [name for name in PHASES if name != right],
        values={"pod": place(pod), "status": told, "phase": right},
        proof=[Evidence(source("Pod", pod), "status.phase", right)],
        commands=[kcompanion("explain pod", pod), kubectl("get pod", pod, "jsonpath={.status.phase}")],
    )


def quality(ground: Ground) -> Question | None:
    chosen = ground.one([pod for pod in ground.all(r.PODS) if text_at(pod, "status", "qosClass") in CLASSES])
    if chosen is None:
        return None
    right = text_at(chosen, "status", "qosClass")
    asked = [map_at(container, "resources") for container in _containers(chosen)]
    told = "; ".join(sorted({_amounts(one) for one in asked})) or "-"
    return ground.asked(
        "quality",
        [right],
        [name for name in CLASSES if name != right],
        values={"pod": place(chosen), "right": right},
        proof=[
            Evidence(source("Pod", chosen), "spec.containers[*].resources", told),
            Evidence(source("Pod", chosen), "status.qosClass", right),
        ],
        commands=[kcompanion("explain pod", chosen), kubectl("get pod", chosen, "jsonpath={.status.qosClass}")],
    )


def _containers(pod: Object) -> Iterator[Mapping[str, Any]]:
    yield from maps_at(pod, "spec", "initContainers")
    yield from maps_at(pod, "spec", "containers")


def _amounts(given: Mapping[str, Any]) -> str:
    parts = [
        f"{which} {name}={amount}"
        for which in ("requests", "limits")
        for name, amount in sorted(map_at(given, which).items())
    ]
    return ", ".join(parts) or "none"


def restart(ground: Ground) -> Question | None:
    """What the kubelet does when a container ends with 0: only of containers without rules of their own."""
    policies = [(pod, text_at(pod, "spec", "restartPolicy")) for pod in ground.all(r.PODS)]
    plain = [(pod, one) for pod, one in policies if one in POLICIES and not (_own_rules(pod) or Pod(pod).deleted_at)]
    chosen = ground.one(plain)
    if chosen is None:
        return None
    pod, policy = chosen
    container = text_at(next(maps_at(pod, "spec", "containers"), {}), "name")
    right = "restart.again" if policy == "Always" else "restart.stays"
    wrong = {"restart.again", "restart.stays", "restart.replaced", "restart.moved"} - {right}
    return ground.asked(
        "restart",
        [word(right)],
        map(word, sorted(wrong)),
        values={"pod": place(pod), "container": container, "policy": policy},
        proof=[Evidence(source("Pod", pod), "spec.restartPolicy", policy)],
        commands=[kcompanion("explain pod", pod), kubectl("get pod", pod, "jsonpath={.spec.restartPolicy}")],
    )


def _own_rules(pod: Object) -> bool:
    return any(one.get("restartPolicy") or one.get("restartPolicyRules") for one in maps_at(pod, "spec", "containers"))


def _probed(ground: Ground, probe: str) -> list[tuple[Object, Mapping[str, Any]]]:
    return [(pod, one) for pod in ground.all(r.PODS) for one in maps_at(pod, "spec", "containers") if one.get(probe)]


def liveness(ground: Ground) -> Question | None:
    found = [(pod, one) for pod, one in _probed(ground, "livenessProbe") if not _own_rules(pod)]
    chosen = ground.one([(pod, one) for pod, one in found if text_at(pod, "spec", "restartPolicy") == "Always"])
    if chosen is None:
        return None
    pod, container = chosen
    threshold = map_at(container, "livenessProbe").get("failureThreshold", DEFAULT_THRESHOLD)
    return ground.asked(
        "liveness",
        [word("liveness.restarted")],
        [word("liveness.replaced"), word("liveness.unserved"), word("liveness.moved")],
        values={"pod": place(pod), "container": text_at(container, "name"), "times": threshold},
        proof=[
            Evidence(
                source("Pod", pod),
                f"spec.containers[{text_at(container, 'name')}].livenessProbe.failureThreshold",
                str(threshold),
            ),
        ],
        commands=[
            kcompanion("explain pod", pod),
            kubectl("get pod", pod, "jsonpath={.spec.containers[*].livenessProbe}"),
        ],
    )


def readiness(ground: Ground) -> Question | None:
    chosen = ground.one(_probed(ground, "readinessProbe"))
    if chosen is None:
        return None
    pod, container = chosen
    return ground.asked(
        "readiness",
        [word("readiness.unserved")],
        [word("readiness.restarted"), word("readiness.replaced"), word("readiness.phase")],
        values={"pod": place(pod), "container": text_at(container, "name")},
        proof=[Evidence(source("Pod", pod), f"spec.containers[{text_at(container, 'name')}].readinessProbe")],
        commands=[
            kcompanion("explain pod", pod),
            kubectl("get pod", pod, "jsonpath={.spec.containers[*].readinessProbe}"),
        ],
    )


def shared_address(ground: Ground) -> Question | None:
    several = [pod for pod in ground.all(r.PODS) if len(list(maps_at(pod, "spec", "containers"))) > 1]
    chosen = ground.one([pod for pod in several if len(list(maps_at(pod, "status", "podIPs"))) == 1])
    if chosen is None:
        return None
    count = len(list(maps_at(chosen, "spec", "containers")))
    return ground.asked(
        "shared_address",
        [1],
        [0, count, count + 1],
        values={"pod": place(chosen), "count": count, "address": text_at(chosen, "status", "podIP")},
        proof=[Evidence(source("Pod", chosen), "status.podIPs", text_at(chosen, "status", "podIP"))],
        commands=[kcompanion("explain pod", chosen), kubectl("get pod", chosen, "jsonpath={.status.podIPs}")],
    )


def account(ground: Ground) -> Question | None:
    chosen = ground.one([pod for pod in ground.all(r.PODS) if _speaks(pod)])
    if chosen is None:
        return None
    space, name = namespace_of(chosen), text_at(chosen, "spec", "serviceAccountName")
    node = text_at(chosen, "spec", "nodeName")
    others = [pod for pod in ground.all(r.PODS) if text_at(pod, "spec", "serviceAccountName")]
    return ground.asked(
        "account",
        [_user(chosen)],
        [
            f"system:node:{node or '-'}",
            "system:anonymous",
            f"system:serviceaccount:default:{name}",
            *(_user(pod) for pod in others),
        ],
        values={"pod": place(chosen), "account": name, "namespace": space, "right": _user(chosen)},
        proof=[Evidence(source("Pod", chosen), "spec.serviceAccountName", name)],
        commands=[kcompanion("explain pod", chosen), kubectl("get pod", chosen, "jsonpath={.spec.serviceAccountName}")],
    )


def _speaks(pod: Object) -> bool:
    """Whether a token of its service account is put into it."""
    projected = any(
        "serviceAccountToken" in one
        for volume in maps_at(pod, "spec", "volumes")
        for one in maps_at(volume, "projected", "sources")
    )
    return projected and bool(text_at(pod, "spec", "serviceAccountName")) and not pods.is_static(pod)


def _user(pod: Object) -> str:
    return f"system:serviceaccount:{namespace_of(pod)}:{text_at(pod, 'spec', 'serviceAccountName')}"


def scheduler(ground: Ground) -> Question | None:
    """A pod that waits for a scheduler other than the default one."""
    named = [
        pod for pod in ground.all(r.PODS) if text_at(pod, "spec", "schedulerName") not in ("", "default-scheduler")
    ]
    chosen = ground.one([pod for pod in named if not text_at(pod, "spec", "nodeName")])
    if chosen is None:
        return None
    right = text_at(chosen, "spec", "schedulerName")
    return ground.asked(
        "scheduler",
        [right],
        ["default-scheduler", "kubelet", "kube-controller-manager"],
        values={"pod": place(chosen), "scheduler": right},
        proof=[
            Evidence(source("Pod", chosen), "spec.schedulerName", right),
            Evidence(source("Pod", chosen), "spec.nodeName", str(dig(chosen, "spec", "nodeName") or "")),
        ],
        commands=[kcompanion("explain pod", chosen), kubectl("get pod", chosen, "jsonpath={.spec.schedulerName}")],
    )
