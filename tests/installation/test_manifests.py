"""The shipped manifests: hardened, in order, and with no more rights than the built-in controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kcompanion.installation import manifests as shipped
from kcompanion.installation.kustomize import render
from kcompanion.reconcile.target import BUILT_IN, COMPANION, TARGETS

BOTH = pytest.mark.parametrize("name", TARGETS)
HELD_BY_THE_BUILT_IN = {
    "pods": {"create", "delete", "list", "patch", "watch"},
    "events": {"create", "patch", "update"},
    "replicasets": {"get", "list", "update", "watch"},
    "replicasets/finalizers": {"update"},
    "replicasets/status": {"update"},
}


def pod_of(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = shipped.workload(shipped.manifests(TARGETS[name]))["spec"]["template"]["spec"]
    return spec


@BOTH
def test_what_others_need_comes_first(name: str) -> None:
    kinds = [item["kind"] for item in shipped.manifests(TARGETS[name])]
    assert kinds.index("ServiceAccount") < kinds.index("ClusterRoleBinding") < len(kinds) - 1
    assert kinds[:2] == ["Namespace", "CustomResourceDefinition"] or name == BUILT_IN.name


@BOTH
def test_the_pod_meets_the_restricted_standard(name: str) -> None:
    pod = pod_of(name)
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "volumes"} & set(pod)


@BOTH
def test_rights_are_those_of_the_built_in_controller(name: str) -> None:
    [role] = [item for item in shipped.manifests(TARGETS[name]) if item["kind"] == "ClusterRole"]
    for rule in role["rules"]:
        for resource in rule["resources"]:
            held = HELD_BY_THE_BUILT_IN[resource.replace("companionreplicasets", "replicasets")]
            assert set(rule["verbs"]) <= held, resource
            assert "update" not in rule["verbs"] or "/" in resource, "the main resource is never written"


@BOTH
def test_everything_can_be_told_to_be_ours(name: str) -> None:
    label, value = shipped.PART_OF
    assert {item["metadata"]["labels"][label] for item in shipped.manifests(TARGETS[name])} == {value}


def test_standing_in_needs_no_replicaset_controller_to_start() -> None:
    workload = shipped.workload(shipped.manifests(BUILT_IN))
    assert (workload["kind"], workload["metadata"]["namespace"]) == ("DaemonSet", "kube-system")
    assert "--target=replicasets.apps" in workload["spec"]["template"]["spec"]["containers"][0]["args"]


def test_both_can_be_installed_side_by_side() -> None:
    def names(name: str) -> set[tuple[str, str | None, str]]:
        return {
            (item["kind"], shipped.namespace_of(item), item["metadata"]["name"])
            for item in shipped.manifests(TARGETS[name])
        }

    assert not names(COMPANION.name) & names(BUILT_IN.name)


def test_each_target_has_its_own_lease() -> None:
    for target in TARGETS.values():
        [role] = [item for item in shipped.manifests(target) if item["kind"] == "Role"]
        assert role["rules"][1]["resourceNames"] == [shipped.lease_of(target)]


def test_another_image() -> None:
    assert (
        shipped.image_of(shipped.manifests(COMPANION, "registry.example/op@sha256:1")) == "registry.example/op@sha256:1"
    )
    assert shipped.image_of(shipped.manifests(COMPANION)).startswith("kcompanion.dev/operator:")


def test_what_is_not_known_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\ngenerators: []\n")
    with pytest.raises(ValueError, match="generators is not supported"):
        render(tmp_path, ".")
    (tmp_path / "a.yaml").write_text("kind: Pod\nmetadata: {name: x}\n")
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [a.yaml]\npatches:\n- target: {kind: Pod, name: x}\n  patch: '[{op: move, path: /a/b}]'\n"
    )
    with pytest.raises((ValueError, KeyError)):
        render(tmp_path, ".")
