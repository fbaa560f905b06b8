"""The acceptance cases P01 to P48 on a real cluster, through the built-in controller and through ours.

F01 and the following put ours behind a proxy that makes things go wrong, or kill it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.acceptance import asking, claiming, counting, faults, going, kind, neighbours, ranking, standing
from tests.cluster.acceptance.catalogue import CASES, TARGETS, Entry, Target

pytestmark = [pytest.mark.cluster, pytest.mark.conformance]

MODULES = (
    asking,
    claiming,
    counting,
    faults,
    going,
    kind,
    neighbours,
    ranking,
    standing,
)  # importing them enters the cases

# Upstream's own integration tests of the controller (test/integration/replicaset).
UPSTREAM = {
    "TestAdoption",
    "TestSpecReplicasChange",
    "TestDeletingAndFailedPods",
    "TestPodDeletionCost",
    "TestOverlappingRSs",
    "TestPodOrphaningAndAdoptionWhenLabelsChange",
    "TestGeneralPodAdoption",
    "TestReadyAndAvailableReplicas",
    "TestRSScaleSubresource",
    "TestExtraPodsAdoptionAndDeletion",
    "TestFullyLabeledReplicas",
    "TestTerminatingReplicas",
    "TestRSSelectorImmutability",
    "TestReplicaSetsAppsV1DefaultGCPolicy",
}


def parameters() -> list[object]:
    """Every case with every target it applies to; the built-in controller only proves the cases."""
    return [
        pytest.param(target, entry, id=f"{target}-{entry}", marks=pytest.mark.full if target in entry.full else ())
        for target in TARGETS
        for entry in sorted(CASES.values(), key=lambda entry: entry.number)
        if target in entry.targets
    ]


@pytest.mark.parametrize(("target", "entry"), parameters())
def test_case(outcome: Callable[[Target, Entry], float], target: Target, entry: Entry) -> None:
    seconds = outcome(target, entry)
    print(f"{entry.number} {entry.title}: {seconds:.1f} s")


def test_every_integration_test_of_upstream_is_one_of_the_cases() -> None:
    assert {name for entry in CASES.values() for name in entry.upstream} == UPSTREAM
