"""What the command line says, and what it means."""

from __future__ import annotations

import pytest

from operators.replicaset.settings import parse

OURS, BUILT_IN = "companionreplicasets.kcompanion.dev", "replicasets.apps"


@pytest.mark.parametrize("scope", [("-A",), ("-n", "shop"), ("--namespace=elsewhere",), ()])
@pytest.mark.parametrize("target", [OURS, BUILT_IN])
def test_one_lease_for_a_target_whatever_is_looked_after(target: str, scope: tuple[str, ...]) -> None:
    """Else two would reconcile the namespace that both look after."""
    assert parse([f"--target={target}", *scope]).lease == ("kube-system", f"kcompanion-{target}")


def test_another_namespace_for_the_lease_has_to_be_asked_for() -> None:
    assert parse(["-n", "shop", "--lease-namespace", "own"]).lease == ("own", f"kcompanion-{OURS}")


@pytest.mark.parametrize(
    ("flags", "limits"),
    [
        ((), (0.0, 30)),  # no limit, so the burst says nothing
        (("--kube-api-qps=20",), (20.0, 30)),  # as kube-controller-manager
        (("--kube-api-qps=20", "--kube-api-burst=0"), (20.0, 30)),
        (("--kube-api-qps=20", "--kube-api-burst=5"), (20.0, 5)),
    ],
)
def test_a_rate_alone_comes_with_kube_controller_managers_burst(flags: tuple[str, ...], limits: object) -> None:
    settings = parse(list(flags))
    assert (settings.qps, settings.burst) == limits
