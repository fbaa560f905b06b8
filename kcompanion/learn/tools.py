"""Acts with programs of this machine: kubectl as people use it, and the operator as a process that comes and goes.

They run with a kubeconfig of the lesson's own, in a folder that goes with its journal, so that nothing of the
user's is read or changed; and they end with the lesson, however that ends.
"""

from __future__ import annotations

from collections.abc import Mapping

from kcompanion.learn.lesson import KUBECONFIG, START, STOP, TOOL, Send, Wait
from kcompanion.learn.machines import ended
from kcompanion.learn.verbs import NS, create
from kcompanion.model.resources import SERVICEACCOUNTS


def ticket(name: str, account: str) -> Send:
    """A token of a ServiceAccount that ends by itself."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    return Send(name, "POST", f"{SERVICEACCOUNTS.path(NS, account)}/token", body, (201,))


def account(name: str, item: str) -> Send:
    return create(name, SERVICEACCOUNTS, {"metadata": {"name": item}})


def kubeconfig(name: str, token: str, contexts: Mapping[str, str], current: str) -> Send:
    """Writes the lesson's kubeconfig: this cluster, one user by its token, and contexts, each with its namespace."""
    return Send(name, KUBECONFIG, "kubeconfig", {"contexts": contexts, "current": current}, (0,), credentials=token)


def tool(name: str, program: str, *words: str, status: int = 0) -> Send:
    """Runs a program to its end."""
    return Send(name, TOOL, program, list(words), (status,))


def tool_until(name: str, program: str, *words: str) -> Wait:
    """Runs a program that only looks, again and again until it goes well: rights that were just given take a moment."""
    return Wait(name, program, ended(0), 60.0, method=TOOL, body=list(words))


def start(name: str, program: str, *words: str) -> Send:
    """Starts a program and leaves it running; it has begun when it says its first line."""
    return Send(name, START, program, list(words), (0,))


def stop(name: str, program: str) -> Send:
    """Ends what was started, as Ctrl-C or SIGTERM would."""
    return Send(name, STOP, program, None, (0,))
