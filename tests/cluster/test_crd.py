"""The CompanionReplicaSet kind as the API server enforces it: what apps/v1 refuses is refused here, with its words."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import kubectl_program

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]
CRS: dict[str, Any] = {
    "apiVersion": "kcompanion.dev/v1alpha1",
    "kind": "CompanionReplicaSet",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "example.com/web:1"}]},
        },
    },
}
BIG = {f"k{n}": "v" for n in range(65)}
TERM = {"key": "app", "operator": "In", "values": ["web"]}


def spec(**changes: Any) -> dict[str, Any]:
    """The object with other fields of its spec; `template__spec__x=1` reaches in, and None takes away."""
    made = copy.deepcopy(CRS)
    for path, value in changes.items():
        *parents, last = path.split("__")
        at = made["spec"]
        for parent in parents:
            at = at[parent]
        if value is None:
            at.pop(last)
        else:
            at[last] = value
    return made


REFUSED = {
    "no selector": (spec(selector=None), "spec.selector: Required value"),
    "empty selector": (spec(selector={}), "empty selector is invalid"),
    "empty parts": (spec(selector={"matchLabels": {}, "matchExpressions": []}), "empty selector is invalid"),
    "bad value": (spec(selector={"matchLabels": {"app": "-x"}}), "spec.selector.matchLabels.app: Invalid value"),
    "bad key": (spec(selector={"matchLabels": {"-app": "x"}}), "spec.selector.matchLabels: Invalid value"),
    "many": (spec(selector={"matchLabels": BIG}), "Too many: 65"),
    "bad operator": (spec(selector={"matchExpressions": [{**TERM, "operator": "Is"}]}), 'Unsupported value: "Is"'),
    "no values": (spec(selector={"matchExpressions": [{**TERM, "values": []}]}), "must be specified when"),
    "values": (spec(selector={"matchExpressions": [{**TERM, "operator": "Exists"}]}), "may not be specified when"),
    "another value": (spec(selector={"matchLabels": {"app": "db"}}), "`selector` does not match template `labels`"),
    "not in": (spec(selector={"matchExpressions": [{**TERM, "values": ["db"]}]}), "`selector` does not match"),
    "absent": (spec(selector={"matchExpressions": [{"key": "x", "operator": "Exists"}]}), "`selector` does not match"),
    "excluded": (spec(selector={"matchExpressions": [{**TERM, "operator": "NotIn"}]}), "`selector` does not match"),
    "there": (spec(selector={"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), "`selector` does not"),
    "no labels": (spec(template__metadata=None), "`selector` does not match template `labels`"),
    "template's label": (spec(template__metadata__labels={"app": "web", "x": "a b"}), "metadata.labels.x: Invalid"),
    "replicas": (spec(replicas=-1), "spec.replicas: Invalid value: -1"),
    "too large": (spec(replicas=2**31), "spec.replicas: Invalid value"),
    "minReadySeconds": (spec(minReadySeconds=-1), "spec.minReadySeconds: Invalid value: -1"),
    "restartPolicy": (spec(template__spec__restartPolicy="Never"), 'Unsupported value: "Never"'),
    "deadline": (spec(template__spec__activeDeadlineSeconds=5), "spec.template.spec.activeDeadlineSeconds: Forbidden"),
    "no containers": (spec(template__spec__containers=[]), "spec.template.spec.containers: Invalid value"),
}

TAKEN = {
    "plain": spec(),
    "exists": spec(selector={"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
    "in": spec(selector={"matchExpressions": [TERM, {"key": "x", "operator": "DoesNotExist"}]}),
    "not in": spec(selector={"matchExpressions": [{**TERM, "operator": "NotIn", "values": ["db"]}]}),
    "absent not in": spec(selector={"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}]}),
    "largest": spec(replicas=2**31 - 1),
}


def kubectl_says(cluster: Path, *words: str, stdin: str | None = None) -> tuple[int, str]:
    command = [kubectl_program(), "--kubeconfig", str(cluster), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, input=stdin)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def said(cluster: Path) -> str:
    """What the API server says to all of them in one process, by a dry-run, which stores nothing."""
    items = [{**item, "metadata": {"name": name_of(case)}} for case, item in TAKEN.items()]
    items += [{**item, "metadata": {"name": name_of(case)}} for case, (item, _) in REFUSED.items()]
    every = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    return kubectl_says(
        cluster, "create", "-n", "default", "--dry-run=server", "--validate=ignore", "-f", "-", stdin=every
    )[1]


def name_of(case: str) -> str:
    return "case-" + case.lower().replace(" ", "-").replace("'", "")


def about(case: str, said: str) -> str:
    return "\n".join(part for part in said.split("Error from server") if f'"{name_of(case)}"' in part)


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_replicaset_may_not_say_is_refused(said: str, case: str) -> None:
    assert REFUSED[case][1] in about(case, said)


@pytest.mark.parametrize("case", TAKEN)
def test_what_a_replicaset_may_say_is_taken(said: str, case: str) -> None:
    assert f"companionreplicaset.kcompanion.dev/{name_of(case)} created" in said


@pytest.fixture(scope="module")
def namespace(kubectl: Callable[..., str]) -> Iterator[str]:
    """One for all: each test takes its object away again."""
    name = f"test-crd-{os.getpid()}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


class TestStored:
    """One object, from its creation on. No operator touches it: replicas stay what the test writes."""

    @pytest.fixture
    def kept(self, kubectl: Callable[..., str], namespace: str) -> Iterator[Callable[..., dict[str, Any]]]:
        made = spec(replicas=0, template__spec__hostNetwork=True)
        made["spec"]["template"]["metadata"] |= {"annotations": {"a": "b"}, "finalizers": ["example.com/held"]}
        made["status"] = {"replicas": 7}
        kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(made))

        def read(*words: str) -> dict[str, Any]:
            if words:
                kubectl(*words, "-n", namespace)
            return json.loads(kubectl("get", "crs", "web", "-n", namespace, "-o", "json"))  # type: ignore[no-any-return] # JSON

        yield read
        kubectl("delete", "crs", "web", "-n", namespace)

    def test_the_template_survives_and_the_status_does_not(self, kept: Callable[..., dict[str, Any]]) -> None:
        stored = kept()
        assert stored["spec"]["template"]["metadata"] == {
            "labels": {"app": "web"}, "annotations": {"a": "b"}, "finalizers": ["example.com/held"],
        }  # fmt: skip
        assert stored["spec"]["template"]["spec"]["hostNetwork"] is True
        assert stored.get("status", {}).get("replicas", 0) == 0
        assert stored["metadata"]["generation"] == 1
        assert "finalizers" not in stored["metadata"]

    def test_the_selector_never_changes(self, cluster: Path, namespace: str, kept: Callable[..., Any]) -> None:
        kept()
        patch = '{"spec":{"selector":{"matchExpressions":[{"key":"app","operator":"Exists"}]}}}'
        code, said = kubectl_says(cluster, "patch", "crs", "web", "-n", namespace, "--type=merge", "-p", patch)
        assert code == 1
        assert "spec.selector: Invalid value" in said
        assert "field is immutable" in said

    def test_generation_follows_the_spec_alone(self, kept: Callable[..., dict[str, Any]]) -> None:
        assert kept("label", "crs/web", "x=y")["metadata"]["generation"] == 1
        patch = '{"spec":{"template":{"metadata":{"annotations":{"a":"c"}}}}}'
        assert kept("patch", "crs/web", "--type=merge", "-p", patch)["metadata"]["generation"] == 2
        status = '{"status":{"replicas":2},"spec":{"replicas":5}}'
        changed = kept("patch", "crs/web", "--type=merge", "--subresource=status", "-p", status)
        assert (changed["metadata"]["generation"], changed["spec"]["replicas"]) == (2, 0)

    @pytest.mark.parametrize(
        ("status", "told"),
        [
            ({"replicas": 1, "readyReplicas": 2}, "status.readyReplicas: Invalid value"),
            ({"replicas": 1, "fullyLabeledReplicas": 2}, "status.fullyLabeledReplicas: Invalid value"),
            ({"replicas": 1, "availableReplicas": 2, "readyReplicas": 1}, "status.availableReplicas: Invalid value"),
            ({"replicas": 2, "availableReplicas": 2, "readyReplicas": 1}, "cannot be greater than readyReplicas"),
            ({"replicas": -1}, "status.replicas: Invalid value"),
            ({"terminatingReplicas": -1}, "status.terminatingReplicas: Invalid value"),
        ],
    )
    def test_counts_have_to_agree(
        self, cluster: Path, namespace: str, kept: Callable[..., Any], status: dict[str, int], told: str
    ) -> None:
        kept()
        words = ["patch", "crs", "web", "-n", namespace, "--subresource=status", "--type=merge", "-p"]
        code, said = kubectl_says(cluster, *words, json.dumps({"status": status}))
        assert code == 1
        assert told in said

    def test_it_scales_as_everything_scales(
        self, kubectl: Callable[..., str], namespace: str, kept: Callable[..., dict[str, Any]]
    ) -> None:
        kept("patch", "crs/web", "--type=merge", "--subresource=status", "-p", '{"status":{"selector":"app=web"}}')
        path = f"/apis/kcompanion.dev/v1alpha1/namespaces/{namespace}/companionreplicasets/web/scale"
        assert json.loads(kubectl("get", "--raw", path))["status"]["selector"] == "app=web"
        assert kept("scale", "crs/web", "--replicas=0")["spec"]["replicas"] == 0

    def test_it_looks_like_a_replicaset(
        self, kubectl: Callable[..., str], namespace: str, kept: Callable[..., dict[str, Any]]
    ) -> None:
        kept()
        heads = kubectl("get", "crs", "-n", namespace, "-o", "wide").splitlines()[0].split()
        assert heads == ["NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
        assert "companionreplicaset.kcompanion.dev/web" in kubectl("get", "all", "-n", namespace, "-o", "name")
