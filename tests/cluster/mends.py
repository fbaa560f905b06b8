"""Known mends of the exercises of `kcompanion practice`, and things that are none; only tests know them.

Each is a list of kubectl commands in the exercise's namespace. A command that ends in a manifest (a mapping) gets it
on stdin. Where an exercise has several mends, each is tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Command = tuple[Any, ...]
Mend = Sequence[Command]
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.55"
C0, I0 = "containers/0", "initContainers/0"


def without(where: str, *paths: str, of: str = "deployment/web") -> Command:
    """Takes fields out of the pod template."""
    return _json(of, [{"op": "remove", "path": f"/spec/template/spec/{where}{path}"} for path in paths])


def with_(where: str, value: object, of: str = "deployment/web") -> Command:
    """Sets a field of the pod template."""
    return _json(of, [{"op": "add", "path": f"/spec/template/spec/{where}", "value": value}])


def instead(where: str, value: object, of: str = "deployment/web") -> Command:
    """Puts something in the place of an entry of a list in the pod template."""
    return _json(of, [{"op": "replace", "path": f"/spec/template/spec/{where}", "value": value}])


def merged(of: str, change: Mapping[str, Any]) -> Command:
    return ("patch", of, "--type=merge", "-p", json.dumps(change))


def _json(of: str, operations: Sequence[Mapping[str, Any]]) -> Command:
    return ("patch", of, "--type=json", "-p", json.dumps(operations))


def pausing(of: str) -> Mend:
    """The container with a program that stays."""
    return [without(C0, "/command", of=of), with_(f"{C0}/args", ["pause"], of=of)]


def made(item: Mapping[str, Any]) -> Command:
    return ("apply", "-f", "-", item)


def claim(name: str) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }


def pod(name: str, *args: str) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "restartPolicy": "Never",
            "containers": [{"name": "app", "image": IMAGE, "args": list(args)}],
        },
    }


def job(name: str, *command: str) -> Mapping[str, Any]:
    container = {"name": "app", "image": IMAGE, "command": list(command)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }


HEADLESS = ("create", "service", "clusterip", "db", "--clusterip=None")
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
MENDS: Mapping[str, Sequence[Mend]] = {
    "start-1": [pausing("deployment/crash")],
    "start-2": [[without(C0, "/command")], [with_(f"{C0}/command", ["/agnhost"])]],
    "start-3": [[with_(f"{C0}/resources/limits/memory", "400Mi")], [with_(f"{C0}/args", ["pause"])]],
    "start-4": [[without("initContainers", "")], [with_(f"{I0}/command", ["/bin/sh", "-c", "exit 0"])]],
    "start-5": [[with_(f"{C0}/securityContext/runAsUser", 1000)], [without(C0, "/securityContext")]],
    "start-6": [[without(C0, "/workingDir")]],
    "start-7": [[without(C0, "/command")]],
    "start-8": [[without(C0, "/lifecycle")]],
    "start-9": [[without("initContainers", "")]],
    "start-10": [[with_(f"{I0}/resources/limits/memory", "400Mi")]],
    "start-11": [[without("initContainers", "")], [with_(f"{I0}/command", ["/agnhost", "pause"])]],
    "start-12": [[with_(f"{C0}/volumeMounts/0/mountPath", "/settings")]],
    "start-13": [[without(C0, "/securityContext")]],
    "config-1": [
        [("create", "configmap", "settings", "--from-literal=database-host=db")],
        [with_(f"{C0}/env", [{"name": "DATABASE_HOST", "value": "db"}])],
    ],
    "config-2": [[("create", "secret", "generic", "credentials", "--from-literal=USER=shop")]],
    "config-3": [
        [merged("configmap/settings", {"data": {"database-host": "db"}})],
        [with_(f"{C0}/env/0/valueFrom/configMapKeyRef/key", "database-hostname")],
    ],
    "config-4": [[("create", "configmap", "settings", "--from-literal=colour=blue")]],
    "config-5": [[("create", "secret", "generic", "tls", "--from-literal=tls.crt=none")]],
    "config-6": [
        [merged("configmap/settings", {"data": {"app.yaml": "colour: blue"}})],
        [with_("volumes/0/configMap/items/0/key", "app.yml")],
    ],
    "config-7": [[("create", "configmap", "settings", "--from-literal=colour=blue")]],
    "config-8": [[("set", "env", "deployment/web", "TENANT=shop")]],
    "image-1": [[("set", "image", "deployment/web", f"app={IMAGE}")]],
    "image-2": [[("set", "image", "deployment/web", f"app={IMAGE}")]],
    "image-3": [[("set", "image", "deployment/web", f"app={IMAGE}")]],
    "image-4": [[("set", "image", "deployment/web", f"app={IMAGE}")]],
    "placing-1": [[without("nodeSelector", "", of="deployment/lost")]],
    "placing-2": [[with_(f"{C0}/resources/requests/cpu", "10m", of="deployment/lost")]],
    "placing-3": [[with_(f"{C0}/resources/requests/memory", "16Mi", of="deployment/lost")]],
    "placing-4": [[without(C0, "/resources", of="deployment/lost")]],
    "placing-5": [[without("affinity", "", of="deployment/lost")]],
    "placing-6": [
        [("run", "cache", f"--image={IMAGE}", "--labels=app=cache")],
        [without("affinity", "", of="deployment/lost")],
    ],
    "placing-7": [[with_("schedulerName", "default-scheduler")]],
    "placing-8": [[without("nodeSelector", "", of="daemonset/agent")]],
    "placing-9": [
        [with_("topologySpreadConstraints/0/topologyKey", "kubernetes.io/hostname", of="deployment/lost")],
        [with_("topologySpreadConstraints/0/whenUnsatisfiable", "ScheduleAnyway", of="deployment/lost")],
    ],
    "placing-10": [[without("schedulingGates", "")]],
    "probe-1": [[with_(f"{C0}/readinessProbe/httpGet/port", 8080)]],
    "probe-2": [[with_(f"{C0}/readinessProbe/httpGet/path", "/")]],
    "probe-3": [[with_(f"{C0}/readinessProbe/httpGet/port", "web")], [with_(f"{C0}/ports/0/name", "http")]],
    "probe-4": [
        [with_(f"{C0}/args", ["netexec", "--http-port=5432"], of="deployment/db")],
        [without(C0, "/readinessProbe", of="deployment/db")],
    ],
    "probe-5": [[with_(f"{C0}/readinessProbe/httpGet/scheme", "HTTP")]],
    "probe-6": [[with_(f"{C0}/readinessProbe/exec/command", ["/bin/sh", "-c", "exit 0"])]],
    "probe-7": [[with_(f"{C0}/readinessProbe/exec/command", ["/bin/sh", "-c", "exit 0"], of="deployment/worker")]],
    "probe-8": [[with_(f"{C0}/args", ["netexec", "--http-port=8080"])], [without(C0, "/startupProbe")]],
    "probe-9": [[with_(f"{C0}/readinessProbe/exec/command", ["/bin/sh", "-c", "exit 0"])]],
    "probe-10": [[with_(f"{C0}/readinessProbe", {"httpGet": {"path": "/", "port": 8080}})]],
    "probe-11": [[without(I0, "/startupProbe")]],
    "probe-12": [[without("readinessGates", "")]],
    "storage-1": [
        [made(claim("data"))],
        [instead("volumes/0", {"name": "data", "emptyDir": {}}, of="deployment/lost")],
    ],
    "storage-2": [[("delete", "pvc", "data"), made(claim("data"))]],
    "storage-3": [[with_("volumes/0/hostPath/type", "File", of="deployment/agent")]],
    "storage-4": [[instead("volumes/0", {"name": "data", "emptyDir": {}})]],
    "policy-1": [[merged("resourcequota/small", {"spec": {"hard": {"pods": "2"}}})], [("delete", "quota", "small")]],
    "policy-2": [
        [("create", "serviceaccount", "robot")],
        [("set", "serviceaccount", "deployment/web", "default")],
    ],
    "policy-3": [[with_(f"{C0}/resources", {"limits": {"cpu": "100m"}})]],
    "policy-4": [[with_(f"{C0}/resources/limits/cpu", "400m")]],
    "policy-5": [[with_(f"{C0}/resources/requests/memory", "64Mi")]],
    "policy-6": [[without("priorityClassName", "")]],
    "policy-7": [[without("priorityClassName", "", of="statefulset/web")]],
    "policy-8": [[without("runtimeClassName", "", of="daemonset/web")]],
    "policy-9": [
        [("scale", "deployment/web", "--replicas=2")],
        [merged("pdb/web", {"spec": {"minAvailable": 0}})],
    ],
    "policy-10": [[with_(f"{C0}/resources/requests/cpu", "500m")]],
    "policy-11": [[with_(f"{C0}/resources/limits", {"cpu": "500m"})], [("delete", "limitrange", "bounds")]],
    "policy-12": [
        [with_(f"{C0}/securityContext", RESTRICTED)],
        [("label", "namespace", "{namespace}", "pod-security.kubernetes.io/enforce-")],
    ],
    "policy-13": [[("delete", "quota", "no-replicasets")]],
    "policy-14": [[("delete", "pod", "refused"), made(pod("refused", "pause"))]],
    "service-1": [
        [merged("service/web", {"spec": {"selector": {"app": "web"}}})],
        [("delete", "service", "web"), ("expose", "deployment", "web", "--port=80")],
    ],
    "service-2": [
        [merged("service/web", {"spec": {"selector": {"tier": None}}})],
        [merged("deployment/web", {"spec": {"template": {"metadata": {"labels": {"tier": "front"}}}}})],
    ],
    "service-3": [
        [merged("service/web", {"spec": {"ports": [{"port": 80, "targetPort": "http"}]}})],
        [with_(f"{C0}/ports/0/name", "web")],
    ],
    "service-4": [pausing("deployment/web")],
    "service-5": [[merged("service/web", {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}})]],
    "service-6": [[HEADLESS]],
    "service-7": [[("delete", "service", "db"), HEADLESS]],
    "job-1": [[("delete", "job", "work"), made(job("work", "/bin/sh", "-c", "exit 0"))]],
    "job-2": [[("delete", "job", "work"), made(job("work", "/bin/sh", "-c", "sleep 8"))]],
    "job-3": [[merged("cronjob/nightly", {"spec": {"suspend": False}})]],
    "job-4": [[("delete", "pod", "report"), made(pod("report", "pause"))]],
    "job-5": [[("delete", "quota", "no-jobs")]],
}  # fmt: skip
# Tries that are no mend: what is broken is deleted, made smaller, or broken otherwise.
TRIES: Mapping[str, Sequence[Mend]] = {
    "config-1": [[("delete", "deployment", "web")], [("scale", "deployment/web", "--replicas=0")]],
    "start-2": [[with_(f"{C0}/command", ["/also-not-there"])]],
    "placing-2": [[with_(f"{C0}/resources/requests/cpu", "63", of="deployment/lost")]],
    "policy-1": [[("scale", "deployment/web", "--replicas=1")]],
    "service-1": [[("delete", "service", "web")], [("scale", "deployment/web", "--replicas=0")]],
    "storage-2": [[("delete", "pvc", "data")]],
    "job-1": [[("delete", "job", "work")]],
    "job-3": [[("delete", "cronjob", "nightly")]],
    "policy-9": [[("delete", "pdb", "web")]],
}
