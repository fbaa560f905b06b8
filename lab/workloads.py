"""Images for what runs on a cluster, beyond those that every node of the lab carries."""

from __future__ import annotations

from collections.abc import Sequence

from lab import cache, cluster, components, docker, kind, nodeimage, oci, rootfs
from lab.shell import LabError, run, step

PYTHON = "kcompanion.dev/lab/python:3.11"


def python() -> str:
    """Debian with its Python, to put an operator's packages on; made where it lacks or is outdated."""
    recipe = cache.digest(rootfs.key("python", rootfs.PYTHON_PACKAGES), "1")
    if docker.label(PYTHON, nodeimage.LABEL) != recipe:
        layers = (rootfs.python(),)
        docker.load([oci.Image((PYTHON,), layers, ("python3",), labels={nodeimage.LABEL: recipe})])
    return PYTHON


def load(clusters: Sequence[cluster.Cluster], names: Sequence[str]) -> None:
    """Puts images on every node; the lab's own ones are made first if the engine lacks them."""
    if not clusters:
        raise LabError("a cluster to load images into", "run `python3 -m lab cluster` first")
    _make([name for name in names if docker.label(name, nodeimage.LABEL) is None])
    for one in clusters:
        with step(f"loading {', '.join(names)} into {one.name}"):
            run([kind.program(), "load", "docker-image", "--name", one.name, *names])


def _make(names: Sequence[str]) -> None:
    """Images of the lab that only the nodes have so far (an official node image has none of them)."""
    if PYTHON in names:
        python()
    rest = [name for name in names if name != PYTHON]
    if rest:
        wanted = [image for image in components.images(components.programs()) if set(image.names) & set(rest)]
        docker.load(wanted)
    if lacking := [name for name in rest if docker.label(name, nodeimage.LABEL) is None]:
        raise LabError(f"the image {', '.join(lacking)}", "build or pull it first")
