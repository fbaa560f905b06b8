"""Containers that were killed: for want of memory, or with SIGKILL by somebody who is not named."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain import ends
from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model.events import Event
from kcompanion.model.fields import dig, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.times import seconds_between
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_exit")
MEMORY = "https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/"
OOM_RECENT = 3600  # seconds


@BOOK.rule("KC5054", numbers=(54,), severity=Severity.CRITICAL, rank=Rank.MEMORY, read=MEMORY)
def out_of_memory(pod: Pod, world: World) -> Iterator[Cause]:
    """The kernel killed a container's processes for want of memory: the container's, the pod's or the node's."""
    for container in ends.lasting(pod):
        if text_at(container.ended, "reason") != ends.OOM:
            continue
        limit, where = _memory_limit(pod, container)
        yield Cause(
            {
                "what": ends.named(container),
                "limit": limit,
                "node": pod.node,
                "restarts": container.restarts,
                "age": ends.age_of(container.ended.get("finishedAt"), world),
            },
            evidence=(
                *ends.proof(pod, container),
                seen(pod.ref, where, limit or "-"),
                *(() if limit else _node_memory(pod, container, world)),
            ),
            steps=(
                inspect(f"kubectl top pod {pod.name} -n {pod.namespace} --containers"),
                change(text=say("rule_exit.kc5054.do" if limit else "rule_exit.kc5054.do_node")),
            ),
            variant=_whose(limit, where),
            severity=_how_bad(container, world),
        )


def _memory_limit(pod: Pod, container: Container) -> tuple[str, str]:
    """The limit that was hit, and its field: the container's own, else the pod's, else none."""
    field = "containers" if container.sort is Sort.APP else "initContainers"
    path = f"spec.{field}[{container.name}].resources.limits.memory"
    own = dig(container.status, "resources", "limits", "memory") or dig(container.spec, "resources", "limits", "memory")
    if own:
        return str(own), path
    whole = dig(pod.raw, "spec", "resources", "limits", "memory")
    return (str(whole), "spec.resources.limits.memory") if whole else ("", path)


def _whose(limit: str, where: str) -> str:
    """The sentence for whose limit it was."""
    if not limit:
        return "cause_node"
    return "cause_pod" if where.startswith("spec.resources") else "cause"


def _how_bad(container: Container, world: World) -> Severity:
    """Running again it is a warning for an hour, and a note afterwards."""
    if not container.running:
        return Severity.CRITICAL
    since = world.since(container.last.get("finishedAt"))
    return Severity.WARNING if since is not None and since < OOM_RECENT else Severity.INFO


def _node_memory(pod: Pod, container: Container, world: World) -> tuple[Evidence, ...]:
    event = _system_oom(pod, container, world)
    return (told(event),) if event else ()


def _system_oom(pod: Pod, container: Container, world: World) -> Event | None:
    """The kubelet's event that the node as a whole ran out of memory, within two minutes of the end."""
    try:
        events = world.events(Ref("Node", pod.node)) if pod.node else ()
    except NotKnown:
        return None
    finished = container.ended.get("finishedAt")
    for event in reversed(events):
        if event.reason == "SystemOOM":
            apart = [seconds_between(a, world.now) for a in (finished, event.last)]
            if None not in apart and abs((apart[0] or 0) - (apart[1] or 0)) <= 120:
                return event
    return None


@BOOK.rule(
    "KC5222",
    severity=Severity.CRITICAL,
    rank=Rank.CRASH,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
)
def killed(pod: Pod, world: World) -> Iterator[Cause]:
    """Exit code 137 although neither memory nor the kubelet is named: who else may have sent SIGKILL."""
    if pod.reason:
        return  # evicted or refused: the pod's own reason says why
    for container in ends.lasting(pod):
        reason = text_at(container.ended, "reason")
        if container.exit_code != ends.KILLED or reason in (ends.OOM, *ends.UNKNOWN) or ends.never_ran(container):
            continue
        if not ends.crashing(pod, container, world) or ends.killed_by_kubelet(pod, container, world):
            continue
        event = _system_oom(pod, container, world)
        yield Cause(
            {"what": ends.named(container), "restarts": container.restarts, "node": pod.node},
            evidence=(
                *ends.proof(pod, container),
                *((told(event),) if event else ()),
                *ends.last_line(pod, container, world),
            ),
            steps=(
                inspect(ends.logs(pod, container)),
                inspect(f"kubectl describe node {pod.node}"),
                change(text=say("rule_exit.kc5222.do")),
            ),
            variant="cause_node" if event else "cause_probe" if container.spec.get("livenessProbe") else "cause",
            root=Ref("Node", pod.node) if event else None,
        )
