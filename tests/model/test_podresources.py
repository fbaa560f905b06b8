from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kcompanion.model.podresources import add_up, is_running, limits, percent, requests, shown


def container(cpu: str = "", memory: str = "", **more: Any) -> dict[str, Any]:
    listed = {k: v for k, v in {"cpu": cpu, "memory": memory}.items() if v}
    return {"resources": {"requests": listed, "limits": listed}, **more}


def cpu(*containers: Any, init: tuple[Any, ...] = (), **spec: Any) -> Decimal | None:
    pod = {"spec": {"containers": list(containers), "initContainers": list(init), **spec}}
    return requests(pod).get("cpu")


SIDECAR = container("100m", restartPolicy="Always")


def test_containers_add_up() -> None:
    assert cpu(container("100m"), container("1")) == Decimal("1.1")


def test_an_init_container_counts_only_if_it_needs_more_than_all_containers() -> None:
    assert cpu(container("100m"), init=(container("50m"),)) == Decimal("0.1")
    assert cpu(container("100m"), init=(container("2"), container("1"))) == Decimal(2)


def test_sidecars_add_to_containers_and_to_the_init_containers_after_them() -> None:
    assert cpu(container("100m"), init=(SIDECAR,)) == Decimal("0.2")
    assert cpu(container("100m"), init=(SIDECAR, container("1"))) == Decimal("1.1")
    assert cpu(container("100m"), init=(container("1"), SIDECAR)) == Decimal(1)


def test_pod_level_resources_take_the_place_of_the_sum() -> None:
    assert cpu(container("100m"), resources={"requests": {"cpu": "3"}}) == Decimal(3)


def test_overhead_comes_on_top_and_for_limits_only_where_there_is_one() -> None:
    pod = {
        "spec": {
            "containers": [{"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}],
            "overhead": {"cpu": "250m", "memory": "120Mi"},
        }
    }
    assert requests(pod) == {"cpu": Decimal("1.25"), "memory": Decimal(120 << 20)}
    assert limits(pod) == {"memory": Decimal((1 << 30) + (120 << 20))}


def test_what_is_no_quantity_is_passed_over() -> None:
    assert cpu(container("lots"), container("1")) == Decimal(1)


@pytest.mark.parametrize(
    ("phase", "counts"), [("Running", True), ("Pending", True), ("Succeeded", False), ("Failed", False)]
)
def test_only_pods_that_have_not_ended_hold_room(phase: str, counts: bool) -> None:
    assert is_running({"status": {"phase": phase}}) is counts


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [
        ("cpu", "0.86", "860m"),
        ("cpu", "2", "2"),
        ("memory", str(260 << 20), "260Mi"),
        ("memory", str(24684092 << 10), "24684092Ki"),
        ("memory", "1000", "1000"),
        ("memory", "0", "0"),
        ("nvidia.com/gpu", "1024", "1024"),
    ],
)
def test_amounts_are_spelt_as_kubectl_spells_them(resource: str, amount: str, text: str) -> None:
    assert shown(resource, Decimal(amount)) == text


def test_percent_is_cut_off_and_of_nothing_there_is_none() -> None:
    assert percent(Decimal("0.859"), Decimal(2)) == 42
    assert percent(Decimal(1), Decimal(0)) is None


def test_sums_by_resource() -> None:
    assert add_up([{"cpu": Decimal(1)}, {"cpu": Decimal(2), "memory": Decimal(3)}]) == {
        "cpu": Decimal(3),
        "memory": Decimal(3),
    }
