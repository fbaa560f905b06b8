"""The images a node carries: the control plane, the pod network and the lab's workloads.

Programs that only need themselves are the only file of their image. Those that call iptables, and
workloads a person may want to look into, stand on the base system, which is one shared layer.
"""

from __future__ import annotations

from pathlib import Path

from lab import cache, gobuild, rootfs, versions
from lab.oci import Image

HERE = Path(__file__).parent
LOCAL_PROGRAMS = ("pause", "cni", "mishap", "registry")  # folders beside this file

_K8S = "registry.k8s.io"
_E2E = f"{_K8S}/e2e-test-images"
AGNHOST = f"{_E2E}/agnhost:2.63.0"
MISHAP = "kcompanion.dev/lab/mishap:1"
REGISTRY = "kcompanion.dev/lab/registry:1"


def programs() -> dict[str, Path]:
    """Every program by name, built if it is not there yet."""
    built = gobuild.all_families()
    return {**built, **{name: gobuild.local(name, HERE / name) for name in LOCAL_PROGRAMS}}


def recipe() -> list[str]:
    """What the images are made of, told without building anything."""
    families = [gobuild.key(family) for family in versions.FAMILIES]
    local = [gobuild.local_key(name, HERE / name) for name in LOCAL_PROGRAMS]
    return [*families, *local, rootfs.key("node", rootfs.NODE_PACKAGES), cache.source_digest(__file__)]


def images(built: dict[str, Path]) -> list[Image]:
    base = rootfs.node()
    version = f"v{versions.KUBERNETES}"
    control_plane = [
        _alone(built, f"{_K8S}/{name}:{version}", name)
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    ]
    pause = Image(
        names=(f"{_K8S}/pause:3.10", f"{_K8S}/pause:3.10.2"),
        layers=({"pause": built["pause"]},),
        entrypoint=("/pause",),
    )
    coredns = Image(
        names=(f"{_K8S}/coredns/coredns:v{versions.COREDNS}",),
        layers=({"coredns": built["coredns"]},),
        entrypoint=("/coredns",),
    )
    agnhost = {"agnhost": built["agnhost"]}
    return [
        *control_plane,
        _alone(built, f"{_K8S}/etcd:{versions.ETCD}-0", "etcd", "etcdctl", "etcdutl"),
        coredns,
        pause,
        Image(
            names=(f"{_K8S}/kube-proxy:{version}",),
            layers=(base, {"usr/local/bin/kube-proxy": built["kube-proxy"]}),
        ),
        Image(
            names=("kcompanion.dev/lab/cni:1",),
            layers=(base, {"usr/local/bin/cni": built["cni"]}),
            entrypoint=("/usr/local/bin/cni",),
        ),
        Image(
            names=("kcompanion.dev/lab/local-path-provisioner:1",),
            layers=(base, {"usr/local/bin/local-path-provisioner": built["local-path-provisioner"]}),
            entrypoint=("/usr/local/bin/local-path-provisioner",),
        ),
        # The provisioner starts a pod on the node, whose shell makes or removes the folder.
        Image(names=("kcompanion.dev/lab/local-path-helper:1",), layers=(base,)),
        Image(
            names=(AGNHOST, f"{_E2E}/agnhost:2.55"),
            layers=(base, agnhost),
            entrypoint=("/agnhost",),
            command=("pause",),
        ),
        # Upstream's end-to-end tests want a web server under these names; agnhost is one.
        Image(
            names=(f"{_E2E}/nginx:1.15-4", f"{_E2E}/nginx:1.27-0"),
            layers=(base, agnhost),
            entrypoint=("/agnhost",),
            command=("netexec", "--http-port=80"),
        ),
        Image(
            names=(MISHAP,),
            layers=(base, {"usr/local/bin/mishap": built["mishap"]}),
            entrypoint=("/usr/local/bin/mishap",),
        ),
        Image(
            names=(REGISTRY,),
            layers=(base, {"usr/local/bin/registry": built["registry"]}),
            entrypoint=("/usr/local/bin/registry",),
        ),
    ]


def _alone(built: dict[str, Path], name: str, *binaries: str) -> Image:
    files = {f"usr/local/bin/{binary}": built[binary] for binary in binaries}
    return Image(names=(name,), layers=(files,))
