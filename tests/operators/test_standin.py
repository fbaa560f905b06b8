from __future__ import annotations

from typing import Any

import pytest

from operators.replicaset.standin import judged


def manager(*flags: str, name: str = "kube-controller-manager-node-1") -> dict[str, Any]:
    container = {"name": "kube-controller-manager", "command": ["kube-controller-manager", *flags]}
    labels = {"component": "kube-controller-manager", "tier": "control-plane"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [container]}}


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--controllers=*,bootstrapsigner",),
        ("--controllers=*", "--leader-elect=true"),
        ("--controllers=replicaset",),
    ],
)
def test_beside_a_controller_that_runs_it_is_refused(flags: tuple[str, ...]) -> None:
    assert "still runs in kube-controller-manager-node-1" in judged([manager(*flags)])


@pytest.mark.parametrize("flag", ["*,-replicaset-controller", "-replicaset,*", "deployment-controller"])
def test_where_it_is_switched_off_it_is_not(flag: str) -> None:
    assert judged([manager(f"--controllers={flag}")]) == ""


def test_one_of_three_that_runs_it_is_enough() -> None:
    off = [manager("--controllers=*,-replicaset-controller", name=f"off-{n}") for n in range(2)]
    assert "still runs in on" in judged([*off, manager("--controllers=*", name="on")])


def test_what_cannot_be_seen_is_not_taken_for_off() -> None:
    assert "cannot be seen" in judged([])
