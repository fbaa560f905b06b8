"""The model against the API server's own answers: selectors, quantities, and the columns of `kubectl get pods`."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.transport import Transport
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.selectors import matches, selector_text, selects
from tests.cluster.columns import differing

pytestmark = pytest.mark.cluster

KEYS, VALUES = ("app", "tier", "example.com/zone"), ("web", "db", "")
LABELS = [
    dict(zip(KEYS, chosen, strict=True))
    for chosen in itertools.product((*VALUES, None), repeat=2)
    for chosen in [(*chosen, None)]
]
QUANTITIES = ["0", "1", "100m", "0.1", "1.5Gi", "2e3", "1E", "12345678901", "1Ki", "0.5Mi", "1n", "250u", "7k", "1e-3"]
BAD = ["1.5.2", "1 Gi", "--1", "0x10", "1_000", "Infinity", "1KiB", "٣"]


@pytest.fixture(scope="module")
def server(cluster: Path) -> Transport:
    return Transport(connect(Target(kubeconfig=str(cluster))))


@pytest.fixture
def labelled(namespace: str, kubectl: Callable[..., str]) -> tuple[str, dict[str, dict[str, str]]]:
    """A ConfigMap for each combination of labels."""
    made = {f"c{n}": {k: v for k, v in labels.items() if v is not None} for n, labels in enumerate(LABELS)}
    items = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
        for name, labels in made.items()
    ]
    kubectl(
        "create", "-n", namespace, "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )
    return namespace, made


def expressions(dice: random.Random) -> dict[str, object]:
    """A LabelSelector at random."""
    match = {key: dice.choice(VALUES) for key in KEYS if dice.random() < 0.3}
    rows = []
    for key in KEYS:
        if dice.random() < 0.5:
            operator = dice.choice(("In", "NotIn", "Exists", "DoesNotExist"))
            values = dice.sample(VALUES, dice.randint(1, 2)) if operator in ("In", "NotIn") else []
            rows.append({"key": key, "operator": operator, **({"values": values} if values else {})})
    return {"matchLabels": match, "matchExpressions": rows}


def test_selectors_are_the_servers(server: Transport, labelled: tuple[str, dict[str, dict[str, str]]]) -> None:
    namespace, made = labelled
    dice = random.Random(4)  # noqa: S311 - which selectors are tried is no secret
    for _ in range(60):
        selector = expressions(dice)
        text = selector_text(selector)
        path = f"/api/v1/namespaces/{namespace}/configmaps?{urlencode({'labelSelector': text})}"
        answer = json.loads(server.request(path, timeout=10).body)
        theirs = {item["metadata"]["name"] for item in answer["items"]} & set(made)
        assert {name for name, labels in made.items() if matches(text, labels)} == theirs, text
        assert {name for name, labels in made.items() if selects(selector, labels)} == theirs, selector


def dry_run(server: Transport, namespace: str, quantity: str) -> tuple[int, str]:
    """The status of a pod with a volume of that size, and the size as the server spells it."""
    spec = {
        "containers": [{"name": "c", "image": "c"}],
        "volumes": [{"name": "v", "emptyDir": {"sizeLimit": quantity}}],
    }
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q"}, "spec": spec}
    path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
    answer = server.request(path, body=json.dumps(body).encode(), timeout=10)
    volumes = json.loads(answer.body).get("spec", {}).get("volumes", [{}])
    return answer.status, volumes[0].get("emptyDir", {}).get("sizeLimit", "")


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_quantities_are_the_servers(server: Transport, quantity: str) -> None:
    status, spelt = dry_run(server, "default", quantity)
    ours = parse_quantity(quantity)
    assert ours is not None
    assert status == 201
    assert parse_quantity(spelt) == ours


@pytest.mark.parametrize("quantity", BAD)
def test_what_is_no_quantity_is_none_for_both(server: Transport, quantity: str) -> None:
    assert dry_run(server, "default", quantity)[0] >= 400
    assert parse_quantity(quantity) is None


def test_columns_are_kubectls(cluster: Path) -> None:
    compared, wrong = differing(cluster)
    assert compared > 10
    assert wrong == []
