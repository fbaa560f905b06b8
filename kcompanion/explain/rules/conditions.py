"""Conditions that are not met on a pod that has its node: the second part of group A of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.containers import CREATING
from kcompanion.explain.rules.probing import probe_of, running_for
from kcompanion.model.fields import dig, maps_at, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.times import human_age
from kcompanion.model.world import World

BOOK = RuleBook(
    "rule_phase",
    excluded={10: "PodCompleted is why a pod that ended well is not Ready: nothing is wrong with that"},
)

CONDITIONS = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions"
SETTLED = 60  # seconds in which a start may take its time without being told
_LONGEST = 200  # characters of a message that a sentence cites


@BOOK.rule("KC5006", numbers=(6,), severity=Severity.CRITICAL, rank=Rank.LAST_RESORT, read=CONDITIONS)
def no_sandbox(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet has taken the pod up, but its sandbox, network, volumes or devices do not get ready."""
    ready = pod.condition("PodReadyToStartContainers")
    age = world.since(text_at(pod.raw, "status", "startTime")) or 0
    if ready.get("status") != "False" or pod.phase != "Pending" or pod.deleted_at or age < SETTLED:
        return
    volumes = ", ".join(text_at(volume, "name") for volume in maps_at(pod.raw, "spec", "volumes"))
    yield Cause(
        {"node": pod.node, "age": human_age(age)},
        (
            _condition(pod, "PodReadyToStartContainers"),
            seen(pod.ref, "status.startTime", text_at(pod.raw, "status", "startTime")),
            seen(pod.ref, "spec.volumes", volumes or "-"),
        ),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            inspect(f"kubectl describe node {pod.node}"),
            change(text=say("rule_phase.kc5006.do", node=pod.node)),
        ),
    )


@BOOK.rule(
    "KC5007",
    numbers=(7,),
    severity=Severity.WARNING,
    rank=Rank.START,
    read="https://kubernetes.io/docs/concepts/workloads/pods/init-containers/",
)
def still_initializing(pod: Pod, world: World) -> Iterator[Cause]:
    """An init container runs on and on, and everything after it waits."""
    if pod.is_true("Initialized") or pod.deleted_at or pod.phase != "Pending":
        return
    inits = [c for c in pod.containers if c.sort in (Sort.INIT, Sort.SIDECAR)]
    for place, container in enumerate(inits, start=1):
        running = running_for(container, world)
        if container.sort is not Sort.INIT or not container.running or running < SETTLED:
            continue
        waiting = [c.name for c in (*inits[place:], *(c for c in pod.containers if c.sort is Sort.APP))]
        yield Cause(
            {
                "container": container.name,
                "age": human_age(running),
                "waiting": ", ".join(waiting),
                "place": place,
                "total": len(inits),
            },
            (
                seen(
                    pod.ref,
                    f"{container.path}.state.running.startedAt",
                    text_at(container.status, "state", "running", "startedAt"),
                    text_at(container.status, "state", "running", "startedAt"),
                ),
                _condition(pod, "Initialized"),
            ),
            (
                inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {container.name} --tail=20"),
                inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
                change(text=say("rule_phase.kc5007.do", container=container.name)),
            ),
        )


@BOOK.rule("KC5008", numbers=(8,), severity=Severity.WARNING, rank=Rank.LAST_RESORT, read=CONDITIONS)
def containers_not_ready(pod: Pod, world: World) -> Iterator[Cause]:
    """Containers are not ready, for a reason that no other rule knows; those still being made are KC5029's."""
    since = pod.condition("ContainersReady").get("lastTransitionTime")
    age = world.since(since or text_at(pod.raw, "status", "startTime")) or 0
    if pod.phase in ("Succeeded", "Failed") or pod.deleted_at or not pod.node or age < SETTLED:
        return
    if pod.is_true("ContainersReady") or pod.is_true("Ready"):
        return
    if pod.condition("PodReadyToStartContainers").get("status") == "False":  # none could even be made: KC5006
        return
    lasting = (Sort.APP, Sort.SIDECAR)
    unready = [c for c in pod.containers if c.sort in lasting and not c.ready and c.waiting not in CREATING]
    if not unready:
        return
    yield Cause(
        {"containers": ", ".join(map(_with_state, unready)), "age": human_age(age)},
        (_condition(pod, "ContainersReady"), *(_state(pod, c) for c in unready[:3])),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {unready[0].name} --tail=20"),
        ),
        one_or_many("cause", len(unready)),
    )


# Who sets a readiness gate's condition, by what its type contains.
_GATE_OWNERS: tuple[tuple[str, str], ...] = (
    ("elbv2.k8s.aws", "aws"),
    ("load-balancer-neg-ready", "gke"),
    ("alb.ingress.k8s.aws", "aws"),
)


@BOOK.rule(
    "KC5009",
    numbers=(9,),
    severity=Severity.WARNING,
    rank=Rank.PROBE,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate",
)
def gates_not_ready(pod: Pod, world: World) -> Iterator[Cause]:
    """All containers are ready, but a condition that the pod's spec demands as well is not true."""
    if pod.is_true("Ready") or not pod.is_true("ContainersReady") or pod.deleted_at or pod.phase != "Running":
        return
    age = world.since(pod.condition("ContainersReady").get("lastTransitionTime")) or 0
    demanded = [text_at(gate, "conditionType") for gate in maps_at(pod.raw, "spec", "readinessGates")]
    open_gates = [gate for gate in demanded if gate and not pod.is_true(gate)]
    if not open_gates or age < PROMPT:
        return
    gate = open_gates[0]
    owner = next((name for part, name in _GATE_OWNERS if part in gate), "other")
    state: Message | str = str(pod.condition(gate).get("status") or "")
    said = text_at(pod.condition(gate), "message") or text_at(pod.condition(gate), "reason")
    yield Cause(
        {
            "gates": ", ".join(open_gates),
            "owner": say(f"rule_phase.gate_owner.{owner}"),
            "state": state,
            "age": human_age(age),
        },
        (
            *(
                seen(pod.ref, f"status.conditions[{one}]", f"{pod.condition(one).get('status') or '-'} {said}".strip())
                for one in open_gates
            ),
            _condition(pod, "Ready"),
        ),
        (
            inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o wide"),
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            change(text=say("rule_phase.kc5009.do", owner=say(f"rule_phase.gate_owner.{owner}"))),
        ),
        "cause" if not state else "cause_state",
    )


@BOOK.rule("KC5011", numbers=(11,), severity=Severity.CRITICAL, rank=Rank.LAST_RESORT, read=CONDITIONS)
def failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod has failed for good, for a reason that no other rule knows."""
    if pod.phase != "Failed" or pod.reason == "Evicted":  # KC5013
        return
    bad = [c for c in pod.containers if c.terminated and c.exit_code != 0]
    ended = max((text_at(c.terminated, "finishedAt") for c in bad), default="")
    values = {
        "containers": ", ".join(f"{c.name} ({c.exit_code} {text_at(c.terminated, 'reason')})" for c in bad),
        "reason": pod.reason or "-",
        "message": (pod.message or "-")[:_LONGEST],
        "policy": pod.restart_policy,
        "age": human_age(world.since(ended) or 0),
    }
    variant = "cause" if bad else ("cause_reason" if pod.reason or pod.message else "cause_nothing")
    first = bad[0].name if bad else ""
    yield Cause(
        values,
        (
            seen(pod.ref, "status.phase", "Failed"),
            *((seen(pod.ref, "status.reason", f"{pod.reason}: {pod.message}"),) if pod.reason else ()),
            *(_state(pod, c) for c in bad[:3]),
        ),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            *((inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {first}"),) if first else ()),
            change(text=say("rule_phase.kc5011.do")),
        ),
        variant,
    )


@BOOK.rule(
    "KC5203",
    severity=Severity.WARNING,
    rank=Rank.SYMPTOM,
    read="https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-dns-config",
    every=True,
)
def dns_cut(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod asks for more DNS servers or search domains than a resolver takes; the kubelet drops the rest."""
    if pod.deleted_at or pod.phase not in ("Pending", "Running"):
        return
    if not any(maps_at(pod.raw, "spec", "containers")) or not dig(pod.raw, "spec", "dnsConfig"):
        return  # without a dnsConfig of its own it is the node's matter, and told there
    events = [e for e in world.events(pod.ref, pod.uid) if e.reason == "DNSConfigForming"]
    if events:
        last = events[-1]
        applied = last.message.rpartition("line is: ")[2]
        yield Cause(
            {"applied": applied[:_LONGEST]},
            (told(last), seen(pod.ref, "spec.dnsPolicy", text_at(pod.raw, "spec", "dnsPolicy"))),
            (
                inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o jsonpath='{{.spec.dnsConfig}}'"),
                change(text=say("rule_phase.kc5203.do")),
            ),
            "cause_search" if "Search" in last.message else "cause",
        )


# ----------------------------------------------------------------------------------------------- parts

PROMPT = 20  # seconds in which the owner of a readiness gate normally has set it


def _condition(pod: Pod, type_: str) -> Evidence:
    found = pod.condition(type_)
    said = (found.get("status") or "-", text_at(found, "reason"), text_at(found, "message"))
    words = " ".join(str(word) for word in said if word)
    return seen(pod.ref, f"status.conditions[{type_}]", words, text_at(found, "lastTransitionTime"))


def _with_state(container: Container) -> str:
    """`web (waiting: CrashLoopBackOff)`, in the API's own words."""
    reason = container.waiting or text_at(container.terminated, "reason")
    probes = [name for name in ("startup", "readiness") if probe_of(container, name)]
    if container.running and probes:
        reason = f"{probes[0] if not container.started else probes[-1]}Probe"
    state = container.state or "unknown"
    return f"{container.name} ({state}: {reason})" if reason else f"{container.name} ({state})"


def _state(pod: Pod, container: Container) -> Evidence:
    reason = container.waiting or text_at(container.terminated, "reason")
    said = container.waiting_message or text_at(container.terminated, "message")
    started = text_at(container.status, "state", "running", "startedAt")
    code = f" {container.exit_code}" if container.terminated else ""
    path = f"{container.path}.state{f'.{container.state}' if container.state else ''}"
    return seen(pod.ref, path, f"{reason}{code} {said}".strip() or started or "none", started)
