"""The demo manifests that touch nodes or the whole cluster, one after the other: the right cause stands first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.showing import FAULTS, Printed, laboratory, parameters, ran, wrong_with

pytestmark = [pytest.mark.cluster, pytest.mark.alone]
ALONE = [name for name, demo in FAULTS.items() if demo.exclusive]


@pytest.mark.parametrize("name", parameters(ALONE))
def test_the_cause_stands_first(name: str, cluster: Path, tmp_path: Path, printed: Printed) -> None:
    assert wrong_with(FAULTS[name], ran(laboratory(cluster), FAULTS[name], tmp_path), printed) == ""
