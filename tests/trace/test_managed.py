"""managedFields told as writers, and what apply means for an object."""

from __future__ import annotations

from typing import Any

from kcompanion.trace.creation import creator_of
from kcompanion.trace.managed import declared, leaves, writers


def entry(manager: str, time: str, fields: dict[str, Any], operation: str = "Update", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "time": time, "fieldsV1": fields, **more}


def item(*entries: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web", "creationTimestamp": "1", "managedFields": list(entries), **metadata}}


REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}


def test_paths_of_leaves() -> None:
    fields = {
        "f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/name": {}}},
        "f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}}, "f:replicas": {}},
        "f:list": {'v:"a"': {}},
    }
    assert list(leaves(fields)) == [
        "metadata.labels[app.kubernetes.io/name]", "spec.containers[web].image", "spec.replicas", "list[…]",
    ]  # fmt: skip


def test_writers_come_in_the_order_of_time() -> None:
    found = writers(item(entry("b", "2", REPLICAS), entry("kubelet", "1", {}), entry("c", "3", REPLICAS, "Apply")))
    assert [(w.manager, w.how) for w in found] == [("kubelet", "system"), ("b", "update"), ("c", "apply")]


def test_nobody_applied() -> None:
    assert not declared(item(entry("kubectl-create", "1", REPLICAS))).declarative


def test_what_was_written_since_the_apply() -> None:
    applied = entry("kubectl-client-side-apply", "1", {"f:spec": {"f:template": {}}})
    scaled = entry("kubectl", "2", REPLICAS, subresource="scale")
    status = entry("kube-controller-manager", "3", {"f:status": {}}, subresource="status")
    noted = entry("kube-controller-manager", "3", {"f:metadata": {"f:annotations": {}}})
    how = declared(item(applied, scaled, status, noted))
    assert how.client
    assert [w.manager for w in how.others] == ["kubectl"]
    assert how.to_json()["fieldsSince"] == ["spec.replicas"]


def test_an_autoscaler_counts_though_it_is_the_control_planes() -> None:
    applied = entry("kubectl-client-side-apply", "1", {"f:spec": {"f:template": {}}})
    scaled = entry("kube-controller-manager", "2", REPLICAS, subresource="scale")
    assert [w.manager for w in declared(item(applied, scaled)).others] == ["kube-controller-manager"]


def test_fields_that_two_own() -> None:
    how = declared(item(entry("me", "1", REPLICAS, "Apply"), entry("kubectl", "2", REPLICAS)))
    assert how.shared == ("spec.replicas",)


def test_the_creator_wrote_the_spec_in_the_second_of_the_creation() -> None:
    assert creator_of(item(entry("kubectl-run", "1", REPLICAS))).actor == "kubectl run"
    assert creator_of(item(entry("kubectl-client-side-apply", "1", REPLICAS))).actor == "kubectl apply"
    # the API server stamps managedFields before the object: a second may end between them
    assert creator_of(item(entry("kubectl-client-side-apply", "0", REPLICAS))).actor == "kubectl apply"
    assert creator_of(item(entry("kubectl-edit", "2", REPLICAS))).actor == "?"
    assert creator_of(item(entry("kubectl-edit", "", REPLICAS))).actor == "?"
    assert creator_of(item()).told.id == "trace.created.unknown"
