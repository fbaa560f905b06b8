"""Whether the built-in ReplicaSet controller still runs: two controllers for one kind would fight.

What a kube-controller-manager does is told by its flags, and those can be read where it is a static pod, as kubeadm
and kind run it. Elsewhere (a managed control plane) it cannot be seen, which is not the same as that it does not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kcompanion.controlplane.controllers import controllers
from kcompanion.controlplane.flags import flags_of
from kcompanion.errors import UsageError
from kcompanion.model.fields import maps_at, name_of
from kcompanion.model.resources import PODS
from operators.replicaset.client import Client, query

MANAGER = "kube-controller-manager"
NAME = "replicaset-controller"
SWITCH_OFF = f"give kube-controller-manager --controllers=*,-{NAME}, or insist with --allow-built-in"


async def check(client: Client) -> None:
    """Returns if no kube-controller-manager runs the controller in whose place we are to stand.

    Raises:
        UsageError: one does, or none can be seen.
    """
    path = PODS.path("kube-system") + query(labelSelector=f"component={MANAGER}")
    answer = await client.ask("GET", path, limited=False)
    if not answer.ok:
        raise UsageError(f"whether the built-in {NAME} runs cannot be read: {answer.message}", SWITCH_OFF)
    refusal = judged(maps_at(answer.body, "items"))
    if refusal:
        raise UsageError(refusal, SWITCH_OFF)


def judged(pods: Iterable[Mapping[str, Any]]) -> str:
    """Why not to start beside these kube-controller-managers; empty when there is no reason."""
    seen = list(pods)
    if not seen:
        return f"whether the built-in {NAME} runs cannot be seen: there is no pod of {MANAGER} in kube-system"
    for pod in seen:
        known = controllers({MANAGER: {name_of(pod): flags_of(pod, MANAGER)}})
        if NAME in known.on:
            return f"the built-in {NAME} still runs in {name_of(pod)} (--controllers={known.flag})"
    return ""
