"""The predicates about volumes: claims, volumes, zones, single users, attach limits."""

from typing import Any

import pytest

from tests.scheduling.build import fitting, kinds, node, pod

A = node("a", {"host": "a", "topology.kubernetes.io/zone": "north"})
B = node("b", {"host": "b", "topology.kubernetes.io/zone": "south"})


def mounting(*claims: str, **more: Any) -> dict[str, Any]:
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    return pod(**more, volumes=volumes)


def claim(
    name: str, volume: str = "", class_: str = "fast", modes: tuple[str, ...] = ("ReadWriteOnce",), **more: Any
) -> Any:
    bound = {"pv.kubernetes.io/bind-completed": "yes"} if volume else {}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {**bound, **more.pop("annotations", {})},
            **more,
        },
        "spec": {
            "volumeName": volume,
            "storageClassName": class_,
            "accessModes": list(modes),
            "resources": {"requests": {"storage": "1Gi"}},
        },
        "status": {"phase": "Bound" if volume else "Pending"},
    }


def volume(
    name: str, host: str = "", size: str = "1Gi", phase: str = "Available", labels: Any = None, **spec: Any
) -> Any:
    terms = [{"matchExpressions": [{"key": "host", "operator": "In", "values": [host]}]}]
    affinity = {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}} if host else {}
    basics = {"storageClassName": "fast", "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"]}
    return {
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {**basics, **affinity, **spec},
        "status": {"phase": phase},
    }


def class_(
    name: str = "fast", provisioner: str = "csi.example.com", mode: str = "WaitForFirstConsumer", **more: Any
) -> Any:
    return {
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": provisioner,
        "volumeBindingMode": mode,
        **more,
    }


NONE = class_(provisioner="kubernetes.io/no-provisioner")


@pytest.mark.parametrize(
    ("objects", "kind"),
    [
        ((), "claim_missing"),
        ((claim("d", deletionTimestamp="2026-11-21T12:00:00Z"),), "claim_deleting"),
        ((claim("d", class_=""),), "claim_unbound"),
        ((claim("d", class_="gone"),), "claim_unbound"),
        ((claim("d"), class_(mode="Immediate")), "claim_unbound"),
        ((claim("d", "gone"),), "volume_missing"),
    ],
)
def test_claims_that_keep_the_pod_off_every_node(objects: tuple[Any, ...], kind: str) -> None:
    found = kinds(mounting("d"), A, B, *objects, predicate="VolumeBinding")
    assert found == {"a": [kind], "b": [kind]}


def test_an_ephemeral_volume_waits_for_its_claim() -> None:
    waiting = pod(volumes=[{"name": "v", "ephemeral": {}}])
    assert kinds(waiting, A, predicate="VolumeBinding") == {"a": ["claim_awaited"]}
    assert kinds(waiting, A, claim("p-v", "pv"), volume("pv"), predicate="VolumeBinding") == {"a": []}


@pytest.mark.parametrize(
    ("objects", "fits"),
    [
        ((claim("d", "pv"), volume("pv", "a")), {"a"}),
        ((claim("d", "pv"), volume("pv")), {"a", "b"}),
        ((claim("d"), class_()), {"a", "b"}),
        ((claim("d"), NONE), set()),
        ((claim("d"), NONE, volume("pv", "b")), {"b"}),
        ((claim("d"), NONE, volume("pv", "b", size="1Mi")), set()),
        ((claim("d"), NONE, volume("pv", "b", phase="Released")), set()),
        ((claim("d"), NONE, volume("pv", "b", claimRef={"name": "other", "namespace": "default"})), set()),
        ((claim("d"), NONE, volume("pv", "b", phase="Bound", claimRef={"name": "d", "namespace": "default"})), {"b"}),
        ((claim("d", modes=("ReadWriteMany",)), NONE, volume("pv", "b")), set()),
        ((claim("d", annotations={"volume.kubernetes.io/selected-node": "a"}), class_()), {"a"}),
    ],
)
def test_where_a_volume_can_be_had(objects: tuple[Any, ...], fits: set[str]) -> None:
    assert fitting(mounting("d"), A, B, *objects, predicate="VolumeBinding") == fits


def test_two_claims_need_two_volumes() -> None:
    objects = (claim("d"), claim("e"), NONE, volume("pv", "a"), volume("pv2", "b"), volume("pv3", "b"))
    assert fitting(mounting("d", "e"), A, B, *objects, predicate="VolumeBinding") == {"b"}


def test_allowed_topologies() -> None:
    terms = [{"matchLabelExpressions": [{"key": "host", "values": ["b"]}]}]
    assert fitting(mounting("d"), A, B, claim("d"), class_(allowedTopologies=terms), predicate="VolumeBinding") == {"b"}


@pytest.mark.parametrize(("told", "fits"), [("5Gi", {"b"}), ("1Mi", set())])
def test_free_storage(told: str, fits: set[str]) -> None:
    driver = {"kind": "CSIDriver", "metadata": {"name": "csi.example.com"}, "spec": {"storageCapacity": True}}
    pool = {
        "kind": "CSIStorageCapacity",
        "metadata": {"name": "pool", "namespace": "kube-system"},
        "storageClassName": "fast",
        "capacity": told,
        "nodeTopology": {"matchLabels": {"host": "b"}},
    }
    assert fitting(mounting("d"), A, B, claim("d"), class_(), driver, pool, predicate="VolumeBinding") == fits


@pytest.mark.parametrize(
    ("labels", "fits"),
    [
        ({"topology.kubernetes.io/zone": "north"}, {"a", "plain"}),
        ({"failure-domain.beta.kubernetes.io/zone": "south"}, {"b", "plain"}),
        ({"topology.kubernetes.io/zone": "north__south"}, {"a", "b", "plain"}),
        ({"topology.kubernetes.io/zone": "east"}, {"plain"}),
        ({}, {"a", "b", "plain"}),
    ],
)
def test_zones(labels: dict[str, str], fits: set[str]) -> None:
    objects = (A, B, node("plain"), claim("d", "pv"), volume("pv", labels=labels))
    assert fitting(mounting("d"), *objects, predicate="VolumeZone") == fits


def test_one_pod_only() -> None:
    single = claim("d", "pv", modes=("ReadWriteOncePod",))
    other = mounting("d", name="other", on="b")
    assert fitting(mounting("d"), A, B, single, volume("pv"), other, predicate="VolumeRestrictions") == set()
    assert fitting(mounting("d"), A, B, claim("d", "pv"), volume("pv"), other, predicate="VolumeRestrictions") == {
        "a",
        "b",
    }
    assert fitting(other, A, B, single, volume("pv"), predicate="VolumeRestrictions") == {"a", "b"}


@pytest.mark.parametrize(("read_only", "fits"), [(True, {"a", "b"}), (False, {"b"})])
def test_disks_of_a_cloud(read_only: bool, fits: set[str]) -> None:
    disks = [{"name": "d", "gcePersistentDisk": {"pdName": "disk-1", "readOnly": read_only}}]
    found = fitting(pod(volumes=disks), A, B, pod("other", on="a", volumes=disks), predicate="VolumeRestrictions")
    assert found == fits


def on_csi(name: str) -> Any:
    return volume(name, csi={"driver": "csi.example.com", "volumeHandle": name})


@pytest.mark.parametrize(("limit", "fits"), [(1, set()), (2, {"a"}), (None, {"a"})])
def test_attach_limit(limit: int | None, fits: set[str]) -> None:
    allocatable = {} if limit is None else {"allocatable": {"count": limit}}
    driver = {"name": "csi.example.com", "nodeID": "a", **allocatable}
    csi_node = {"kind": "CSINode", "metadata": {"name": "a"}, "spec": {"drivers": [driver]}}
    other = mounting("e", name="other", on="a")
    objects = (A, csi_node, claim("d", "pv-d"), claim("e", "pv-e"), on_csi("pv-d"), on_csi("pv-e"), other)
    assert fitting(mounting("d"), *objects, predicate="NodeVolumeLimits") == fits


def test_a_volume_that_is_there_already_counts_once() -> None:
    driver = {"name": "csi.example.com", "nodeID": "a", "allocatable": {"count": 1}}
    csi_node = {"kind": "CSINode", "metadata": {"name": "a"}, "spec": {"drivers": [driver]}}
    other = mounting("d", name="other", on="a")
    objects = (A, csi_node, claim("d", "pv-d"), on_csi("pv-d"), other)
    assert fitting(mounting("d"), *objects, predicate="NodeVolumeLimits") == {"a"}


def test_declared_features() -> None:
    rules = [{"action": "RestartAllContainers"}]
    asking = pod()
    asking["spec"]["containers"][0]["restartPolicyRules"] = rules
    able = node("able")
    able["status"]["declaredFeatures"] = ["RestartAllContainersOnContainerExits"]
    assert fitting(asking, A, able, predicate="NodeDeclaredFeatures") == {"able"}
    assert fitting(pod(), A, able, predicate="NodeDeclaredFeatures") == {"a", "able"}
