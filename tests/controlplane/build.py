"""Small clusters as JSON: just the fields that `controlplane` reads, in kubeadm's shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kcompanion.cluster import recording
from kcompanion.cluster.recording import RecordedSource
from kcompanion.controlplane import apiservers, asks
from kcompanion.controlplane.asks import NODE_LEASES, SYSTEM
from kcompanion.model.ask import Ask, Outcome, Reading
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.model.times import format_time

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
RECORDINGS = Path(recording.__file__).parents[1] / "recordings"
EVERYTHING: tuple[Ask, ...] = (*asks.OVERVIEW, *asks.CERTIFICATES)
_PASSED = ("ping", "log", "etcd", "informer-sync")
Json = dict[str, Any]


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def meta(name: str, namespace: str = SYSTEM, labels: Mapping[str, str] | None = None, **more: Any) -> Json:
    return {"name": name, "namespace": namespace, "labels": dict(labels or {}), **more}


def node(name: str, *, address: str = "", ready: str = "True", version: str = "v1.36.3", **more: Any) -> Json:
    labels = {"kubernetes.io/hostname": name, **more.get("labels", {})}
    addresses = [{"type": "Hostname", "address": name}]
    if address:
        addresses.append({"type": "InternalIP", "address": address})
    info = {"kubeletVersion": version, "containerRuntimeVersion": "containerd://2.3.5"}
    return {
        "metadata": {"name": name, "labels": labels, "annotations": more.get("annotations", {})},
        "spec": more.get("spec", {}),
        "status": {
            "nodeInfo": info,
            "addresses": [*addresses, *more.get("addresses", [])],
            "conditions": [{"type": "Ready", "status": ready, "reason": "KubeletReady"}],
        },
    }


def pod(
    component: str,
    node_name: str,
    *flags: str,
    image: str = "",
    ready: str = "True",
    restarts: int = 0,
    label: str = "component",
    name: str = "",
    **metadata: Any,
) -> Json:
    """A static pod as kubeadm makes it."""
    image = image or f"registry.k8s.io/{component}:v1.36.3"
    return {
        "metadata": {
            **meta(name or f"{component}-{node_name}", labels={label: component, "tier": "control-plane"}),
            "annotations": {"kubernetes.io/config.mirror": "0a", "kubernetes.io/config.source": "file"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": node_name}],
            **metadata,
        },
        "spec": {
            "nodeName": node_name,
            "containers": [{"name": component, "image": image, "command": [component, *flags]}],
        },
        "status": {
            "phase": "Running",
            "startTime": ago(3600),
            "conditions": [
                {"type": "Ready", "status": ready, "reason": "" if ready == "True" else "ContainersNotReady"}
            ],
            "containerStatuses": [{"name": component, "restartCount": restarts, "state": {"running": {}}}],
        },
    }


def daemon_pod(app: str, node_name: str, image: str, *, ready: str = "True", kind: str = "DaemonSet") -> Json:
    """A pod of a DaemonSet or Deployment, labelled `k8s-app`."""
    made = pod(app, node_name, image=image, ready=ready, label="k8s-app", name=f"{app}-{node_name}")
    made["metadata"]["annotations"] = {}
    made["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": kind, "name": app}]
    return made


def lease(name: str, holder: str = "", age: float | None = 2, *, duration: int = 15, **more: Any) -> Json:
    spec: Json = {"holderIdentity": holder, "leaseDurationSeconds": duration, "leaseTransitions": 1, **more}
    if age is not None:
        spec["renewTime"] = ago(age)
    spec.setdefault("acquireTime", ago(7200))
    return {"metadata": meta(name), "spec": spec}


def identity(host: str, age: float | None = 5) -> Json:
    made = lease(f"apiserver-{host}", f"apiserver-{host}_uuid", age, duration=3600)
    labels = {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": host}
    made["metadata"]["labels"] = labels
    return made


def heartbeat(name: str, age: float | None = 5) -> Json:
    made = lease(name, name, age, duration=40)
    made["metadata"]["namespace"] = NODE_LEASES
    return made


def slices(*addresses: str, port: int = 6443) -> list[Json]:
    """The EndpointSlice default/kubernetes."""
    listed = [{"addresses": [address], "conditions": {"ready": True}} for address in addresses]
    labels = {"kubernetes.io/service-name": "kubernetes"}
    return [{"metadata": meta("kubernetes", "default", labels), "endpoints": listed, "ports": [{"port": port}]}]


def checks(passed: Iterable[str] = _PASSED, failed: Iterable[str] = ()) -> str:
    """The body of /readyz?verbose."""
    lines = [f"[+]{name} ok" for name in passed] + [f"[-]{name} failed: reason withheld" for name in failed]
    return "\n".join([*lines, "readyz check " + ("failed" if failed else "passed")])


def version(git: str = "v1.36.3", **more: str) -> str:
    minor = git.split(".")[1] if "." in git else ""
    return json.dumps({"major": "1", "minor": minor, "gitVersion": git, **more})


def configmap(name: str, **data: str) -> Json:
    return {"metadata": meta(name), "data": {key.replace("_", "-"): value for key, value in data.items()}}


def proxy_daemonset(count: int) -> Json:
    container = {"name": "kube-proxy", "image": "registry.k8s.io/kube-proxy:v1.36.3", "command": ["kube-proxy"]}
    return {
        "metadata": meta("kube-proxy", labels={"k8s-app": "kube-proxy"}),
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"numberReady": count, "desiredNumberScheduled": count},
    }


def cni_daemonset(count: int, name: str = "kindnet", image: str = "kindest/kindnetd:v20260101-abcdef") -> Json:
    return {
        "metadata": meta(name, labels={"app": name}),
        "spec": {"template": {"spec": {"containers": [{"name": name, "image": image}]}}},
        "status": {"numberReady": count, "desiredNumberScheduled": count},
    }


def snap(
    bodies: Mapping[Ask, Any] | None = None,
    *,
    now: datetime = NOW,
    outcomes: Mapping[Ask, Outcome] | None = None,
    peers: Mapping[Ask, Json] | None = None,
    statuses: Mapping[Ask, int] | None = None,
    stale: Sequence[Ask] = (),
    origin: Origin | None = None,
) -> Snapshot:
    """A snapshot that holds these answers; whatever was not given was answered with nothing in it."""
    held = dict(bodies or {})
    readings = {}
    for ask in {*EVERYTHING, *held, *(outcomes or {})}:
        outcome = (outcomes or {}).get(ask, Outcome.OK)
        body = held.get(ask, [] if ask.verb.value == "list" else None)
        status = (statuses or {}).get(ask, 200)
        readings[ask.key] = Reading(ask, outcome, status, "", body, ask in stale, (peers or {}).get(ask))
    return Snapshot(now, origin or Origin(cluster="made", server="https://10.0.0.1:6443"), readings)


def cluster(*masters: str, workers: Sequence[str] = ()) -> dict[Ask, Any]:
    """The answers of a healthy kubeadm cluster: bodies for `snap`, to be changed at will."""
    nodes = [*masters, *workers]
    address = {name: f"10.0.0.{index}" for index, name in enumerate(nodes, start=1)}
    members = ",".join(f"{m}=https://{address[m]}:2380" for m in masters)
    control = [
        pod(component, m, *_flags(component, m, address[m], members))
        for m in masters
        for component in ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager")
    ]
    for made in control:
        if made["spec"]["containers"][0]["name"] == "etcd":
            made["spec"]["containers"][0]["image"] = "registry.k8s.io/etcd:3.6.8-0"
    daemons = [daemon_pod("kube-proxy", n, "registry.k8s.io/kube-proxy:v1.36.3") for n in nodes]
    dns = daemon_pod("kube-dns", nodes[-1], "registry.k8s.io/coredns/coredns:v1.14.2", kind="ReplicaSet")
    role = {"node-role.kubernetes.io/control-plane": ""}
    return {
        asks.VERSION: version(),
        asks.READYZ: checks(),
        asks.LIVEZ: checks(),
        asks.METRICS: 'apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 4.194304e+06',
        asks.NODES: [node(n, address=address[n], labels=role if n in masters else {}) for n in nodes],
        asks.PODS: [*control, *daemons, dns],
        asks.LEASES: [
            *(lease(name, f"{masters[0]}_uuid") for name in ("kube-scheduler", "kube-controller-manager")),
            *(identity(m) for m in masters),
        ],
        asks.HEARTBEATS: [heartbeat(n) for n in nodes],
        asks.API_ENDPOINTS: slices(*(address[m] for m in masters)),
        asks.CONFIGMAPS: [configmap("kubeadm-config", ClusterConfiguration="kind: ClusterConfiguration")],
        asks.CLUSTER_INFO: {"metadata": meta("cluster-info", "kube-public"), "data": {}},
        asks.DAEMONSETS: [proxy_daemonset(len(nodes)), cni_daemonset(len(nodes))],
        asks.SYSTEM_NAMESPACE: {"metadata": {"name": SYSTEM, "uid": "u"}},
    }


def _flags(component: str, name: str, address: str, members: str) -> tuple[str, ...]:
    return {
        "kube-apiserver": (
            f"--advertise-address={address}",
            "--etcd-servers=https://127.0.0.1:2379",
            "--enable-admission-plugins=NodeRestriction",
            "--kubelet-client-certificate=/etc/kubernetes/pki/apiserver-kubelet-client.crt",
        ),
        "etcd": (
            f"--name={name}",
            f"--initial-cluster={members}",
            f"--initial-advertise-peer-urls=https://{address}:2380",
        ),
        "kube-controller-manager": ("--controllers=*,bootstrapsigner,tokencleaner",),
        "kube-scheduler": ("--leader-elect=true",),
    }[component]


def serving(*names: str, not_after: datetime | None = None) -> Json:
    """What a TLS handshake told of a serving certificate."""
    end = not_after or NOW + timedelta(days=300)
    return {
        "subject": "CN=kube-apiserver",
        "issuer": "CN=kubernetes",
        "notBefore": format_time(NOW - timedelta(days=65)),
        "notAfter": format_time(end),
        "names": list(names),
        "publicKeyHash": "sha256:" + "-".join(names),
    }


def recorded(name: str) -> Snapshot:
    """A shipped recording, as the answers to everything `controlplane` asks."""
    return replay(recording.load(RECORDINGS / f"{name}.kcr"))


def replay(held: Snapshot) -> Snapshot:
    source = RecordedSource(held)
    first = Snapshot(held.now, held.origin, source.read(EVERYTHING))
    further = apiservers.further_asks(first)
    return Snapshot(held.now, held.origin, {**first.readings, **source.read(further)})
