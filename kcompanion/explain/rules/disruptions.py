"""Pods that must not be evicted: PodDisruptionBudgets, and requests to evict: 112 and 113 of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.fate import MIRROR, controller_of
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, condition, dig, labels_of, map_at, name_of, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_eviction")
_BUDGET = "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/"


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
