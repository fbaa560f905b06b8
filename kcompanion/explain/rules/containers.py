"""Containers that wait, by the kubelet's reason: what is left of group B of the taxonomy.

Pulls are in `images`, missing configuration in `configs`, failed starts in `starts`, crashes in `exits`.
"""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain import ends
from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model.events import Event
from kcompanion.model.fields import text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

# reason_cache.go of the kubelet keeps the failures of StartContainer only, so of these none is ever a
# container's waiting reason.
BOOK = RuleBook(
    "rule_container",
    {
        48: "never a waiting reason; what fails is told by the event FailedCreatePodSandBox (134)",
        49: "never a waiting reason; it stands in the kubelet's log only",
        50: "never a waiting reason; the event FailedKillPod tells it (140)",
        51: "never a waiting reason; the event FailedKillPod tells it (140)",
        52: "never a waiting reason; the condition PodResizeInProgress tells it (22)",
        53: "never a waiting reason; it stands in the kubelet's log only",
    },
)
LIFE = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/"
CREATING = ("ContainerCreating", "PodInitializing")
SOON = 60  # seconds that making a container may take before anybody should wonder
INTERNAL = {"PreCreateHookError": "cause_create", "PreStartHookError": "cause_start"}
# Every reason another rule speaks of. The kubelet also uses the bare text of an error as a reason.
KNOWN = {
    *CREATING,
    *INTERNAL,
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
    "ImageVolumeMountFailed",
    "RROUnsupported",
    "SecurityProfileInvalid",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
    "PostStartHookError",
    "ContainerStatusUnknown",
    "RestartingAllContainers",
}


@BOOK.rule(
    "KC5029", numbers=(29, 30), severity=Severity.WARNING, rank=Rank.LAST_RESORT, read=f"{LIFE}#container-states"
)
def slow_to_create(pod: Pod, world: World) -> Iterator[Cause]:
    """A container that is being made for longer than making one takes; what holds it up is for other rules to say."""
    if pod.deleted_at or not pod.node or _initializing(pod):
        return
    since = _waiting_since(pod)
    waited = world.since(since)
    first = next((c for c in pod.containers if c.waiting in CREATING and c.sort is not Sort.EPHEMERAL), None)
    if first is None or waited is None or waited < SOON or _tries(pod):
        return
    pulling = _pulling(pod, first, world)
    reason = seen(pod.ref, f"{first.path}.state.waiting.reason", first.waiting, since)
    yield Cause(
        {"what": ends.named(first), "reason": first.waiting, "age": human_age(waited), "image": first.image},
        evidence=(reason, told(pulling)) if pulling else (reason,),
        steps=(
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            inspect(f"kubectl describe node {pod.node}"),
        ),
        variant="cause_pulling" if pulling else "cause",
    )


def _initializing(pod: Pod) -> bool:
    """Whether an init container is at work, which is another rule's matter (KC5007)."""
    return any(c.sort is Sort.INIT and c.running for c in pod.containers)


def _tries(pod: Pod) -> bool:
    """Whether some container is past being made: it failed, so its own reason is what counts."""
    return any(
        (c.waiting and c.waiting not in CREATING) or (c.terminated and c.exit_code)
        for c in pod.containers
        if c.sort is not Sort.EPHEMERAL
    )


def _waiting_since(pod: Pod) -> str:
    """When the step before was done: the last init container's end, else the kubelet's taking on of the pod."""
    times = [text_at(c.terminated, "finishedAt") for c in pod.containers if c.sort is Sort.INIT]
    times += [text_at(c.status, "state", "running", "startedAt") for c in pod.containers if c.sort is Sort.SIDECAR]
    return max([*times, text_at(pod.raw, "status", "startTime")])


def _pulling(pod: Pod, container: Container, world: World) -> Event | None:
    """The event of a pull that began and has not ended yet."""
    try:
        events = world.events(pod.ref, pod.uid)
    except NotKnown:
        return None
    ours = [e for e in events if f"{{{container.name}}}" in e.path and e.reason in ("Pulling", "Pulled", "Failed")]
    return ours[-1] if ours and ours[-1].reason == "Pulling" else None


@BOOK.rule(
    "KC5045",
    numbers=(45,),
    severity=Severity.CRITICAL,
    rank=Rank.HOOK,
    read="https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/",
)
def post_start_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The postStart hook failed, so the kubelet ended the container; told here where no event tells it (KC5145)."""
    for container in pod.containers:
        if container.waiting == "PostStartHookError" and not _told_by_event(pod, container, world):
            yield Cause(
                {"container": container.name},
                evidence=_waiting(pod, container),
                steps=(
                    inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {container.name} --previous"),
                    change(text=say("rule_container.kc5045.do")),
                ),
            )


def _told_by_event(pod: Pod, container: Container, world: World) -> bool:
    try:
        events = world.events(pod.ref, pod.uid)
    except NotKnown:
        return False
    return any(e.reason == "FailedPostStartHook" and f"{{{container.name}}}" in e.path for e in events)


@BOOK.rule("KC5046", numbers=(46, 47), severity=Severity.CRITICAL, rank=Rank.START, read=f"{LIFE}#container-states")
def internal_hook_failed(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """A manager inside the kubelet (processors, memory, devices) refused just before or after it was made."""
    for container in pod.containers:
        if container.waiting in INTERNAL:
            yield Cause(
                {"container": container.name, "node": pod.node},
                evidence=_waiting(pod, container),
                steps=(
                    inspect(f"kubectl describe node {pod.node}"),
                    change(text=say("rule_container.kc5046.do")),
                ),
                variant=INTERNAL[container.waiting],
            )


@BOOK.rule("KC5230", severity=Severity.WARNING, rank=Rank.SYMPTOM, read=f"{LIFE}#container-states")
def unknown_reason(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """A reason that no rule knows: a newer kubelet's, or the bare text of an error."""
    for container in pod.containers:
        if container.waiting and container.waiting not in KNOWN:
            yield Cause(
                {"what": ends.named(container), "reason": container.waiting[:80]},
                evidence=_waiting(pod, container),
                steps=(inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),),
            )


def _waiting(pod: Pod, container: Container) -> tuple[Evidence, ...]:
    reason = seen(pod.ref, f"{container.path}.state.waiting.reason", container.waiting)
    message = container.waiting_message
    return (reason, seen(pod.ref, f"{container.path}.state.waiting.message", message)) if message else (reason,)
