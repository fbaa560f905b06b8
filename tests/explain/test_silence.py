"""What is normal is not told as a fault: whole healthy clusters, recorded."""

from pathlib import Path

import pytest

from kcompanion.cluster import recording
from kcompanion.model.finding import Severity
from tests.explain.casebook import verdicts, world_of

RECORDINGS = Path(recording.__file__).parents[1] / "recordings"


@pytest.mark.parametrize("name", ["three-nodes", "ha", "minikube", "eks", "k3s"])
def test_healthy_cluster_is_silent(name: str) -> None:
    told = {
        (finding.code, finding.subject)
        for verdict in verdicts(world_of(RECORDINGS / f"{name}.kcr"))
        for finding in verdict.findings
        if finding.severity is not Severity.INFO
    }
    assert told == set()
