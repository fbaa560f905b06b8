"""Takes back what lessons did to nodes, and waits until the cluster is whole again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kcompanion.cluster.bench import ask
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.machines import Machines, machines_of
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.errors import CompanionError, Unreachable, UsageError
from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import Undo
from kcompanion.learn.machines import SYSTEM
from kcompanion.learn.mark import BREAKS
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, labels_of, maps_at, name_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.times import parse_time

Ask = Callable[[Request], tuple[int, Any]]  # status 0: there was no answer
WHOLE = 900.0  # seconds until everything has to be well again; a container that crashed waits up to 5 min for its start
AGAIN = 60.0  # seconds until the way back is gone again: what was begun before a kill may have ended after it
EVERY = 1.0
FRESH = timedelta(seconds=60)  # a Lease that was renewed within this has a living holder
BEGIN = 60.0  # seconds that a lesson waits for the cluster to be whole before it breaks something
SHOWN = 3  # of what is not well yet
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_STATIC = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")  # as kubeadm sets nodes up
_LEADERS = ("kube-controller-manager", "kube-scheduler")


def handled(connection: Connection, timeout: float, *, trust: bool) -> Machines:
    """The nodes of a cluster that is whole, as containers of this machine's docker.

    Raises:
        UsageError: another lesson breaks them, or they are not here, or not well: what is broken already cannot be put
            back as it was.
        Unreachable: the API server does not answer.
    """
    ask = asking(Transport(connection), timeout)
    refuse_second(ask)
    status, body = ask(Request("GET", r.NODES.path()))
    if status != 200:
        raise Unreachable(f"the nodes could not be listed: {text_at(body, 'message') or status}", "kubectl get nodes")
    nodes = [name_of(node) for node in maps_at(body, "items")]
    machines = machines_of(connection.origin.server, nodes, trust=trust)
    wrong = waited(ask, datetime.now(UTC) - FRESH, BEGIN)
    if wrong:
        raise UsageError(
            f"this lesson stops nodes, and needs a cluster that is whole: {'; '.join(wrong)}", "kcompanion health"
        )
    return machines


def refuse_second(ask: Ask, own: str = "") -> None:
    """Lets a lesson break nodes only if no other does so on this cluster, whoever runs it.

    To be asked once more when our own namespace is there: of two that begin at once, each sees the other then.

    Raises:
        UsageError: another one does.
    """
    for space in _items(ask, f"{r.NAMESPACES.path()}?labelSelector={BREAKS}") or []:
        if name_of(space) != own and not text_at(space, "metadata", "deletionTimestamp"):  # ending, nodes are well
            raise UsageError(
                f"the lesson {labels_of(space).get(BREAKS)} is breaking nodes of this cluster, in {name_of(space)}",
                "wait until it has ended; if it was killed: kcompanion learn cleanup",
            )


def asking(transport: Transport, timeout: float) -> Ask:
    """Requests over a transport, told as status 0 where nobody answers."""

    def send(request: Request) -> tuple[int, Any]:
        try:
            return ask(transport, request, timeout)
        except TransportError as error:
            return 0, {"message": error.detail}

    return send


def mend(undos: Sequence[Undo], ask: Ask, tell: Callable[[Message], None]) -> list[str]:
    """Runs the ways back, the last change first, until the cluster is whole; what is still wrong at the end."""
    ends = time.monotonic() + WHOLE
    while True:
        wrong = [problem for undo in reversed(undos) if (problem := _run(undo))]
        wrong = wrong or waited(ask, datetime.now(UTC), AGAIN)
        if not wrong or time.monotonic() > ends:
            return wrong
        tell(say("learn.mending", what="; ".join(wrong[:SHOWN])))
        time.sleep(EVERY)


def waited(ask: Ask, since: datetime, seconds: float) -> list[str]:
    """Waits until all is well; what is not."""
    ends = time.monotonic() + seconds
    while True:
        wrong = list(unwell(ask, since))
        if not wrong or time.monotonic() > ends:
            return wrong
        time.sleep(EVERY)


def _run(undo: Undo) -> str:
    words = [str(word) for word in undo.body or ()]
    try:
        ran = Machines(words[1:2]).run(words)  # which node it is was made sure of before it was written down
    except CompanionError as error:
        return str(error)
    return f"docker {' '.join(words)}: {ran.err.strip() or ran.code}" if ran.code else ""


def unwell(ask: Ask, since: datetime) -> Iterator[str]:
    """What is not as it should be: nodes, static pods, and Leases that were not renewed after `since`."""
    nodes = _items(ask, r.NODES.path())
    pods = _items(ask, f"{r.PODS.path(SYSTEM)}?labelSelector=tier%3Dcontrol-plane")
    beats = _items(ask, r.LEASES.path("kube-node-lease"))
    leases = _items(ask, r.LEASES.path(SYSTEM))
    if nodes is None or pods is None or beats is None or leases is None:
        yield "the API server does not answer"
        return
    ready = {name_of(pod) for pod in pods if condition(pod, "Ready").get("status") == "True"}
    alive = {name_of(one) for one in (*beats, *leases) if _renewed(one, since)}
    for node in nodes:
        name = name_of(node)
        if condition(node, "Ready").get("status") != "True" or name not in alive:
            yield f"node {name} is not Ready"
        if _CONTROL_PLANE in labels_of(node):
            yield from (f"pod {part}-{name} is not Ready" for part in _STATIC if f"{part}-{name}" not in ready)
    yield from (f"nobody leads {part}" for part in _LEADERS if part not in alive)


def _items(ask: Ask, path: str) -> list[Any] | None:
    status, body = ask(Request("GET", path))
    return list(maps_at(body, "items")) if status == 200 else None


def _renewed(lease: object, since: datetime) -> bool:
    at = parse_time(text_at(lease, "spec", "renewTime"))
    return at is not None and at > since
