"""Rollouts that do not come on: Deployments, StatefulSets, DaemonSets, and controllers that nobody runs (group K)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompanion.explain.evidence import change, destroy, inspect, seen, told
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.shortage import about, number
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, labels_of, map_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import World

BOOK = RuleBook("rule_rollout")
_DOCS = "https://kubernetes.io/docs/concepts/workloads/controllers/"
_FRESH = 60  # seconds in which a pod that is not ready yet is no fault
_LATELY = 900  # seconds an event counts as news


@BOOK.rule(
    "KC5158",
    numbers=(158,),
    kind="Deployment",
    severity=Severity.CRITICAL,
    rank=Rank.SYMPTOM,
    read=_DOCS + "deployment/#failed-deployment",
)
def stuck(item: Object, world: World) -> Iterator[Cause]:
    """A rollout past its progress deadline, a ReplicaSet that cannot be made, or too few pods after the rollout."""
    wanted = number(item, "spec", "replicas", default=1)
    if not wanted or dig(item, "spec", "paused") is True or dig(item, "metadata", "deletionTimestamp"):
        return
    progressing, available = condition(item, "Progressing"), condition(item, "Available")
    reason, since = text_at(progressing, "reason"), text_at(progressing, "lastUpdateTime")
    there = number(item, "status", "availableReplicas")
    values = {
        "want": wanted,
        "have": there,
        "updated": number(item, "status", "updatedReplicas"),
        "deadline": number(item, "spec", "progressDeadlineSeconds", default=600),
        "said": text_at(progressing, "message"),
    }
    ref = about(item)
    down = world.since(text_at(available, "lastTransitionTime")) or 0
    if progressing.get("status") == "False" and reason == "ReplicaSetCreateError":
        variant, field, value = "cause_replicaset", "Progressing].message", values["said"]
    elif progressing.get("status") == "False" and reason == "ProgressDeadlineExceeded":
        variant, field, value = "cause", "Progressing].reason", reason
    elif reason == "NewReplicaSetAvailable" and available.get("status") == "False" and down >= _FRESH:
        variant, field, value = "cause_unavailable", "Available].reason", text_at(available, "reason")
        since = text_at(available, "lastTransitionTime")
    else:
        return
    yield Cause(
        values,
        (
            seen(ref, f"status.conditions[{field}", value, since),
            seen(ref, "status.availableReplicas", f"{there} of {wanted}"),
        ),
        (
            inspect(f"kubectl rollout status deployment/{ref.name} -n {ref.namespace} --timeout=5s"),
            inspect(f"kubectl rollout history deployment/{ref.name} -n {ref.namespace}"),
            *(
                (change(f"kubectl rollout undo deployment/{ref.name} -n {ref.namespace}"),)
                if variant == "cause" and _earlier(item)
                else ()
            ),
        ),
        variant=variant,
    )


def _earlier(item: Object) -> bool:
    """Whether there is a revision to go back to."""
    revision = map_at(item, "metadata", "annotations").get("deployment.kubernetes.io/revision")
    return isinstance(revision, str) and revision not in ("", "1")


# ------------------------------------------------------------------------------------------------------- StatefulSets


def _ordered(item: Object, world: World) -> Sequence[Pod]:
    """The pods of a StatefulSet that goes one by one, by ordinal; none where it does not, or does not lack any."""
    wanted = number(item, "spec", "replicas", default=1)
    parallel = text_at(item, "spec", "podManagementPolicy") == "Parallel"
    settled = number(item, "status", "readyReplicas") >= wanted and number(item, "status", "updatedReplicas") >= wanted
    if not wanted or parallel or settled or dig(item, "metadata", "deletionTimestamp"):
        return ()
    return sorted(map(Pod, world.children(item, r.PODS)), key=_ordinal)


def _ordinal(pod: Pod) -> int:
    last = pod.name.rpartition("-")[2]
    return int(last) if last.isdigit() else -1


def _waits(pod: Pod, world: World) -> bool:
    """Whether a pod has not been ready for longer than a start takes."""
    since = text_at(pod.condition("Ready"), "lastTransitionTime") or text_at(pod.raw, "metadata", "creationTimestamp")
    return not pod.is_true("Ready") and (world.since(since) or 0) >= _FRESH


@BOOK.rule(
    "KC5160",
    numbers=(160,),
    kind="StatefulSet",
    severity=Severity.WARNING,
    rank=Rank.SYMPTOM,
    read=_DOCS + "statefulset/#deployment-and-scaling-guarantees",
)
def ordered_block(item: Object, world: World) -> Iterator[Cause]:
    """Pods of higher ordinals are not made, or not updated, before the one that is not ready."""
    pods = _ordered(item, world)
    wanted = number(item, "spec", "replicas", default=1)
    blocking = next((pod for pod in pods if _waits(pod, world)), None)
    if blocking is None:
        return
    missing = wanted - len(pods)
    old = [pod for pod in pods if _revision(pod) != text_at(item, "status", "updateRevision")]
    updating = _revision(blocking) == text_at(item, "status", "updateRevision") and old
    if missing <= 0 and not updating:
        return
    ref = about(item)
    yield Cause(
        {"pod": blocking.name, "word": blocking.status_word, "missing": missing, "old": len(old), "want": wanted},
        (
            seen(ref, "spec.podManagementPolicy", text_at(item, "spec", "podManagementPolicy") or "OrderedReady"),
            seen(
                blocking.ref,
                "status.conditions[Ready].status",
                text_at(blocking.condition("Ready"), "status") or "-",
                text_at(blocking.condition("Ready"), "lastTransitionTime"),
            ),
        ),
        (inspect(f"kcompanion explain pod/{blocking.name} -n {ref.namespace}"),),
        variant="cause" if missing > 0 else "cause_update",
        root=blocking.ref,
    )


def _revision(pod: Pod) -> str:
    return str(labels_of(pod.raw).get("controller-revision-hash", ""))


@BOOK.rule(
    "KC5257",
    kind="StatefulSet",
    severity=Severity.CRITICAL,
    rank=Rank.GATED,
    read=_DOCS + "statefulset/#forced-rollback",
)
def broken_revision(item: Object, world: World) -> Iterator[Cause]:
    """A StatefulSet waits for a pod of a broken revision before it uses the mended one (kubernetes issue 67250)."""
    newest = text_at(item, "status", "updateRevision")
    rolling = text_at(item, "spec", "updateStrategy", "type") != "OnDelete"
    held = number(item, "spec", "updateStrategy", "rollingUpdate", "partition")
    for pod in _ordered(item, world) if rolling and newest else ():
        if _revision(pod) in ("", newest) or _ordinal(pod) < held or pod.deleted_at or not _waits(pod, world):
            continue
        yield Cause(
            {"pod": pod.name, "word": pod.status_word, "old": _revision(pod), "new": newest},
            (
                seen(about(item), "status.updateRevision", newest),
                seen(pod.ref, "metadata.labels[controller-revision-hash]", _revision(pod)),
                seen(pod.ref, "status.conditions[Ready].status", text_at(pod.condition("Ready"), "status") or "-"),
            ),
            (
                inspect(f"kubectl rollout history statefulset/{name_of(item)} -n {namespace_of(item)}"),
                destroy(f"kubectl delete pod {pod.name} -n {pod.namespace}", say("rule_rollout.kc5257.do")),
            ),
            root=pod.ref,
        )
        return


# ---------------------------------------------------------------------------------------------------------- DaemonSets


@BOOK.rule(
    "KC5161",
    numbers=(161,),
    kind="DaemonSet",
    severity=Severity.WARNING,
    rank=Rank.SYMPTOM,
    read=_DOCS + "daemonset/",
)
def daemon_pods(item: Object, world: World) -> Iterator[Cause]:
    """Pods on nodes that are not meant, pods that fail and are replaced, or no node at all that is meant."""
    if dig(item, "metadata", "deletionTimestamp"):
        return
    ref, wrong = about(item), number(item, "status", "numberMisscheduled")
    look = inspect(f"kubectl get pods -n {ref.namespace} -o wide --field-selector=status.phase!=Succeeded")
    if wrong:
        yield Cause(
            {"count": wrong},
            (seen(ref, "status.numberMisscheduled", wrong),),
            (look, change(text=say("rule_rollout.kc5161.do"))),
            variant="cause_misscheduled",
        )
    selector = map_at(item, "spec", "template", "spec", "nodeSelector")
    current = dig(item, "status", "observedGeneration") == dig(item, "metadata", "generation")
    if current and selector and not number(item, "status", "desiredNumberScheduled"):
        words = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        yield Cause(
            {"selector": words},
            (seen(ref, "spec.template.spec.nodeSelector", words), seen(ref, "status.desiredNumberScheduled", 0)),
            (inspect(f"kubectl get nodes -l {words}"),),
            variant="cause_nowhere",
            severity=Severity.INFO,
        )
    if number(item, "status", "numberReady") >= number(item, "status", "desiredNumberScheduled"):
        return
    for event in reversed(world.events(ref, text_at(item, "metadata", "uid"))):
        if event.reason in ("FailedDaemonPod", "FailedPlacement") and (world.since(event.last) or 0) < _LATELY:
            yield Cause({"said": event.message, "times": event.count}, (told(event),), (look,))
            return


# ------------------------------------------------------------------------------------------------- nobody reconciles

_LEASE = Ref("Lease", "kube-controller-manager", "kube-system")
_PATIENCE = 3  # intervals of a Lease
_BUILT_IN = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")


@BOOK.rule(
    "KC5260",
    kind=(*_BUILT_IN, "CompanionReplicaSet"),
    severity=Severity.CRITICAL,
    rank=Rank.CONTROL_PLANE,
    read="https://kubernetes.io/docs/concepts/overview/components/#kube-controller-manager",
)
def nobody_reconciles(item: Object, world: World) -> Iterator[Cause]:
    """A controller that has not seen the object's latest state, because none runs."""
    kind = text_at(item, "kind")
    behind = _behind(item, kind)
    age = world.since(text_at(item, "metadata", "creationTimestamp")) or 0
    if not behind or age < _FRESH / 4:
        return
    ref = about(item)
    evidence = (seen(ref, *behind),)
    if kind == "CompanionReplicaSet":
        if age >= _FRESH and dig(item, "status", "observedGeneration") is None:
            yield Cause({"kind": kind}, evidence, (inspect("kcompanion operator status"),), variant="cause_operator")
        return
    lease = world.get(r.LEASES, _LEASE.name, _LEASE.namespace)
    renewed = text_at(lease, "spec", "renewTime")
    silent = world.since(renewed)
    look = inspect("kcompanion controlplane")
    if silent is not None and silent > _PATIENCE * number(lease, "spec", "leaseDurationSeconds", default=15):
        holder = text_at(lease, "spec", "holderIdentity").partition("_")[0]
        proof = seen(_LEASE, "spec.renewTime", renewed, renewed)
        yield Cause(
            {"kind": kind, "age": human_age(silent), "holder": holder or "-"}, (proof, *evidence), (look,), root=_LEASE
        )
    elif silent is not None and age >= _FRESH and not map_at(item, "status").get("observedGeneration"):
        proof = seen(_LEASE, "spec.renewTime", renewed, renewed)
        steps = (look, inspect("kubectl get pods -n kube-system -l component=kube-controller-manager -o yaml"))
        yield Cause({"kind": kind, "age": human_age(age)}, (*evidence, proof), steps, variant="cause_off")


def _behind(item: Object, kind: str) -> tuple[str, str] | None:
    """Path and value that show that no controller has looked at the object as it is now; None when one has."""
    if kind == "Job":
        waiting = dig(item, "spec", "suspend") is True or text_at(item, "spec", "managedBy")
        started = map_at(item, "status").get("startTime") or map_at(item, "status").get("conditions")
        return None if waiting or started else ("status.startTime", "-")
    made, observed = number(item, "metadata", "generation"), number(item, "status", "observedGeneration")
    return ("status.observedGeneration", f"{observed} of {made}") if observed < made else None
