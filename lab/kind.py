"""kind itself: creating, deleting, kubeconfigs. Never the user's own kubeconfig."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from lab import gobuild, versions
from lab.cluster import ROOT, Cluster
from lab.shell import LabError, run, say

_TRIES = 4  # kind picks free ports without holding them; several nodes at once may meet on one


def program() -> str:
    """A kind of the wanted version: the one on PATH, else one built from its Go module."""
    if (found := shutil.which("kind")) and f" {versions.KIND}" in run([found, "--version"]):
        return found
    family = next(family for family in versions.FAMILIES if family.name == "kind")
    return str(gobuild.family(family) / "kind")


def create(cluster: Cluster, image: str, log: Path) -> None:
    """Creates the cluster; kind's own progress goes to `log`, a failure shows its end."""
    cluster.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    cluster.kubeconfig.unlink(missing_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    config = ["--config", str(cluster.config), "--image", image]
    command = [program(), "create", "cluster", *config, *_common(cluster), "--wait", "0s", "-v", "1"]
    text = ""
    for _ in range(_TRIES):
        with log.open("wb") as output:
            # In our folder, since a config may mount files from here into a node.
            done = subprocess.run(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=_env(cluster),
                check=False,
                cwd=ROOT,
            )
        if done.returncode == 0:
            return
        text = log.read_text(errors="replace")
        if "port is already allocated" not in text:
            break
        say("lab: kind chose a port that was taken meanwhile, once more …")
    reason = [line for line in text.splitlines() if line.startswith("ERROR")]
    tail = "\n  ".join([*reason, *text.strip().splitlines()[-5:]])
    raise LabError(f"the cluster {cluster.name} (kind failed)", f"read {log}:\n  {tail}")


def delete(cluster: Cluster) -> None:
    run([program(), "delete", "cluster", *_common(cluster)], env=_env(cluster))


def export(cluster: Cluster) -> None:
    """Writes the kubeconfig anew: the API server's port may have changed since."""
    cluster.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    run([program(), "export", "kubeconfig", *_common(cluster)], env=_env(cluster))


def _common(cluster: Cluster) -> list[str]:
    return ["--name", cluster.name, "--kubeconfig", str(cluster.kubeconfig)]


def _env(cluster: Cluster) -> dict[str, str]:
    # Without these kind could pick another engine or another kubeconfig than the lab does.
    dropped = ("KUBECONFIG", "KIND_CLUSTER_NAME")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    chosen = {"KIND_EXPERIMENTAL_PROVIDER": "docker", "KIND_EXPERIMENTAL_DOCKER_NETWORK": cluster.network}
    return {**kept, **chosen}
