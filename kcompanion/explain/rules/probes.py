"""Probes and lifecycle hooks: group J of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.pod import Container, Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.probing import (
    Probe,
    answer,
    asks_of,
    events_of,
    failure,
    killing,
    probe_of,
    running_for,
)
from kcompanion.model.events import Event
from kcompanion.model.fields import map_at, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_probe")

PROBES = "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"
HOOKS = "https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/"
RECENT = 600  # seconds after which a restart by a probe is history: as long as the kubelet needs to forget a back-off


@BOOK.rule("KC5142", numbers=(142,), severity=Severity.WARNING, rank=Rank.PROBE, read=PROBES)
def unready(pod: Pod, world: World) -> Iterator[Cause]:
    """A container runs but its readiness probe fails for longer than its own numbers allow for the start."""
    if pod.deleted_at:
        return
    for container in pod.containers:
        probe = probe_of(container, "readiness")
        if probe is None or container.ready or not container.running or not container.started:
            continue
        if running_for(container, world) < probe.patience:
            continue
        try:
            event = failure(pod, probe, world)
        except NotKnown:
            event = None  # that it does not succeed is sure without: nothing else keeps a started container unready
        since = _not_ready_for(pod, world)
        if event is None:
            yield _cause(pod, probe, None, world, "cause_silent", age=since)
        elif probe.stray_port and "connection refused" in event.message:
            yield _cause(pod, probe, event, world, "cause_port", age=since, declared=probe.declared_ports)
        else:
            yield _cause(pod, probe, event, world, "cause", age=since)


@BOOK.rule("KC5144", numbers=(144,), severity=Severity.CRITICAL, rank=Rank.START, read=PROBES)
def killed_by_liveness(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet ends a container because its liveness probe fails, or is about to.

    Its rank is deeper than that of the crash loop and of exit codes 137 and 143: the probe brings those about.
    """
    for container, probe in _probed(pod, "liveness"):
        kill = killing(pod, probe, world)
        if kill is not None:
            yield from _killed(pod, probe, kill, world)
            continue
        failed = failure(pod, probe, world)
        if failed is not None and container.running and _is_fresh(failed, probe, world):
            yield _cause(pod, probe, failed, world, "cause_failing", severity=Severity.WARNING)


@BOOK.rule("KC5201", severity=Severity.CRITICAL, rank=Rank.START, read=PROBES)
def held_by_startup(pod: Pod, world: World) -> Iterator[Cause]:
    """A startup probe that does not succeed: it holds back the other probes, and in the end the container is killed."""
    for container, probe in _probed(pod, "startup"):
        kill = killing(pod, probe, world)
        if kill is not None and not container.started:
            yield from _killed(pod, probe, kill, world)
            continue
        failed = failure(pod, probe, world)
        late = running_for(container, world) > max(30, probe.patience // 2)
        if container.running and not container.started and failed is not None and late:
            yield _cause(pod, probe, failed, world, "cause_failing", severity=Severity.WARNING)


@BOOK.rule("KC5143", numbers=(143,), severity=Severity.WARNING, rank=Rank.PROBE, read=PROBES, every=True)
def proves_nothing(pod: Pod, world: World) -> Iterator[Cause]:
    """A probe is sent to another host, which counts as success whatever the program does."""
    if pod.deleted_at or pod.phase != "Running":
        return
    for name in ("readiness", "liveness", "startup"):
        for container, probe in _probed(pod, name):
            if "httpGet" not in probe.spec:
                continue
            warned = [e for e in events_of(pod, container, world, "ProbeWarning") if _speaks_of(e, probe)]
            if warned and container.running:
                yield _cause(pod, probe, warned[-1], world, "cause")


@BOOK.rule("KC5145", numbers=(145,), severity=Severity.CRITICAL, rank=Rank.CONFIG, read=HOOKS)
def post_start_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The hook that runs right after the start fails, so the kubelet kills the container."""
    for container in pod.containers:
        hook = map_at(container.spec, "lifecycle", "postStart")
        if not hook or (container.running and running_for(container, world) > RECENT):
            continue
        failed = events_of(pod, container, world, "FailedPostStartHook")
        if failed and not container.ready:
            ended = container.ended
            evidence = [told(failed[-1]), seen(pod.ref, f"{_spec_path(container)}.lifecycle.postStart", asks_of(hook))]
            if ended:
                code = f"{container.exit_code} {text_at(ended, 'reason')}".strip()
                evidence.append(seen(pod.ref, f"{container.ended_path}.exitCode", code, text_at(ended, "finishedAt")))
            message = container.waiting_message or text_at(ended, "message")
            if message:
                evidence.append(seen(pod.ref, container.path, message))
            values = {"container": container.name, "hook": asks_of(hook), "count": failed[-1].count}
            yield Cause(values, tuple(evidence), _hook_steps(pod, container, "kc5145"))


@BOOK.rule("KC5146", numbers=(146,), severity=Severity.WARNING, rank=Rank.HOOK, read=HOOKS)
def pre_stop_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The hook that should run before the end failed, so the program was ended without it."""
    for container in pod.containers:
        hook = map_at(container.spec, "lifecycle", "preStop")
        if not hook:
            continue
        failed = events_of(pod, container, world, "FailedPreStopHook")
        if failed and (pod.deleted_at or (world.since(failed[-1].last) or 0) < RECENT):
            yield Cause(
                {"container": container.name, "hook": asks_of(hook)},
                (told(failed[-1]), seen(pod.ref, f"{_spec_path(container)}.lifecycle.preStop", asks_of(hook))),
                _hook_steps(pod, container, "kc5146"),
            )


@BOOK.rule(
    "KC5147",
    numbers=(147,),
    severity=Severity.CRITICAL,
    rank=Rank.TERMINATING,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
)
def not_killed_in_time(pod: Pod, world: World) -> Iterator[Cause]:
    """The runtime did not end the containers although even their grace period is over."""
    if not pod.deleted_at:
        return
    late = [e for e in world.events(pod.ref, pod.uid) if e.reason == "ExceededGracePeriod"]
    if late:
        over = human_age(world.since(pod.deleted_at) or 0)
        yield Cause(
            {"node": pod.node, "age": over},
            (told(late[-1]), seen(pod.ref, "metadata.deletionTimestamp", pod.deleted_at, pod.deleted_at)),
            (
                inspect(f"kubectl describe node {pod.node}"),
                inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
                change(text=say("rule_probe.kc5147.do", node=pod.node)),
            ),
        )


# ----------------------------------------------------------------------------------------------- parts


def _probed(pod: Pod, name: str) -> Iterator[tuple[Container, Probe]]:
    for container in pod.containers:
        probe = probe_of(container, name)
        if probe is not None:
            yield container, probe


def _killed(pod: Pod, probe: Probe, kill: Event, world: World) -> Iterator[Cause]:
    """The cause of a container's end, told as history once it has long been running again."""
    past = probe.container.ready and (world.since(kill.last) or 0) > RECENT
    failed = failure(pod, probe, world)
    variant = "cause_past" if past else ("cause" if failed else "cause_silent")
    once = probe.container.ready and kill.count == 1  # it may have helped
    severity = Severity.INFO if past else (Severity.WARNING if once else None)
    cause = _cause(pod, probe, failed, world, variant, severity=severity)
    container = probe.container
    ended = (
        (
            seen(
                pod.ref,
                f"{container.ended_path}.exitCode",
                f"{container.exit_code} {text_at(container.ended, 'reason')}".strip(),
                text_at(container.ended, "finishedAt"),
            ),
        )
        if container.ended
        else ()
    )
    evidence = (*cause.evidence, told(kill), *ended)
    yield Cause(cause.values, evidence, cause.steps, cause.variant, cause.severity)


def _cause(
    pod: Pod,
    probe: Probe,
    event: Event | None,
    world: World,
    variant: str,
    *,
    severity: Severity | None = None,
    age: str = "",
    declared: str = "",
) -> Cause:
    """What a rule says of a probe, with the probe's numbers and the kubelet's words as evidence."""
    container = probe.container
    code = {"readiness": "kc5142", "liveness": "kc5144", "startup": "kc5201"}[probe.name]
    evidence: list[Evidence] = [told(event)] if event else []
    evidence.append(seen(pod.ref, probe.path, probe.numbers))
    if probe.name == "readiness":
        evidence.append(seen(pod.ref, f"{container.path}.ready", "false" if not container.ready else "true"))
    steps: list[Step] = [
        *_asking_by_hand(pod, probe),
        inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {container.name}{_previous(container)}"),
        inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
    ]
    advice = f"rule_probe.{code}.do"
    if declared:
        advice = "rule_probe.kc5142.do_port"
    elif event is not None and event.reason == "ProbeWarning":
        advice = "rule_probe.kc5143.do"
    steps.append(change(text=say(advice, container=container.name, asks=probe.asks)))
    values = {
        "container": container.name,
        "probe": probe.name,
        "asks": probe.asks,
        "answer": answer(event, probe) if event else "",
        "patience": human_age(probe.patience),
        "period": probe.period,
        "failures": probe.failures,
        "restarts": container.restarts,
        "running": human_age(running_for(container, world)),
        "age": age,
        "port": probe.port if probe.port is not None else "",
        "declared": declared,
    }
    return Cause(values, tuple(evidence), tuple(steps), variant, severity)


def _asking_by_hand(pod: Pod, probe: Probe) -> Iterator[Step]:
    """The command that asks just what an HTTP probe asks, by way of the API server."""
    http = map_at(probe.spec, "httpGet")
    if not probe.container.running or not isinstance(http.get("port"), int) or text_at(http, "host"):
        return
    scheme = "https:" if http.get("scheme") == "HTTPS" else ""
    path = text_at(http, "path").removeprefix("/")
    url = f"/api/v1/namespaces/{pod.namespace}/pods/{scheme}{pod.name}:{http['port']}/proxy/{path}"
    yield inspect(f"kubectl get --raw {quote(url)}", say("rule_probe.by_hand"))


def _not_ready_for(pod: Pod, world: World) -> str:
    return human_age(world.since(pod.condition("ContainersReady").get("lastTransitionTime")) or 0)


def _is_fresh(event: Event, probe: Probe, world: World) -> bool:
    """Whether the probe fails now: the event is about the container's present run, and no later try has gone well."""
    age = world.since(event.last)
    return age is not None and age <= min(2 * probe.period + probe.timeout, running_for(probe.container, world))


def _speaks_of(event: Event, probe: Probe) -> bool:
    return event.message.lower().startswith(f"{probe.name} probe")


def _previous(container: Container) -> str:
    return "" if container.running else " --previous"


def _spec_path(container: Container) -> str:
    return f"spec.containers[{container.name}]"


def _hook_steps(pod: Pod, container: Container, code: str) -> tuple[Step, ...]:
    try_it = f"kubectl logs {pod.name} -n {pod.namespace} -c {container.name}{_previous(container)}"
    return (
        inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
        inspect(try_it),
        change(text=say(f"rule_probe.{code}.do", container=container.name)),
    )
