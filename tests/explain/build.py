"""Small objects for the tests of explain: just what the code under test reads."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def owned(kind: str, name: str, **more: Any) -> Json:
    """An owner reference of the controlling kind."""
    api = {"ReplicaSet": "apps/v1", "Deployment": "apps/v1", "Job": "batch/v1"}.get(kind, "v1")
    return {"apiVersion": api, "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True, **more}


def crashing(
    name: str, *, namespace: str = "shop", owner: Json | None = None, restarts: int = 5, **labels: str
) -> Json:
    """A pod in CrashLoopBackOff."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "labels": labels,
            "creationTimestamp": "2026-11-21T11:00:00Z",
            "ownerReferences": [owner] if owner else [],
        },
        "spec": {"nodeName": "worker-1", "containers": [{"name": "app", "image": "example/app:1"}]},
        "status": {
            "phase": "Running",
            "startTime": "2026-11-21T11:00:01Z",
            "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Initialized", "status": "True"},
                {"type": "ContainersReady", "status": "False", "reason": "ContainersNotReady"},
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady"},
            ],
            "containerStatuses": [
                {
                    "name": "app",
                    "restartCount": restarts,
                    "ready": False,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {
                        "terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-21T11:58:00Z"}
                    },
                }
            ],
        },
    }


def running(name: str, *, namespace: str = "shop", owner: Json | None = None, **labels: str) -> Json:
    """A pod that is well."""
    pod = crashing(name, namespace=namespace, owner=owner, restarts=0, **labels)
    for condition in pod["status"]["conditions"]:
        condition.update(status="True", reason="")
    pod["status"]["containerStatuses"] = [
        {
            "name": "app",
            "restartCount": 0,
            "ready": True,
            "started": True,
            "state": {"running": {"startedAt": "2026-11-21T11:00:02Z"}},
        }
    ]
    return pod


def replicaset(name: str, deployment: str, *, namespace: str = "shop", replicas: int = 1, ready: int = 0) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "creationTimestamp": "2026-11-21T11:00:00Z",
            "ownerReferences": [owned("Deployment", deployment)],
        },
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": deployment}}},
        "status": {"replicas": replicas, "readyReplicas": ready, "availableReplicas": ready},
    }


def deployment(name: str, *, namespace: str = "shop", replicas: int = 1, ready: int = 0) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "generation": 1,
            "creationTimestamp": "2026-11-21T11:00:00Z",
        },
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}},
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": ready,
            "availableReplicas": ready,
        },
    }


def deployed(name: str, pods: int, *, namespace: str = "shop") -> list[Json]:
    """A Deployment, its ReplicaSet and that many pods, all of them crashing."""
    owner = owned("ReplicaSet", f"{name}-7d9f")
    return [
        deployment(name, namespace=namespace, replicas=pods),
        replicaset(f"{name}-7d9f", name, namespace=namespace, replicas=pods),
        *(crashing(f"{name}-7d9f-{n:03}", namespace=namespace, owner=owner, app=name) for n in range(pods)),
    ]


def node(name: str = "worker-1", *, heartbeat: str = "2026-11-21T11:59:55Z") -> list[Json]:
    """A node that is well, and the Lease its kubelet renews; NOW of the casebook is five seconds later."""
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": heartbeat}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "uid": f"uid-{name}",
                "creationTimestamp": "2026-11-20T00:00:00Z",
                "labels": {"kubernetes.io/hostname": name},
            },
            "spec": {},
            "status": {
                "conditions": [ready],
                "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "1110"},
                "capacity": {"cpu": "4", "memory": "8Gi", "pods": "1110"},
            },
        },
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": heartbeat},
        },
    ]
