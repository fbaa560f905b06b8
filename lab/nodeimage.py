"""The kind node image of the lab, where the official one cannot be pulled.

Laid out like kind's own image: its files come from the kind Go module at build time, the programs
from Go modules, the system from debootstrap. The image carries a digest of its recipe as a label, so
that a changed recipe is noticed and an unchanged one is never built twice.
"""

from __future__ import annotations

from pathlib import Path

from lab import cache, components, docker, gobuild, host, oci, rootfs, versions
from lab.shell import run, step

LABEL = "dev.kcompanion.lab.recipe"
_ENTRYPOINT = '["/usr/local/bin/entrypoint", "/sbin/init"]'
_NODE = components.HERE / "node"

_PLACES = {  # where a node expects programs, other than the images'
    "usr/local/bin": ("containerd", "containerd-shim-runc-v2", "ctr", "etcdctl"),
    "usr/bin": ("kubeadm", "kubelet", "kubectl"),
    "opt/cni/bin": ("host-local", "loopback", "ptp", "bridge", "portmap"),
}


def recipe() -> str:
    """The digest of everything the image is made of."""
    sources = cache.source_digest(__file__, oci.__file__)
    restricted = str(host.has_sys_resource())
    return cache.digest(*components.recipe(), sources, cache.tree_digest(_NODE), restricted)


def build(name: str) -> None:
    """Makes the image under `name`."""
    built = components.programs()
    runc = host.require_program("runc", package="runc")
    with step("building the node image", 1):
        stage = f"{name}-stage"
        files = {**_kind_files(), **_programs(built), "usr/local/sbin/runc": Path(runc)}
        image = oci.Image(
            names=(stage,),
            layers=(rootfs.node(), files),
            labels={LABEL: recipe()},
            environment=(oci.PATH, "container=docker"),  # tells systemd where it is
            stop_signal="SIGRTMIN+3",
        )
        docker.load([image])
        _finish(stage, name, components.images(built))


def _kind_files() -> dict[str, Path | bytes]:
    """The files of kind's own base image, and the manifests that kind installs in a new cluster."""
    base = gobuild.module_dir("sigs.k8s.io/kind", f"v{versions.KIND}") / "images/base/files"
    kept = [path for path in base.rglob("*") if path.is_file() and path.suffix != ".txt"]
    files: dict[str, Path | bytes] = {str(path.relative_to(base)): path for path in kept}
    for manifest in ("default-cni.yaml", "default-storage.yaml"):
        files[f"kind/manifests/{manifest}"] = _NODE / manifest
    files["kind/version"] = f"v{versions.KUBERNETES}".encode()
    files["kind/prepare.sh"] = _NODE / "prepare.sh"
    return files


def _programs(built: dict[str, Path]) -> dict[str, Path | bytes]:
    return {f"{place}/{name}": built[name] for place, names in _PLACES.items() for name in names}


def _finish(stage: str, name: str, images: list[oci.Image]) -> None:
    """Runs prepare.sh in a container of the stage with the images on its stdin, and keeps the result."""
    container = f"kcompanion-lab-{cache.digest(name)}"
    docker.remove_container(container)
    restrict = [] if host.has_sys_resource() else ["--env", "RESTRICT_OOM_SCORE=1"]
    create = ["docker", "run", "--detach", "--name", container, *restrict, "--network=none"]
    unconfined = ["--security-opt", "seccomp=unconfined", "--entrypoint", "sleep"]
    run([*create, *unconfined, stage, "infinity"])
    try:
        docker.pipe(["docker", "exec", "--interactive", container, "/kind/prepare.sh"], images)
        run(["docker", "exec", container, "rm", "/kind/prepare.sh"])
        changes = ["--change", f"ENTRYPOINT {_ENTRYPOINT}", "--change", "CMD []"]
        run(["docker", "commit", *changes, container, name])
    finally:
        docker.remove_container(container)
        docker.remove_image(stage)
