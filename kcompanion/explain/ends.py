"""How containers end and whether they are started again: what rules about exits share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.evidence import seen
from kcompanion.explain.exitcodes import exit_code
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.model.events import Event
from kcompanion.model.fields import dig, maps_at, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.message import Message, say
from kcompanion.model.times import human_age, parse_time
from kcompanion.model.world import NotKnown, World

BACK_OFF = "CrashLoopBackOff"
OOM = "OOMKilled"
# The end was not seen: by the kubelet, which then writes 137; by containerd, whose task was lost, which writes 255.
UNKNOWN = ("ContainerStatusUnknown", "Unknown")
# What the runtimes write when the program never ran: containerd the first, Docker the second.
NEVER_RAN = ("StartError", "ContainerCannotRun")
START_FAILED = "RunContainerError"
NO_FORMAT = "exec format error"  # errno ENOEXEC, as the kernel gives it to whoever starts a program
KILLED = 137
RECENT = 600  # seconds; so long a container has to run until the kubelet forgets its back-off
MANY = 3  # restarts from which on a container that runs again just now is still the same story
# The kubelet's words where it ends a container itself, to start it again (kuberuntime_manager.go, computePodActions):
# for a probe, a changed definition, a resize; for a hook; and when all containers are started anew.
_KILLS = (", will be restarted", "FailedPostStartHook")
_KILLS_ALL = "killing"
_LAYERS = re.compile(
    r"^(?:failed to (?:create|start) containerd (?:task|container): |failed to create shim task: "
    r"|OCI runtime (?:create|start) failed: |runc create failed: |container_linux\.go:\d+: )+"
)
_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_KILL_SLACK = 5  # seconds; the kubelet sends the event first, and clocks tick whole seconds


def lasting(pod: Pod) -> Iterator[Container]:
    """The containers whose end matters: not those for debugging, and none of a pod that is being deleted."""
    if not pod.deleted_at:
        yield from (c for c in pod.containers if c.sort is not Sort.EPHEMERAL)


def named(container: Container) -> Message:
    """`Container web`, `Init container migrate`, `Sidecar proxy`, to begin a sentence with."""
    return say(f"rule_exit.what.{container.sort.value}", container=container.name)


def policy(pod: Pod, container: Container) -> str:
    """The restart policy that counts for a container: its own (1.34 and newer), else that of the pod."""
    own = text_at(container.spec, "restartPolicy")
    if own:
        return own
    if container.sort is Sort.INIT and pod.restart_policy == "Always":
        return "OnFailure"  # an init container that is done is not run again
    return pod.restart_policy


def rule_for(container: Container, code: int) -> Mapping[str, Any]:
    """The first of the container's own restart rules that speaks of this exit code, empty when none does."""
    for rule in maps_at(container.spec, "restartPolicyRules"):
        values = dig(rule, "exitCodes", "values")
        operator = dig(rule, "exitCodes", "operator")
        listed = isinstance(values, list) and code in values
        if operator in ("In", "NotIn") and listed == (operator == "In"):
            return rule
    return {}


def restarted(pod: Pod, container: Container, code: int) -> bool:
    """Whether the kubelet starts a container again that ended with this code. In a pod that is over it starts none."""
    if pod.phase in ("Succeeded", "Failed"):
        return False
    if rule_for(container, code):
        return True
    wanted = policy(pod, container)
    return wanted == "Always" or (wanted == "OnFailure" and code != 0)


def between(pod: Pod, container: Container) -> bool:
    """Whether a container that ended waits for its next start, be it that the kubelet says so yet or not."""
    if container.waiting == BACK_OFF:
        return True
    code = container.exit_code
    return container.state == "terminated" and code is not None and restarted(pod, container, code)


def crashing(pod: Pod, container: Container, world: World) -> str:
    """The sentence for where in the circle of ends and starts a container is; empty when it is in none."""
    code = container.exit_code
    if not code:
        return ""
    if between(pod, container):
        return "cause" if container.restarts else "cause_first"
    since = world.since(container.last.get("finishedAt"))
    if container.running and container.restarts >= MANY and since is not None and since < RECENT:
        return "cause_again"
    return ""


def never_ran(container: Container) -> bool:
    """Whether the last try to start it failed before its program ran."""
    return container.waiting == START_FAILED or text_at(container.ended, "reason") in NEVER_RAN


def killed_by_kubelet(pod: Pod, container: Container, world: World) -> Event | None:
    """The kubelet's word that it ended the container itself, for a probe or a hook; None too when events are unread."""
    try:
        events = world.events(pod.ref, pod.uid)
    except NotKnown:
        return None
    begun = parse_time(text_at(container.ended, "startedAt"))
    for event in reversed(events):
        if event.reason != "Killing" or f"{{{container.name}}}" not in event.path:
            continue
        last = parse_time(event.last)
        late = begun is not None and last is not None and (begun - last).total_seconds() > _KILL_SLACK
        if not late and (event.message == _KILLS_ALL or any(why in event.message for why in _KILLS)):
            return event
    return None


def code_text(container: Container) -> dict[str, object]:
    """The placeholders `exit` and `meaning` for a container's last end."""
    code = container.exit_code if container.exit_code is not None else 0
    return {"exit": code, "meaning": exit_code(code).short}


def age_of(moment: object, world: World) -> str:
    """`5m30s` since an API time; empty when there is none. The kubelet writes 1970 or year 1 for "never"."""
    told = parse_time(moment)
    seconds = world.since(moment)
    return "" if told is None or told.year < 1971 or seconds is None else human_age(seconds)


def proof(pod: Pod, container: Container) -> tuple[Evidence, ...]:
    """State, last end, its message, and how often it was started again."""
    ended = container.ended
    told = f"{container.exit_code} {text_at(ended, 'reason')}".strip()
    found = [seen(pod.ref, f"{container.ended_path}.exitCode", told, text_at(ended, "finishedAt"))]
    if container.waiting:
        found.insert(0, seen(pod.ref, f"{container.path}.state.waiting.reason", container.waiting))
    if message := text_at(ended, "message"):
        found.append(seen(pod.ref, f"{container.ended_path}.message", core(message)))
    if container.restarts:
        found.append(seen(pod.ref, f"{container.path}.restartCount", container.restarts))
    rule = rule_for(container, container.exit_code) if container.exit_code is not None else {}
    if rule:
        path = f"spec.containers[{container.name}].restartPolicyRules"
        values = ",".join(str(value) for value in dig(rule, "exitCodes", "values") or ())
        operator = text_at(rule, "exitCodes", "operator")
        found.append(seen(pod.ref, path, f"{text_at(rule, 'action')}: {operator} {values}"))
    return tuple(found)


def core(message: str) -> str:
    """A runtime's message without the layers that all such messages have in front and with short ids.

    What is cited is cut off after some length, and the decisive words come last.
    """
    return _ID.sub(r"\1…", _LAYERS.sub("", message))


def logs(pod: Pod, container: Container) -> str:
    """The command for the log of the run that ended: only a container that was started again has a previous one."""
    previous = "" if container.state == "terminated" else " --previous"
    return f"kubectl logs {pod.name} -n {pod.namespace} -c {container.name}{previous}"


def last_line(pod: Pod, container: Container, world: World) -> tuple[Evidence, ...]:
    """The last line that the ended run wrote, where logs may be read and can be."""
    try:
        lines = world.log(pod.raw, container.name, previous=container.state != "terminated")
    except NotKnown:
        return ()
    words = [line for line in lines or () if line.strip()]
    return (seen(pod.ref, f"log of {container.name}", words[-1]),) if words else ()


def wrong_format(lines: tuple[Evidence, ...]) -> bool:
    """Whether the last line says that the kernel does not know the program's format."""
    return any(NO_FORMAT in line.value for line in lines)
