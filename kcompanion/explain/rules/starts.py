"""Containers that could not be made or started: the runtime refused, no program ever ran."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain import ends
from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Container, Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import text_at, texts_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_start")
COMMAND = "https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/"
OTHERS = ("ImageVolumeMountFailed", "RROUnsupported", "SecurityProfileInvalid")  # KC5038 to KC5040
# What runc and crun say, in small letters, and the sentence for it; the first that fits.
START: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cause_memory", ("oom-killed", "memory limit too low")),
    ("cause_mount", ("not a directory: unknown: are you trying to mount", "trying to mount a directory onto a file")),
    ("cause_mount", ("error mounting", "failed to mount", "to rootfs at")),
    ("cause_directory", ("chdir to cwd", "mkdir ", "working directory")),
    ("cause_found", ("executable file not found", "no such file or directory")),
    ("cause_denied", ("permission denied",)),
    ("cause_cgroup", ("cgroup",)),
    ("cause_device", ("device",)),
)
# What containerd and CRI-O say when they cannot make a container.
CREATE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cause_name", ("is reserved for", "name is in use", "already in use")),
    ("cause_slow", ("context deadline exceeded", "deadlineexceeded")),
    ("cause_profile", ("seccomp", "apparmor")),
    ("cause_command", ("no command specified",)),
    ("cause_user", ("no users found", "unable to find user", "invalid username", "groups found")),
    ("cause_shared", ("not a shared mount", "not a shared or slave mount", "but it is not shared")),
    ("cause_path", ("no such file or directory", "not a directory", "hostpath")),
    ("cause_device", ("device",)),
)
_PROGRAM = re.compile(r'exec: "([^"]+)"|exec ([^\s:]+): exec format error')


@BOOK.rule("KC5042", numbers=(42,), severity=Severity.CRITICAL, rank=Rank.START, read=COMMAND)
def not_created(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The runtime could not make the container."""
    for container in pod.containers:
        if container.waiting != "CreateContainerError":
            continue
        message = container.waiting_message
        if any(message.startswith(f"{word}:") for word in OTHERS):
            continue  # they have rules of their own
        variant = _sort(message, CREATE)
        yield Cause(
            {"what": ends.named(container), "node": pod.node},
            evidence=_waiting(pod, container),
            steps=(
                inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
                change(text=say(f"rule_start.kc5042.do{variant.removeprefix('cause')}")),
            ),
            variant=variant,
        )


@BOOK.rule("KC5043", numbers=(43, 57, 58), severity=Severity.CRITICAL, rank=Rank.START, read=COMMAND)
def not_started(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The container was made, but its program could not be started: StartError, with 128."""
    for container in ends.lasting(pod):
        message = container.waiting_message if container.waiting == ends.START_FAILED else ""
        message = message or text_at(container.ended, "message")
        if not ends.never_ran(container) or container.running or ends.NO_FORMAT in message:
            continue
        variant = _sort(message, START)
        found = _PROGRAM.search(message)
        program = (found[1] or found[2]) if found else _first_word(container)
        limit = text_at(container.spec, "resources", "limits", "memory")
        yield Cause(
            {
                "what": ends.named(container),
                "program": program or "-",
                "directory": text_at(container.spec, "workingDir") or "-",
                "limit": limit or "-",
                "node": pod.node,
                "image": container.image,
            },
            evidence=(
                *(_waiting if container.waiting == ends.START_FAILED else ends.proof)(pod, container),
                *_command(pod, container),
            ),
            steps=(
                inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
                change(text=say(f"rule_start.kc5043.do{variant.removeprefix('cause')}")),
            ),
            variant=variant,
        )


@BOOK.rule(
    "KC5220",
    severity=Severity.CRITICAL,
    rank=Rank.START,
    read="https://kubernetes.io/docs/concepts/containers/images/#multi-architecture-images-with-image-indexes",
)
def other_processor(pod: Pod, world: World) -> Iterator[Cause]:
    """The kernel does not know the format of the program: another processor, or a script without its first line."""
    for container in ends.lasting(pod):
        message = f"{container.waiting_message} {text_at(container.ended, 'message')}"
        log: tuple[Evidence, ...] = ()
        if ends.NO_FORMAT not in message:
            if not container.exit_code or not ends.between(pod, container):
                continue
            log = ends.last_line(pod, container, world)
            if not ends.wrong_format(log):
                continue
        yield Cause(
            {"what": ends.named(container), "image": container.image, "node": pod.node},
            evidence=(*ends.proof(pod, container), *log, *_processor(pod, world)),
            steps=(
                inspect(f"kubectl get node {pod.node} -L kubernetes.io/arch"),
                change(text=say("rule_start.kc5220.do")),
            ),
        )


def _sort(message: str, table: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    small = message.lower()
    return next((variant for variant, words in table if any(word in small for word in words)), "cause")


def _waiting(pod: Pod, container: Container) -> tuple[Evidence, ...]:
    """The waiting reason, and the end of its message: the decisive words come last, behind those of each layer."""
    if not container.waiting:
        return ()
    found = (seen(pod.ref, f"{container.path}.state.waiting.reason", container.waiting),)
    message = ends.core(container.waiting_message)
    return (*found, seen(pod.ref, f"{container.path}.state.waiting.message", message)) if message else found


def _first_word(container: Container) -> str:
    words = texts_at(container.spec, "command") or texts_at(container.spec, "args")
    return words[0] if words else ""


def _command(pod: Pod, container: Container) -> Iterator[Evidence]:
    """Which program was asked for: the spec's command, or the image's own. Arguments may hold secrets."""
    field = "containers" if container.sort == "app" else "initContainers"
    command = texts_at(container.spec, "command")
    if command:
        yield seen(pod.ref, f"spec.{field}[{container.name}].command[0]", command[0])
    if directory := text_at(container.spec, "workingDir"):
        yield seen(pod.ref, f"spec.{field}[{container.name}].workingDir", directory)


def _processor(pod: Pod, world: World) -> tuple[Evidence, ...]:
    try:
        node = world.get(r.NODES, pod.node) if pod.node else None
    except NotKnown:
        return ()
    architecture = text_at(node, "status", "nodeInfo", "architecture")
    return (seen(Ref("Node", pod.node), "status.nodeInfo.architecture", architecture),) if architecture else ()
