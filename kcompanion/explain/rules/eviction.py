"""Evicted pods, and pods that cannot be: group F of the taxonomy.

The kubelet evicts for itself (status.reason Evicted, with the sentences of pkg/kubelet/eviction/helpers.go), the taint
eviction controller deletes from tainted nodes, and the Eviction API asks PodDisruptionBudgets first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.fate import MIRROR, controller_of, toleration_seconds
from kcompanion.explain.nodelife import State, life, taint_text
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, condition, dig, labels_of, map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_eviction")
_PRESSURE = "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"
_STORAGE = "https://kubernetes.io/docs/concepts/storage/ephemeral-storage/"
_BUDGET = "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/"

_LOW = re.compile(r"The node was low on resource: (?P<resource>[\w./-]+)\.")
_THRESHOLD = re.compile(r"Threshold quantity: (?P<threshold>\S+), available: (?P<available>[^\s.]+)")
_USING = re.compile(r"Container (?P<container>\S+) was using (?P<used>\S+), request is (?P<request>[^\s,]+)")
_CONDITION = re.compile(r"The node had condition: \[(?P<conditions>[^\]]*)\]")
_CONTAINER_LIMIT = re.compile(
    r'Container (?P<container>\S+) exceeded its local ephemeral storage limit "(?P<limit>[^"]+)"'
)
_POD_LIMIT = re.compile(r"exceeds the total limit of containers (?P<limit>\S+?)\. ?$")
_VOLUME_LIMIT = re.compile(r'Usage of EmptyDir volume "(?P<volume>[^"]+)" exceeds the limit "(?P<limit>[^"]+)"')


def _evicted(pod: Pod, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return pattern.search(pod.message) if pod.reason == "Evicted" else None


def _evidence(pod: Pod) -> tuple[Evidence, ...]:
    ended = text_at(pod.condition("Ready"), "lastTransitionTime")
    return (seen(pod.ref, "status.reason", pod.reason, ended), seen(pod.ref, "status.message", pod.message))


def _delete(pod: Pod) -> Step:
    """An evicted pod is a record only; no container of it is left."""
    return change(f"kubectl delete pod {pod.name} -n {pod.namespace}", say("rule_eviction.delete"))


@BOOK.rule("KC5105", numbers=(105, 107), severity=Severity.CRITICAL, rank=Rank.EVICTED, read=_PRESSURE)
def node_was_low(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet gave up this pod to save its node."""
    if not (found := _evicted(pod, _LOW)):
        return
    values = {"node": pod.node or "?", "resource": found["resource"], "threshold": "?", "available": "?"}
    if amounts := _THRESHOLD.search(pod.message):
        values |= {"threshold": amounts["threshold"], "available": amounts["available"]}
    variant = "cause"
    if using := _USING.search(pod.message):
        values |= using.groupdict()
        variant = "cause_using"
    evidence = (*_evidence(pod), *_pressure_now(pod, world))
    steps = (
        inspect(f"kubectl describe node {pod.node}"),
        change(text=say("rule_eviction.kc5105.do", resource=found["resource"])),
        _delete(pod),
    )
    yield Cause(values, evidence, steps, variant, root=Ref("Node", pod.node) if pod.node else None)


def _pressure_now(pod: Pod, world: World) -> Iterator[Evidence]:
    """Whether the node is still under pressure."""
    try:
        node = world.get(r.NODES, pod.node) if pod.node else None
    except NotKnown:
        return
    for type_ in ("MemoryPressure", "DiskPressure", "PIDPressure"):
        found = {} if node is None else condition(node, type_)
        if found.get("status") == "True":
            at = text_at(found, "lastTransitionTime")
            yield seen(Ref("Node", pod.node), f"status.conditions[{type_}]", "True", at)


@BOOK.rule("KC5106", numbers=(106,), severity=Severity.CRITICAL, rank=Rank.EVICTED, read=_PRESSURE)
def refused_under_pressure(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod came to a node under pressure, and the kubelet turned it away before it started anything."""
    if found := _evicted(pod, _CONDITION):
        conditions = ", ".join(found["conditions"].split())
        yield Cause(
            {"node": pod.node or "?", "conditions": conditions},
            (*_evidence(pod), *_pressure_now(pod, world)),
            (
                inspect(f"kubectl describe node {pod.node}"),
                change(text=say("rule_eviction.kc5106.do")),
                _delete(pod),
            ),
            root=Ref("Node", pod.node) if pod.node else None,
        )


@BOOK.rule("KC5108", numbers=(108, 109), severity=Severity.CRITICAL, rank=Rank.EVICTED, read=_STORAGE)
def over_storage_limit(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """Logs, writable layers and emptyDir volumes outgrew the limits of the containers."""
    steps = (
        change(text=say("rule_eviction.kc5108.do")),
        inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o yaml"),
        _delete(pod),
    )
    if found := _evicted(pod, _CONTAINER_LIMIT):
        where = f"spec.containers[{found['container']}].resources.limits.ephemeral-storage"
        evidence = (*_evidence(pod), seen(pod.ref, where, found["limit"]))
        yield Cause(found.groupdict(), evidence, steps)
    elif found := _evicted(pod, _POD_LIMIT):
        yield Cause(found.groupdict(), _evidence(pod), steps, "cause_pod")


@BOOK.rule(
    "KC5110",
    numbers=(110,),
    severity=Severity.CRITICAL,
    rank=Rank.EVICTED,
    read="https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
)
def over_volume_limit(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """An emptyDir grew beyond its sizeLimit."""
    if found := _evicted(pod, _VOLUME_LIMIT):
        mounted = [
            container.name
            for container in pod.containers
            if any(m.get("name") == found["volume"] for m in maps_at(container.spec, "volumeMounts"))
        ]
        where = f"spec.volumes[{found['volume']}].emptyDir.sizeLimit"
        yield Cause(
            {**found.groupdict(), "containers": ", ".join(mounted) or "?"},
            (*_evidence(pod), seen(pod.ref, where, found["limit"])),
            (change(text=say("rule_eviction.kc5110.do", volume=found["volume"])), _delete(pod)),
        )


@BOOK.rule(
    "KC5111",
    numbers=(111,),
    rank=Rank.EVICTED,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions",
)
def driven_out_by_taint(pod: Pod, world: World) -> Iterator[Cause]:
    """Somebody put a NoExecute taint on the pod's node. On a node that is not well, that is the cause to tell."""
    target = pod.condition("DisruptionTarget")
    if target.get("reason") != "DeletionByTaintManager" or pod.phase == "Succeeded":
        return
    node = world.get(r.NODES, pod.node)
    if node is None or life(node, world).state is not State.ALIVE:
        return
    evidence = [
        seen(
            pod.ref,
            "status.conditions[DisruptionTarget]",
            f"{text_at(target, 'reason')}: {text_at(target, 'message')}",
            text_at(target, "lastTransitionTime"),
        )
    ]
    ref = Ref("Node", pod.node)
    taints = [t for t in maps_at(node, "spec", "taints") if t.get("effect") == "NoExecute"]
    not_tolerated = [taint for taint in taints if toleration_seconds(pod, taint) is not None]
    evidence += [seen(ref, "spec.taints", taint_text(t), text_at(t, "timeAdded")) for t in not_tolerated]
    variant = "cause" if not_tolerated else "cause_gone"
    values = {"node": pod.node, "taint": ", ".join(map(taint_text, not_tolerated))}
    after = "replaced" if controller_of(pod) else "naked"
    yield Cause(
        {**values, "after": say(f"rule_eviction.after.{after}")},
        tuple(evidence),
        (inspect(f"kubectl describe node {pod.node}"), change(text=say("rule_eviction.kc5111.do"))),
        variant,
        root=ref,
    )


@BOOK.rule("KC5112", numbers=(112,), kind=("Pod", "PodDisruptionBudget"), rank=Rank.EVICTED, read=_BUDGET, every=True)
def budget_blocks_drain(item: Pod | Object, world: World) -> Iterator[Cause]:
    """A node is being emptied, but a PodDisruptionBudget lets none of its pods go: evictions answer 429."""
    if isinstance(item, Pod):
        if not _to_be_drained(item.raw, world):
            return
        for budget in world.all(r.PDBS, item.namespace):
            if _takes(budget, item.raw) and _closed(budget, world):
                yield _blocked(budget, [item.raw])
        return
    if not _closed(item, world):
        return
    pods = [pod for pod in world.all(r.PODS, text_at(item, "metadata", "namespace")) if _takes(item, pod)]
    waiting = [pod for pod in pods if _to_be_drained(pod, world)]
    if waiting:
        yield _blocked(item, waiting)
    elif pods and _count(item, "currentHealthy") >= _count(item, "expectedPods"):
        ref = ref_of(item, "PodDisruptionBudget")
        yield Cause(
            {"wanted": _count(item, "desiredHealthy"), "pods": _count(item, "expectedPods")},
            _budget_evidence(item),
            (change(text=say("rule_eviction.kc5112.do")),),
            "cause_never",
            Severity.INFO,
            ref,
        )


def _blocked(budget: Object, pods: Sequence[Object]) -> Cause:
    ref = ref_of(budget, "PodDisruptionBudget")
    node = text_at(pods[0], "spec", "nodeName")
    healthy, wanted, expected = (_count(budget, key) for key in ("currentHealthy", "desiredHealthy", "expectedPods"))
    values = {
        "budget": ref.name,
        "node": node,
        "pod": name_of(pods[0]),
        "healthy": healthy,
        "wanted": wanted,
        "pods": expected,
    }
    evidence = (
        *_budget_evidence(budget),
        seen(Ref("Node", node), "spec.unschedulable", "true"),
        seen(ref_of(pods[0], "Pod"), "spec.nodeName", node),
    )
    steps = (
        inspect(f"kubectl get pdb {ref.name} -n {ref.namespace} -o yaml"),
        inspect(f"kubectl get pods -n {ref.namespace} -l '{selector_text(map_at(budget, 'spec', 'selector'))}'"),
        change(text=say("rule_eviction.kc5112.do")),
    )
    # Healthy pods in full number: no waiting will ever help. Otherwise it opens when the unhealthy ones recover.
    return Cause(values, evidence, steps, "cause" if healthy >= expected else "cause_unhealthy", root=ref)


def _budget_evidence(budget: Object) -> tuple[Evidence, ...]:
    ref = ref_of(budget, "PodDisruptionBudget")
    rule = next((key for key in ("minAvailable", "maxUnavailable") if dig(budget, "spec", key) is not None), "")
    found = [seen(ref, "status.disruptionsAllowed", _count(budget, "disruptionsAllowed"))]
    found += [seen(ref, f"status.{key}", _count(budget, key)) for key in ("currentHealthy", "desiredHealthy")]
    return (*found, seen(ref, f"spec.{rule}", dig(budget, "spec", rule))) if rule else tuple(found)


def _count(budget: Object, key: str) -> int:
    value = dig(budget, "status", key)
    return value if isinstance(value, int) else 0


def _closed(budget: Object, world: World) -> bool:
    """Whether it allows no disruption; one that the controller has not looked at yet is no evidence."""
    generation, looked = dig(budget, "metadata", "generation"), dig(budget, "status", "observedGeneration")
    age = world.since(text_at(budget, "metadata", "creationTimestamp")) or 0
    return ((looked is not None and looked == generation) or age > 30) and _count(budget, "disruptionsAllowed") == 0


def _takes(budget: Object, pod: Object) -> bool:
    """Whether a budget covers a pod; in policy/v1 the empty selector takes every pod of the namespace."""
    return selects(dig(budget, "spec", "selector"), labels_of(pod))


def _to_be_drained(pod: Object, world: World) -> bool:
    """Whether it stands on a cordoned node and `kubectl drain` would evict it."""
    node = text_at(pod, "spec", "nodeName")
    if (
        not node
        or text_at(pod, "status", "phase") in ("Succeeded", "Failed")
        or dig(pod, "metadata", "deletionTimestamp")
    ):
        return False
    if MIRROR in annotations_of(pod) or controller_of(Pod(pod)).get("kind") == "DaemonSet":
        return False
    found = world.get(r.NODES, node)
    return found is not None and dig(found, "spec", "unschedulable") is True


@BOOK.rule("KC5241", kind="PodDisruptionBudget", rank=Rank.EVICTED, read=_BUDGET)
def two_budgets(budget: Object, world: World) -> Iterator[Cause]:
    """The Eviction API refuses a pod that more than one budget covers, with 500 (pkg/registry/core/pod/storage)."""
    ref = ref_of(budget, "PodDisruptionBudget")
    others = [other for other in world.all(r.PDBS, ref.namespace) if name_of(other) != ref.name]
    if not others:
        return
    for pod in world.all(r.PODS, ref.namespace):
        if text_at(pod, "status", "phase") in ("Succeeded", "Failed") or not _takes(budget, pod):
            continue
        also = sorted(name_of(other) for other in others if _takes(other, pod))
        if also:
            evidence = [
                seen(
                    Ref("PodDisruptionBudget", name, ref.namespace), "spec.selector", _selector(name, [budget, *others])
                )
                for name in (ref.name, *also)
            ]
            yield Cause(
                {"pod": name_of(pod), "others": ", ".join(also)},
                (*evidence, seen(ref_of(pod, "Pod"), "metadata.labels", _labels(pod))),
                (
                    inspect(f"kubectl get pdb -n {ref.namespace} -o wide"),
                    change(text=say("rule_eviction.kc5241.do")),
                ),
                root=Ref("PodDisruptionBudget", min(ref.name, *also), ref.namespace),
            )
            return


def _selector(name: str, budgets: Sequence[Object]) -> str:
    return next(selector_text(dig(b, "spec", "selector")) or "{}" for b in budgets if name_of(b) == name)


def _labels(pod: Object) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels_of(pod).items()))


@BOOK.rule(
    "KC5113",
    numbers=(113,),
    kind="EvictionRequest",
    rank=Rank.EVICTED,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/",
)
def eviction_request(request: Object, world: World) -> Iterator[Cause]:
    """A request of lifecycle.k8s.io (alpha in 1.37) to have a pod leave: given up, or not done yet."""
    if text_at(request, "spec", "intent") != "Eviction" or condition(request, "TargetEvicted").get("status") == "True":
        return
    ref = ref_of(request, "EvictionRequest")
    pod = Ref("Pod", text_at(request, "spec", "target", "pod", "name"), ref.namespace)
    failed = condition(request, "Failed")
    values = {"pod": pod.name, "requester": text_at(request, "spec", "requester") or "?"}
    steps = (inspect(f"kubectl get pod {pod.name} -n {pod.namespace}"), inspect(f"kubectl get pdb -n {pod.namespace}"))
    asked = seen(ref, "spec.target.pod.name", pod.name, text_at(request, "metadata", "creationTimestamp"))
    if failed.get("status") == "True":
        value = f"{text_at(failed, 'reason')}: {text_at(failed, 'message')}"
        at = text_at(failed, "lastTransitionTime")
        evidence = (asked, seen(ref, "status.conditions[Failed]", value, at))
        yield Cause({**values, "message": value}, evidence, steps, "cause_failed", root=pod)
        return
    try:
        events = [told(event) for event in world.events(ref)][-1:]
    except NotKnown:
        events = []
    yield Cause(values, (asked, *events), steps, severity=Severity.INFO, root=pod)
