"""What is normal is not told as a fault: whole healthy clusters, recorded."""

from pathlib import Path

import pytest
import yaml

from kcompanion.cluster import recording
from kcompanion.model.finding import Severity
from tests.explain.casebook import CASES, verdicts, world_from, world_of

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


@pytest.mark.parametrize("kind", ["nodes", "leases"])
def test_a_service_is_not_called_well_where_its_nodes_cannot_be_heard(kind: str) -> None:
    documents = list(yaml.safe_load_all((CASES / "KC5270" / "negative.yaml").read_text(encoding="utf-8")))
    world = world_from([{"forbidden": [kind]}, *documents])
    (service,) = [verdict for verdict in verdicts(world) if verdict.ref.kind == "Service"]
    assert "KC5270" in {missed.code for missed in service.not_evaluated}
