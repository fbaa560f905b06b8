"""What the lab builds, and in which version.

One table, so that a version is changed in one place and every cache key follows it.
The set is the one that kubeadm of the same Kubernetes minor asks for (`kubeadm config images list`)
and that kind's own node image of the same kind version carries.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

KUBERNETES = os.environ.get("KUBE_VERSION", "").lstrip("v") or "1.36.4"
KIND = "0.33.0"
CONTAINERD = "2.3.5"
ETCD = "3.6.8"
COREDNS = "1.14.2"
CNI_PLUGINS = "1.9.1"
KWOK = "0.8.0"
LOCAL_PATH = "0.0.30"
ENVOY_WHEEL = "1.36.2"  # kind 0.33's load balancer image names the Envoy version it expects
DEBIAN = "bookworm"  # systemd 252 still boots on cgroup v1; from 256 on it refuses by default

NODE_IMAGE = f"kindest/node:v{KUBERNETES}"
ENVOY_IMAGE = "envoyproxy/envoy:v1.36.2"


@dataclass(frozen=True)
class GoFamily:
    """Programs built from one Go module graph (families differ in what they require)."""

    name: str
    version: str
    requires: tuple[tuple[str, str], ...]  # module path, version
    programs: tuple[tuple[str, str, float], ...]  # binary, package, minutes on two cores
    tags: str = ""

    @property
    def minutes(self) -> float:
        return sum(program[2] for program in self.programs)


_K8S = "k8s.io/kubernetes"
KUBERNETES_FAMILY = GoFamily(
    name="kubernetes",
    version=KUBERNETES,
    requires=((_K8S, f"v{KUBERNETES}"),),
    programs=(
        ("kube-apiserver", f"{_K8S}/cmd/kube-apiserver", 9),
        ("kube-controller-manager", f"{_K8S}/cmd/kube-controller-manager", 2),
        ("kube-scheduler", f"{_K8S}/cmd/kube-scheduler", 0.2),
        ("kubelet", f"{_K8S}/cmd/kubelet", 0.9),
        ("kube-proxy", f"{_K8S}/cmd/kube-proxy", 0.3),
        ("kubeadm", f"{_K8S}/cmd/kubeadm", 0.5),
        ("kubectl", f"{_K8S}/cmd/kubectl", 0.5),
        ("agnhost", f"{_K8S}/test/images/agnhost", 0.7),
    ),
)
FAMILIES: tuple[GoFamily, ...] = (
    KUBERNETES_FAMILY,
    GoFamily(
        name="kind",
        version=KIND,
        requires=(("sigs.k8s.io/kind", f"v{KIND}"),),
        programs=(("kind", "sigs.k8s.io/kind", 0.4),),
    ),
    GoFamily(
        name="containerd",
        version=CONTAINERD,
        requires=(("github.com/containerd/containerd/v2", f"v{CONTAINERD}"),),
        programs=tuple(
            (name, f"github.com/containerd/containerd/v2/cmd/{name}", 0.5)
            for name in ("containerd", "containerd-shim-runc-v2", "ctr")
        ),
        tags="no_btrfs no_devmapper no_aufs no_zfs",
    ),
    GoFamily(
        name="etcd",
        version=ETCD,
        requires=tuple((f"go.etcd.io/etcd/{part}/v3", f"v{ETCD}") for part in ("server", "etcdctl", "etcdutl")),
        programs=(
            ("etcd", "go.etcd.io/etcd/server/v3", 0.5),
            ("etcdctl", "go.etcd.io/etcd/etcdctl/v3", 0.1),
            ("etcdutl", "go.etcd.io/etcd/etcdutl/v3", 0.1),
        ),
    ),
    GoFamily(
        name="coredns",
        version=COREDNS,
        requires=(("github.com/coredns/coredns", f"v{COREDNS}"),),
        programs=(("coredns", "github.com/coredns/coredns", 2.4),),
    ),
    GoFamily(
        name="cni-plugins",
        version=CNI_PLUGINS,
        requires=(("github.com/containernetworking/plugins", f"v{CNI_PLUGINS}"),),
        programs=tuple(
            (path.rpartition("/")[2], f"github.com/containernetworking/plugins/plugins/{path}", 0.05)
            for path in ("ipam/host-local", "main/loopback", "main/ptp", "main/bridge", "meta/portmap")
        ),
    ),
    GoFamily(
        name="kwok",
        version=KWOK,
        requires=(("sigs.k8s.io/kwok", f"v{KWOK}"),),
        programs=(("kwok", "sigs.k8s.io/kwok/cmd/kwok", 1.4),),
    ),
    GoFamily(
        name="local-path-provisioner",
        version=LOCAL_PATH,
        requires=(("github.com/rancher/local-path-provisioner", f"v{LOCAL_PATH}"),),
        programs=(("local-path-provisioner", "github.com/rancher/local-path-provisioner", 1.5),),
    ),
)
