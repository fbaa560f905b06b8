"""Acts beside the API: at the containers that are a kind cluster's nodes, and in the pod of etcd.

What they change has its way back beside it: a command that may be run twice, and after which nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.lesson import APPLY, EXEC, RUN, Send, Undo, Until, Wait
from kcompanion.learn.verbs import NS
from kcompanion.model.message import say
from kcompanion.model.resources import CONFIGMAPS, LEASES, PODS

SYSTEM = "kube-system"
DOCKER = "docker"
_CERTIFICATES = "/etc/kubernetes/pki/etcd"
_TRUST = (
    f"--cacert={_CERTIFICATES}/ca.crt",
    f"--cert={_CERTIFICATES}/server.crt",
    f"--key={_CERTIFICATES}/server.key",
)
LONG = 600.0  # seconds: a node that starts, or a component that comes back, on a machine with much else to do
_HOME = "/etc/kubernetes/manifests"
_AWAY = "/etc/kubernetes"  # the same file system, so that moving is one act; and the kubelet does not look there
# A node's etcdctl is the one in its etcd container; that works without a container runtime's own command.
_ETCDCTL = 'pid=$(pgrep -x etcd) && exec "/proc/$pid/root/usr/local/bin/etcdctl" "$@"'


def power_off(name: str, node: str) -> Send:
    """Ends everything on a node at once, as a power cut does."""
    return Send(name, RUN, DOCKER, ["kill", node], (0,), undo=_power_on(node))


def power_on(name: str, node: str) -> Send:
    return Send(name, RUN, DOCKER, ["start", node], (0,), undo=_power_on(node))


def _power_on(node: str) -> Undo:
    return Undo(RUN, DOCKER, ["start", node])


def take_away(name: str, node: str, component: str) -> Send:
    """Moves the manifest of a static pod away: its kubelet stops it."""
    words = ["exec", node, "mv", f"{_HOME}/{component}.yaml", _away(component)]
    return Send(name, RUN, DOCKER, words, (0,), undo=_put_back(node, component))


def put_back(name: str, node: str, component: str) -> Send:
    undo = _put_back(node, component)
    return Send(name, RUN, DOCKER, undo.body, (0,), undo=undo)


def _put_back(node: str, component: str) -> Undo:
    script = 'test ! -e "$0" || mv -f "$0" "$1"'
    words = ["exec", node, "sh", "-c", script, _away(component), f"{_HOME}/{component}.yaml"]
    return Undo(RUN, DOCKER, words)


def _away(component: str) -> str:
    return f"{_AWAY}/{component}.yaml.kcompanion-{{run}}"


def look(name: str, node: str, *words: str, status: tuple[int, ...] = (0,)) -> Send:
    """A command on a node that only looks."""
    return Send(name, RUN, DOCKER, ["exec", node, *words], status)


def look_until(name: str, node: str, words: tuple[str, ...], until: Until, seconds: float = LONG) -> Wait:
    """Looks on a node until something holds."""
    return Wait(name, DOCKER, until, seconds, method=RUN, body=["exec", node, *words])


def etcdctl(*words: str) -> tuple[str, ...]:
    """The words of etcdctl on a node, asking the member there."""
    return ("sh", "-c", _ETCDCTL, "etcdctl", *_TRUST, *words)


def in_etcd_pod(name: str, pod: str, *words: str) -> Send:
    """Runs etcdctl in a pod of etcd, by the API (as `kubectl exec`)."""
    path = f"{PODS.path(SYSTEM, pod)}/exec?container=etcd"
    return Send(name, EXEC, path, ["etcdctl", *_TRUST, *words, "--write-out=json"], (0,))


def ended(code: int) -> Until:
    """A command's exit code."""
    return Until(say("learn.until.ended", code=code), lambda status, _: status == code)


def compared(id: str, test: Callable[[int, Any, Answers], bool], **values: Any) -> Until:  # noqa: ANN401 - printable
    """A condition that looks at earlier answers too; `id` is in the catalogue below `learn.until`."""
    return Until(say(f"learn.until.{id}", **values), test, compares=True)


def written(name: str, item: str) -> Wait:
    """A write by the API, until it goes well: applying the same twice is one write."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": item}, "data": {"kept": "yes"}}
    path = f"{CONFIGMAPS.path(NS, item)}?fieldManager=lesson&force=true"
    until = Until(say("learn.until.written"), lambda status, _: status in (200, 201))
    return Wait(name, path, until, LONG, method="PATCH", body=body, content_type=APPLY)


def lease(name: str, item: str) -> Send:
    """Who leads a component."""
    return Send(name, "GET", LEASES.path(SYSTEM, item))


def holder(body: Any) -> str:  # noqa: ANN401 - JSON
    """The node of a Lease's holder: identities are NODE_UUID."""
    return str(body["spec"]["holderIdentity"]).rpartition("_")[0]
