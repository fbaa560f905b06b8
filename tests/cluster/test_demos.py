"""Every demo manifest on the real cluster: the right cause stands first, in both languages; what is well is silent.

CI runs one demo of each rule; the second ones (KC5131-key beside KC5131) are for `make test-cluster-full`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from kcompanion.cli.main import run
from kcompanion.model.message import Message
from kcompanion.text.catalog import phrase
from tests.cluster.columns import differing
from tests.cluster.conftest import Ran, kubectl_program
from tools.demo import Cluster, Demo, demos, root_code, shows

pytestmark = pytest.mark.cluster

AT_ONCE = 6  # demos that run at a time: their pods and our processes share a few processors
FAULTS = {name: demo for name, demo in demos().items() if demo.code}
FIRST = {min(name for name, demo in FAULTS.items() if demo.code == code) for code in {d.code for d in FAULTS.values()}}
SHARED = [name for name, demo in FAULTS.items() if not demo.exclusive]
ALONE = [name for name, demo in FAULTS.items() if demo.exclusive]
Told = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of a demo: its explanation, and the cells of kubectl's columns that were not ours meanwhile."""

    told: Told
    recording: Path
    columns: tuple[str, ...] = ()


@pytest.fixture(scope="session")
def lab(cluster: Path) -> Cluster:
    return Cluster(cluster, kubectl_program())


def parameters(names: Sequence[str]) -> list[ParameterSet]:
    """The names as parameters of a test, the second demos of a rule marked as too long for CI."""
    return [pytest.param(name, marks=() if name in FIRST else pytest.mark.full) for name in names]


@pytest.fixture(scope="session")
def outcomes(
    lab: Cluster, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Outcome]:
    """The demos that may share the cluster. What did not show its fault in the crowd has a second chance alone."""
    folder = tmp_path_factory.mktemp("demos")
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    chosen = [name for name in SHARED if name in asked]
    with ThreadPoolExecutor(AT_ONCE) as workers:
        found = dict(zip(chosen, workers.map(lambda name: ran(lab, FAULTS[name], folder), chosen), strict=True))
    for name in chosen:
        if not shows(found[name].told, FAULTS[name]):
            lab.kubectl("wait", f"namespace/{FAULTS[name].namespace}", "--for=delete", "--timeout=60s", check=False)
            found[name] = ran(lab, FAULTS[name], folder)
    return found


def ran(lab: Cluster, demo: Demo, folder: Path) -> Outcome:
    """Applies a demo, waits for its fault, keeps what was read, and takes it away again."""
    recording = folder / f"{demo.name}.kcr"
    try:
        lab.apply(demo)
        told = lab.wait(demo)
        return Outcome(
            lab.explained(demo, "--record", str(recording)) or told, recording, tuple(differing(lab.kubeconfig)[1])
        )
    except SystemExit as error:  # kubectl said no, or took too long
        return Outcome({"error": str(error)}, recording)
    finally:
        lab.remove(demo)


def wrong_with(demo: Demo, outcome: Outcome, printed: Callable[[Demo, Path, str], str]) -> str:
    """What is wrong with what was told, empty when nothing is."""
    told = outcome.told
    if not shows(told, demo):
        return f"{root_code(told) or told.get('error') or 'nothing'} stands first; {causes(told)}"
    finding = next(f for f in told["findings"] if f["code"] == demo.code)
    for language in ("en", "ko"):
        sentence = phrase(as_message(finding["message"]), language)
        page = printed(demo, outcome.recording, language)
        if squeezed(sentence) not in squeezed(page):
            return f"{sentence!r} does not stand in\n{page}"
    return ""


def causes(told: Told) -> str:
    return ", ".join(code for one in told.get("objects", ()) for code in one["causes"]) or "no causes"


def as_message(document: Told) -> Message:
    values = {k: as_message(v) if isinstance(v, dict) and "id" in v else v for k, v in document["values"].items()}
    return Message(document["id"], tuple(sorted(values.items())))


def squeezed(text: str) -> str:
    """Without the line breaks and marks of the page."""
    return "".join(text.split())


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[Demo, Path, str], str]:
    monkeypatch.setenv("COLUMNS", "100")

    def page(demo: Demo, recording: Path, language: str) -> str:
        capsys.readouterr()
        space = demo.at or demo.namespace
        run(["explain", *demo.explain.split(), "-n", space, "--from", str(recording), "--lang", language])
        return capsys.readouterr().out

    return page


@pytest.mark.parametrize("name", parameters(SHARED))
def test_the_cause_stands_first(
    name: str, outcomes: dict[str, Outcome], printed: Callable[[Demo, Path, str], str]
) -> None:
    assert wrong_with(FAULTS[name], outcomes[name], printed) == ""


def test_columns_are_kubectls_for_all_these_odd_pods(outcomes: dict[str, Outcome]) -> None:
    assert [cell for outcome in outcomes.values() for cell in outcome.columns] == []


@pytest.mark.parametrize("name", parameters(ALONE))
def test_the_cause_stands_first_alone(
    name: str, lab: Cluster, tmp_path: Path, printed: Callable[[Demo, Path, str], str]
) -> None:
    assert wrong_with(FAULTS[name], ran(lab, FAULTS[name], tmp_path), printed) == ""


def test_what_is_well_is_silent(lab: Cluster, kcompanion: Callable[..., Ran]) -> None:
    control = demos()["control-well"]
    lab.apply(control)
    try:
        told = lab.wait(control)
        assert root_code(told) == "", causes(told)
        done = kcompanion("health", "-n", control.namespace, "-o", "json", kubeconfig=lab.kubeconfig)
        assert [entry["code"] for entry in json.loads(done.out)["entries"] if entry["severity"] != "info"] == []
        assert done.code == 0
    finally:
        lab.remove(control)


def demo_kinds() -> set[str]:
    return {demo.explain.partition("/")[0] for demo in FAULTS.values()}


def test_there_are_enough_of_them() -> None:
    assert len({demo.code for demo in FAULTS.values()}) >= 70
    assert len(demo_kinds()) >= 8
