"""Relations are found from both of their ends, and nothing is read but what the kinds asked for need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import kcompanion
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.ownership.relations import KINDS, related
from kcompanion.ownership.ties import Relation, Tie
from kcompanion.report.tree_relations import ENDS, blocks, bounded
from tests.ownership.build import NOW, Json, controller, entity, pod, thing, world

SPEC: Json = {
    "serviceAccountName": "sa",
    "containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}]}],
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    "imagePullSecrets": [{"name": "registry"}],
}
POD = pod("p", labels={"app": "x"}, spec=SPEC)
STRANGER = pod("stranger", labels={"app": "y"})
CLAIM = thing("PersistentVolumeClaim", "data", spec={"volumeName": "pv", "storageClassName": "fast"})
VOLUME = thing("PersistentVolume", "pv", spec={"claimRef": {"namespace": "shop", "name": "data"}})
CLASS = thing("StorageClass", "fast")
SETTINGS, KEYS, REGISTRY = thing("ConfigMap", "settings"), thing("Secret", "keys"), thing("Secret", "registry")
ACCOUNT, ROLE = thing("ServiceAccount", "sa"), thing("ClusterRole", "view")
BINDING = thing(
    "RoleBinding",
    "b",
    subjects=[{"kind": "ServiceAccount", "name": "sa", "namespace": "shop"}],
    roleRef={"kind": "ClusterRole", "name": "view"},
)
SERVICE = thing("Service", "web", spec={"selector": {"app": "x"}})
PATH = {"path": "/cart", "backend": {"service": {"name": "web"}}}
INGRESS = thing("Ingress", "door", spec={"rules": [{"host": "shop.test", "http": {"paths": [PATH]}}]})
WORKLOAD = controller("Deployment", "web", {"app": "x"})
AIM = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
SCALER = thing("HorizontalPodAutoscaler", "web", spec={"scaleTargetRef": AIM, "maxReplicas": 5})
BUDGET = thing("PodDisruptionBudget", "web", spec={"selector": {"matchLabels": {"app": "x"}}})
OWNERLESS = controller("ReplicaSet", "takes", {"app": "x"})
# fmt: off
OBJECTS = (
    POD, STRANGER, CLAIM, VOLUME, CLASS, SETTINGS, KEYS, REGISTRY, ACCOUNT, ROLE, BINDING,
    SERVICE, INGRESS, WORKLOAD, SCALER, BUDGET, OWNERLESS,
)
# fmt: on
CLUSTER = world(*OBJECTS)


def edges(asked: Json, *kinds: str, here: World = CLUSTER) -> set[tuple[str, str, str]]:
    found, gaps = related(kinds, [entity(asked)], here)
    assert gaps == ()
    return {(edge.tie.value, edge.source.name, edge.target.name) for edge in found}


@pytest.mark.parametrize(
    ("kind", "edge", "ends"),
    [
        ("services", ("serves", "web", "p"), [POD, SERVICE, INGRESS]),
        ("services", ("routes", "door", "web"), [POD, SERVICE, INGRESS]),
        ("volumes", ("claim", "p", "data"), [POD, CLAIM, VOLUME, CLASS]),
        ("volumes", ("bound", "data", "pv"), [POD, CLAIM, VOLUME]),
        ("volumes", ("class", "data", "fast"), [POD, CLAIM, CLASS]),
        ("config", ("env", "p", "settings"), [POD, SETTINGS]),
        ("config", ("env", "p", "keys"), [POD, KEYS]),
        ("config", ("pulls", "p", "registry"), [POD, REGISTRY]),
        ("rbac", ("runsAs", "p", "sa"), [POD, ACCOUNT]),
        ("rbac", ("binds", "b", "sa"), [POD, ACCOUNT, BINDING, ROLE]),
        ("rbac", ("grants", "b", "view"), [POD, ACCOUNT, BINDING, ROLE]),
        ("hpa", ("scales", "web", "web"), [WORKLOAD, SCALER]),
        ("pdb", ("guards", "web", "p"), [POD, BUDGET]),
        ("selectors", ("selects", "takes", "p"), [POD, OWNERLESS]),
    ],
)
def test_a_relation_is_seen_from_both_ends(kind: str, edge: tuple[str, str, str], ends: list[Json]) -> None:
    for asked in ends:
        assert edge in edges(asked, kind), asked["kind"]
    for asked in (STRANGER, thing("ConfigMap", "other"), thing("Service", "none")):
        assert edge not in edges(asked, kind)


def test_nothing_is_related_to_what_nobody_names() -> None:
    assert edges(thing("ConfigMap", "other"), *KINDS) == set()


def test_another_kind_of_the_same_name_is_no_service() -> None:
    knative = entity(thing("Widget", "web"))
    found, _ = related(("services",), [knative], CLUSTER)
    assert found == ()


def test_an_empty_budget_guards_every_pod_and_an_empty_service_serves_none() -> None:
    budget, service = thing("PodDisruptionBudget", "all", spec={"selector": {}}), thing("Service", "ext", spec={})
    here = world(POD, STRANGER, budget, service)
    assert {target for _, _, target in edges(budget, "pdb", here=here)} == {"p", "stranger"}
    assert edges(service, "services", here=here) == set()


@pytest.mark.parametrize(
    ("kind", "asked", "wanted"),
    [
        ("config", SETTINGS, ["list pods"]),
        ("config", WORKLOAD, []),
        ("config", POD, ["get configmaps", "get secrets", "get secrets"]),
        ("services", SERVICE, ["list pods", "list ingresses.networking.k8s.io"]),
        ("services", POD, ["list services"]),
        ("volumes", SETTINGS, []),
        ("pdb", BUDGET, ["list pods"]),
        ("hpa", SCALER, ["get deployments.apps"]),
    ],
)
def test_only_what_a_kind_needs_is_read(kind: str, asked: Json, wanted: list[str]) -> None:
    here = World(Snapshot(NOW))
    related((kind,), [entity(asked)], here)
    assert sorted(" ".join(ask.right) for ask in here.wanted.values()) == sorted(wanted)


def test_an_end_that_may_not_be_looked_up_is_a_gap_and_no_missing_one() -> None:
    here = world(POD, missing={r.CONFIGMAPS: Outcome.FORBIDDEN})
    found, gaps = related(("config",), [entity(POD)], here)
    assert [gap.resource for gap in gaps] == ["configmaps"]
    assert {edge.target.name: edge.exists for edge in found} == {"settings": None, "keys": False, "registry": False}


def test_very_many_users_are_counted_and_a_missing_end_is_never_hidden() -> None:
    pods = [pod(f"p{number:03}", spec=SPEC) for number in range(200)]
    found, _ = related(("config",), [entity(SETTINGS)], world(SETTINGS, *pods))
    inside = {entity(SETTINGS).ref}
    shown, (rest,) = bounded(found, inside)
    assert (len(found), len(shown), rest.count, rest.at_source) == (200, ENDS, 190, True)
    (table,) = blocks(found, inside, every=False)
    (wide,) = blocks(found, inside, every=True)
    assert [len(getattr(one, "rows", ())) for one in (table, wide)] == [ENDS + 1, 200]
    user = entity(POD).ref
    gone = [Relation(Tie.ENV, user, entity(thing("Secret", f"s{n}")).ref, "", False) for n in range(50)]
    assert len(bounded(gone, {user})[0]) == 50


def test_the_schema_knows_every_tie() -> None:
    schema = json.loads((Path(kcompanion.__file__).parent / "schemas" / "Tree.json").read_text())
    known = next(iter(_enums(schema, "tie")))
    assert set(known) == {tie.value for tie in Tie}


def _enums(schema: object, name: str) -> Iterator[list[str]]:
    if isinstance(schema, dict):
        found = schema.get(name)
        if isinstance(found, dict) and "enum" in found:
            yield found["enum"]
        for value in schema.values():
            yield from _enums(value, name)
    elif isinstance(schema, list):
        for value in schema:
            yield from _enums(value, name)
