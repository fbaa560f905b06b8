"""A large cluster made up from a small recorded one: 200 nodes and 5,000 pods, some of them failing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kcompanion.cli.context import recording_path
from kcompanion.cluster import recording
from kcompanion.model.ask import Reading
from kcompanion.model.snapshot import Snapshot

PER_OWNER = 25
SPACES = 60


def big(nodes: int = 200, pods: int = 5000, *, failing: int = 40) -> Snapshot:
    """The recorded cluster with many more workers, Deployments of 25 pods each, and a Service for each.

    Every `failing`-th pod waits for an image that cannot be pulled. Synthetic: it was never a cluster.
    """
    snapshot = recording.load(recording_path("demo:three-nodes"))
    lists = {r.ask.resource.plural: r for r in snapshot.readings.values() if r.ask.resource and _whole(r)}
    worker = next(n for n in lists["nodes"].body if n["metadata"]["name"] == "kcompanion-worker")
    lease = next(n for n in lists["leases"].body if n["metadata"]["name"] == "kcompanion-worker")
    more: dict[str, list[Any]] = {name: [] for name in ("nodes", "leases", "pods", "deployments", "replicasets",
                                                        "services", "endpointslices", "namespaces")}  # fmt: skip
    names = [f"worker-{number:03}" for number in range(nodes)]
    more["nodes"] = [_named(worker, name) for name in names]
    more["leases"] = [_named(lease, name) for name in names]
    more["namespaces"] = [_named(lists["namespaces"].body[0], f"team-{n:02}") for n in range(SPACES)]
    parts = _Templates(lists)
    for number in range(pods // PER_OWNER):
        _app(number, parts, names, more, failing)
    return Snapshot(
        snapshot.now,
        snapshot.origin,
        {key: _longer(reading, more) for key, reading in snapshot.readings.items()},
    )


def _whole(reading: Reading) -> bool:
    return isinstance(reading.body, list) and reading.ask.namespace is None and not reading.ask.metadata_only


def _longer(reading: Reading, more: dict[str, list[Any]]) -> Reading:
    added = more.get(reading.ask.resource.plural, []) if reading.ask.resource and _whole(reading) else []
    if not added:
        return reading
    return Reading(reading.ask, reading.outcome, reading.status, reading.detail, [*reading.body, *added])


class _Templates:
    """Objects of the recording to copy."""

    def __init__(self, lists: dict[str, Reading]) -> None:
        def first(plural: str, name: str) -> Any:
            return next(one for one in lists[plural].body if one["metadata"]["name"].startswith(name))

        self.deployment = first("deployments", "coredns")
        self.replicaset = first("replicasets", "coredns")
        self.pod = deepcopy(first("pods", "coredns"))
        for one in self.pod["status"].get("containerStatuses", []):  # the lab restarts; nobody's large cluster does
            one.update(restartCount=0, lastState={})
        self.service = first("services", "kube-dns")
        self.slice = first("endpointslices", "kube-dns")


def _named(item: Any, name: str, namespace: str = "", owner: Any = None, **labels: str) -> Any:
    made = deepcopy(item)
    metadata = made["metadata"]
    metadata.pop("managedFields", None)
    metadata.pop("ownerReferences", None)
    metadata.update(name=name, uid=f"uid-{item['metadata'].get('uid', '')}-{namespace}-{name}")
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = labels
    if owner is not None:
        kind = "Deployment" if "strategy" in owner["spec"] else "ReplicaSet"
        metadata["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": kind, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
             "controller": True, "blockOwnerDeletion": True}
        ]  # fmt: skip
    return made


def _app(number: int, parts: _Templates, nodes: list[str], more: dict[str, list[Any]], failing: int) -> None:
    space, name = f"team-{number % SPACES:02}", f"app-{number:03}"
    labels = {"app": name}
    deployment = _named(parts.deployment, name, space, **labels)
    replicaset = _named(parts.replicaset, f"{name}-7d9", space, deployment, **labels)
    for one in (deployment, replicaset):
        one["spec"]["replicas"] = PER_OWNER
        one["spec"]["selector"] = {"matchLabels": labels}
        one["spec"]["template"]["metadata"]["labels"] = labels
        one["status"].update(replicas=PER_OWNER, readyReplicas=PER_OWNER, availableReplicas=PER_OWNER)
    service = _named(parts.service, name, space, **labels)
    service["spec"]["selector"] = labels
    slices = _named(parts.slice, f"{name}-x", space, **{"kubernetes.io/service-name": name})
    slices["endpoints"] = []
    for index in range(PER_OWNER):
        whole = number * PER_OWNER + index
        pod = _named(parts.pod, f"{name}-7d9-{index:02}", space, replicaset, **labels)
        pod["spec"]["nodeName"] = nodes[whole % len(nodes)]
        if failing and whole % failing == 0:
            _cannot_pull(pod)
        slices["endpoints"].append(
            {"addresses": [f"10.{whole // 60000}.{whole // 250 % 250}.{whole % 250}"],
             "conditions": {"ready": not (failing and whole % failing == 0)},
             "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": space}}
        )  # fmt: skip
        more["pods"].append(pod)
    more["deployments"].append(deployment)
    more["replicasets"].append(replicaset)
    more["services"].append(service)
    more["endpointslices"].append(slices)


def _cannot_pull(pod: Any) -> None:
    pod["status"]["phase"] = "Pending"
    for one in pod["status"].get("containerStatuses", []):
        one.update(ready=False, started=False)
        one["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    for condition in pod["status"].get("conditions", []):
        if condition["type"] in ("Ready", "ContainersReady"):
            condition["status"] = "False"
