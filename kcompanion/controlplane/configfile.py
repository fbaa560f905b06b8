"""Configuration files that live in ConfigMaps of kube-system as text: kubeadm's, the kubelets', kube-proxy's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.model.fields import name_of, text_at
from kcompanion.model.snapshot import Snapshot

KUBEADM = ("kubeadm-config", "ClusterConfiguration")
KUBELET = ("kubelet-config", "kubelet")


def embedded(snapshot: Snapshot, name: str, key: str) -> Mapping[str, Any] | None:
    """The YAML mapping under a key of a ConfigMap of kube-system; None when it is missing or cannot be read."""
    text = next(
        (text_at(item, "data", key) for item in snapshot.items(asks.CONFIGMAPS) if name_of(item) == name),
        "",
    )
    if not text or text.startswith("<scrubbed"):
        return None
    return parsed(text)


def parsed(text: str) -> Mapping[str, Any] | None:
    """A YAML text as a mapping, None when it is something else."""
    import yaml  # noqa: PLC0415 - 20 ms, and not every view needs it

    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # ValueError: a scalar that looks like a date and is none
        return None
    return document if isinstance(document, dict) else None
