"""Builds the recorded cases of kcompanion/recordings from tools/cases/*.yaml.

    .venv/bin/python tools/make_cases.py

They have the shape of clusters that cannot be made here. Each source names where its parts were published; nothing of
them was ever read from a live cluster, and every command says so when it shows one.

A source is a mapping. `nodes`, `pods`, `workloads` and `leases` are written in short and spelt out here; `objects`
are manifests as they are; `raw` holds the text of non-resource paths. `!ago 5` is the time five seconds before `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from kcompanion.cluster import everything, recording, scrub
from kcompanion.cluster.session import Session
from kcompanion.model.ask import Ask, Outcome, Reading, Verb
from kcompanion.model.fields import labels_of, name_of, namespace_of
from kcompanion.model.resources import KNOWN
from kcompanion.model.selectors import matches
from kcompanion.model.snapshot import Origin
from kcompanion.model.times import format_time, parse_time

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
TARGET = HERE.parent / "kcompanion" / "recordings"
SYSTEM = "kube-system"
Json = dict[str, Any]


class CaseSource:
    """Answers questions from a case, as an API server with these objects would."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.now: datetime = case["now"]
        self.origin = Origin(**case["origin"])
        self._raw: Mapping[str, str] = case["raw"]
        self._objects = list(objects(case))
        self._kinds = {resource.kind: resource for resource in KNOWN}
        unknown = {item["kind"] for item in self._objects} - set(self._kinds)
        if unknown:
            raise ValueError(f"kinds that no resource is known for: {sorted(unknown)}")

    def read(self, asks: Iterable[Ask]) -> dict[str, Reading]:
        return {ask.key: scrub.reading(self._answer(ask)) for ask in asks}

    def _answer(self, ask: Ask) -> Reading:
        if ask.verb is Verb.RAW and ask.path in self._raw:
            return Reading(ask, Outcome.OK, 200, body=self._raw[ask.path])
        if ask.verb not in (Verb.LIST, Verb.GET):
            return Reading(ask, Outcome.ABSENT, 404, "the case does not hold it")
        found = [self._plain(item) for item in self._objects if self._fits(item, ask)]
        if ask.verb is Verb.LIST:
            return Reading(ask, Outcome.OK, 200, body=scrub.objects(ask, found))
        return Reading(ask, Outcome.OK, 200, body=found[0]) if found else Reading(ask, Outcome.ABSENT, 404, "not found")

    def _fits(self, item: Json, ask: Ask) -> bool:
        return (
            self._kinds[item["kind"]] == ask.resource
            and ask.namespace in (None, namespace_of(item))
            and ask.name in (None, name_of(item))
            and matches(ask.selector, labels_of(item))
        )

    def _plain(self, item: Json) -> Json:
        """An entry of a list: without kind and apiVersion, as API servers send it; a copy, for it will be scrubbed."""
        copy: Json = yaml.safe_load(yaml.safe_dump(item))
        return {key: value for key, value in copy.items() if key not in ("kind", "apiVersion")}


def objects(case: Mapping[str, Any]) -> Iterator[Json]:
    """Every object of a case, spelt out."""
    made = format_time(case["now"] - timedelta(days=case.get("days", 3)))
    for spelt in (
        *(_node(entry) for entry in case["nodes"]),
        *(_heartbeat(entry, case["now"]) for entry in case["nodes"]),
        *(_pod(entry) for entry in case["pods"]),
        *(_workload(entry) for entry in case["workloads"]),
        *_replicasets(case["pods"]),
        *(_lease(entry, case["now"]) for entry in case["leases"]),
        *case["objects"],
    ):
        metadata = spelt["metadata"]
        metadata.setdefault("creationTimestamp", made)
        metadata.setdefault("uid", _uid(spelt["kind"], metadata.get("namespace", ""), metadata["name"]))
        yield spelt


def _uid(kind: str, namespace: str, name: str) -> str:
    return f"{kind}-{namespace}-{name}".lower()


def _controlled_by(kind: str, name: str) -> list[Json]:
    """The owner references of an object of kube-system with this controller."""
    resource = next(one for one in KNOWN if one.kind == kind)
    uid = _uid(kind, SYSTEM if resource.namespaced else "", name)
    return [{"apiVersion": resource.api_version, "kind": kind, "name": name, "uid": uid, "controller": True}]


def _node(entry: Mapping[str, Any]) -> Json:
    name = entry["name"]
    own = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    conditions = [
        {"type": type_, "status": "False", "reason": reason}
        for type_, reason in (
            ("MemoryPressure", "KubeletHasSufficientMemory"),
            ("DiskPressure", "KubeletHasNoDiskPressure"),
            ("PIDPressure", "KubeletHasSufficientPID"),
        )
    ]
    room = {"cpu": "2", "memory": "8000000Ki", "pods": str(entry.get("max_pods", 110))}
    return {
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {**own, **entry.get("labels", {})},
            "annotations": entry.get("annotations", {}),
        },
        "spec": entry.get("spec", {}),
        "status": {
            "addresses": entry["addresses"],
            "conditions": [*conditions, {"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            "capacity": room,
            "allocatable": room,
            "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64", **entry["info"]},
        },
    }


def _heartbeat(entry: Mapping[str, Any], now: datetime) -> Json:
    held = {"name": entry["name"], "namespace": "kube-node-lease", "holder": entry["name"], "age": 4, "duration": 40}
    return _lease(held, now)


def _lease(entry: Mapping[str, Any], now: datetime) -> Json:
    return {
        "kind": "Lease",
        "metadata": {
            "name": entry["name"],
            "namespace": entry.get("namespace", SYSTEM),
            "labels": entry.get("labels", {}),
        },
        "spec": {
            "holderIdentity": entry["holder"],
            "leaseDurationSeconds": entry.get("duration", 15),
            "renewTime": _ago(now, entry.get("age", 1)),
        },
    }


def _pod(entry: Mapping[str, Any]) -> Json:
    name, container = entry["name"], entry.get("container", entry["name"])
    static = entry.get("static", False)
    kind, _, owner = ("Node", "", entry["node"]) if static else entry.get("owner", "").partition("/")
    marks = {"kubernetes.io/config.mirror": "00", "kubernetes.io/config.source": "file"} if static else {}
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": SYSTEM,
            "labels": entry.get("labels", {}),
            "annotations": marks,
            "ownerReferences": _controlled_by(kind, owner) if kind else [],
        },
        "spec": {
            "nodeName": entry["node"],
            "hostNetwork": entry.get("host", False),
            "containers": [{"name": container, "image": entry["image"], "command": entry.get("command", [])}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {"name": container, "image": entry["image"], "ready": True, "restartCount": 0, "state": {"running": {}}}
            ],
        },
    }


def _replicasets(pods: Sequence[Mapping[str, Any]]) -> Iterator[Json]:
    """The ReplicaSets that pods name as their owners, each of the Deployment after which it is named."""
    owned: dict[str, list[Mapping[str, Any]]] = {}
    for entry in pods:
        kind, _, name = entry.get("owner", "").partition("/")
        if kind == "ReplicaSet":
            owned.setdefault(name, []).append(entry)
    for name, those in owned.items():
        labels, count = those[0].get("labels", {}), len(those)
        container = {"name": those[0].get("container", those[0]["name"]), "image": those[0]["image"]}
        yield {
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": SYSTEM,
                "labels": labels,
                "annotations": {"deployment.kubernetes.io/revision": "1"},
                "ownerReferences": _controlled_by("Deployment", name.rpartition("-")[0]),
            },
            "spec": {
                "replicas": count,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
            "status": {"replicas": count, "readyReplicas": count, "availableReplicas": count},
        }


def _workload(entry: Mapping[str, Any]) -> Json:
    """A Deployment or DaemonSet all of whose pods are ready."""
    count = entry["pods"]
    spec: Json = {
        "template": {
            "metadata": {"labels": entry.get("labels", {})},
            "spec": {
                "containers": [
                    {"name": name, "image": image, "args": entry.get("args", [])}
                    for name, image in entry["containers"].items()
                ]
            },
        }
    }
    daemonset = entry["kind"] == "DaemonSet"
    status = (
        {"numberReady": count, "desiredNumberScheduled": count, "updatedNumberScheduled": count}
        if daemonset
        else {"replicas": count, "readyReplicas": count, "availableReplicas": count, "updatedReplicas": count}
    )
    return {
        "kind": entry["kind"],
        "metadata": {"name": entry["name"], "namespace": SYSTEM, "labels": entry.get("labels", {})},
        "spec": spec if daemonset else {**spec, "replicas": count},
        "status": status,
    }


def _ago(now: datetime, seconds: float) -> str:
    return (now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def load(path: Path) -> Json:
    """A case's source, its times worked out."""
    text = path.read_text(encoding="utf-8")
    now = parse_time(next(line.split(": ", 1)[1].strip() for line in text.splitlines() if line.startswith("now: ")))
    if now is None:
        raise ValueError(f"{path.name} has no `now`")

    class Loader(yaml.SafeLoader):
        """Knows `!ago` beside YAML's own."""

    Loader.add_constructor("!ago", lambda _, node: _ago(now, float(node.value)))
    case: Json = yaml.load(text, Loader)  # noqa: S506 - a SafeLoader with one more tag
    empty: Json = {"pods": [], "workloads": [], "leases": [], "objects": [], "raw": {}}
    return {**empty, **case, "now": now}


def build(name: str, target: Path = TARGET) -> Path:
    """Writes one case's recording, as `snapshot save` would."""
    path = target / f"{name}.kcr"
    recording.save(everything.read(Session(CaseSource(load(CASES / f"{name}.yaml")))), path)
    path.chmod(0o644)  # nothing in it is of a real cluster
    return path


def names() -> list[str]:
    return sorted(path.stem for path in CASES.glob("*.yaml"))


if __name__ == "__main__":
    for each in names():
        print(f"{build(each).name} from tools/cases/{each}.yaml")
