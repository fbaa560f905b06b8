"""Versions of the parts and the version-skew policy between them.

Policy: https://kubernetes.io/releases/version-skew-policy/ (components may be older than the API server by so many
minors, kubelets by three, never newer). A server may emulate an older minor (KEP-4330, stable in 1.34); the policy is
then held against the emulated one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Snapshot

SUPPORTED_MINORS = (33, 34, 35, 36, 37)
# component: how many minors it may be older than the oldest API server
MAY_LAG = {
    "kube-apiserver": 1,
    "kube-controller-manager": 1,
    "kube-scheduler": 1,
    "cloud-controller-manager": 1,
    "kubelet": 3,
    "kube-proxy": 3,
}
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


def server_info(snapshot: Snapshot) -> Mapping[str, Any]:
    """The answer of /version, empty when it could not be read."""
    text = snapshot.text(asks.VERSION)
    if not text or snapshot.reading(asks.VERSION).status != 200:
        return {}
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def server_version(snapshot: Snapshot) -> str:
    """`v1.36.3`, empty when it could not be read."""
    return str(server_info(snapshot).get("gitVersion") or "")


def minor_of(version: str) -> int | None:
    """The minor of a Kubernetes 1.x version (`v1.36.3` → 36), None for anything else."""
    found = _VERSION.match(version)
    return int(found[2]) if found and found[1] == "1" else None


@dataclass(frozen=True, slots=True)
class Skew:
    """One row of the matrix: a component's version against what the API servers allow."""

    component: str
    where: str  # node or pod
    version: str
    allowed: str  # "1.33 – 1.36"
    status: Status
    emulates: str = ""  # the minor it behaves as (--emulated-version), when that was given

    def to_json(self) -> dict[str, Any]:
        return {
            "component": self.component,
            "where": self.where,
            "version": self.version,
            "emulates": self.emulates or None,
            "allowed": self.allowed,
            "status": self.status.value,
        }


def effective_minor(info: Mapping[str, Any], fallback: int | None) -> int | None:
    """The minor the server behaves as: the emulated one when it says so."""
    try:
        return int(str(info.get("emulationMinor") or info.get("minor") or "").rstrip("+"))
    except ValueError:
        return fallback


def emulated(flags: Mapping[str, str]) -> str:
    """The version that `--emulated-version=1.35` or `=kube=1.35` makes a program behave as."""
    parts = (part.rpartition("=") for part in flags.get("emulated-version", "").split(","))
    return next((version for name, _, version in parts if name in ("", "kube")), "")


def skew(component: str, where: str, version: str, oldest: int | None, newest: int | None, emulates: str = "") -> Skew:
    """Judges one component's version against the minors of the oldest and newest API server."""
    minor = minor_of(emulates) or minor_of(version)
    lag = MAY_LAG.get(component)
    if lag is None or oldest is None or newest is None:
        return Skew(component, where, version, "", Status.UNKNOWN, emulates)
    lowest = max(0, newest - lag)
    highest = newest if component == "kube-apiserver" else oldest
    allowed = f"1.{lowest} – 1.{highest}"
    if minor is None:
        return Skew(component, where, version, allowed, Status.UNKNOWN, emulates)
    fits = lowest <= minor <= highest
    return Skew(component, where, version, allowed, Status.OK if fits else Status.FAIL, emulates)
