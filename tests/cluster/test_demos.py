"""Every demo manifest on the real cluster: the right cause stands first, in both languages; what is well is silent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cli.main import run
from kcompanion.model.message import Message
from kcompanion.text.catalog import phrase
from tests.cluster.columns import differing
from tests.cluster.conftest import Ran, kubectl_program
from tools.demo import Cluster, demos, root_code

pytestmark = pytest.mark.cluster

TOGETHER = 24  # demos at a time: their pods share three kubelets on a few processors
WORKERS = 4
FAULTS = {name: demo for name, demo in demos().items() if demo.code}
SHARED = [name for name, demo in FAULTS.items() if not demo.exclusive]
ALONE = [name for name, demo in FAULTS.items() if demo.exclusive]
BATCHES = [SHARED[start : start + TOGETHER] for start in range(0, len(SHARED), TOGETHER)]
Told = dict[str, Any]


@pytest.fixture(scope="session")
def lab(cluster: Path) -> Cluster:
    return Cluster(cluster, kubectl_program())


def shown(lab: Cluster, name: str, folder: Path) -> tuple[str, Told]:
    """What is told of a demo that is applied, and the recording of it."""
    demo = FAULTS[name]
    lab.wait(demo)
    return name, lab.explained(demo, "--record", str(folder / f"{name}.kcr"))


def wrong_with(name: str, told: Told, folder: Path, printed: Callable[[str, Path, str], str]) -> str:
    """What is wrong with what was told, empty when nothing is."""
    if root_code(told) != FAULTS[name].code:
        return f"{name}: {root_code(told) or told.get('error') or 'nothing'} stands first; {causes(told)}"
    cause = next(one["rootCause"] for one in told["objects"] if one["rootCause"])
    for language in ("en", "ko"):
        sentence = phrase(as_message(cause["message"]), language)
        page = printed(FAULTS[name].explain, folder / f"{name}.kcr", language)
        if squeezed(sentence) not in squeezed(page):
            return f"{name}: {sentence!r} does not stand in\n{page}"
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
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path, str], str]:
    monkeypatch.setenv("COLUMNS", "100")

    def page(target: str, recording: Path, language: str) -> str:
        capsys.readouterr()
        run(["explain", target, "--from", str(recording), "--lang", language])
        return capsys.readouterr().out

    return page


@pytest.fixture
def batch(lab: Cluster, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """A batch of demos, all applied at once, and all removed."""
    names: list[str] = request.param
    with ThreadPoolExecutor(WORKERS) as workers:
        list(workers.map(lab.apply, [FAULTS[name] for name in names]))
        yield names
        list(workers.map(lab.remove, [FAULTS[name] for name in names]))


@pytest.mark.parametrize("batch", BATCHES, indirect=True, ids=lambda names: f"{names[0]} to {names[-1]}")
def test_the_cause_stands_first(
    batch: list[str], lab: Cluster, tmp_path: Path, printed: Callable[[str, Path, str], str]
) -> None:
    with ThreadPoolExecutor(WORKERS) as workers:
        told = dict(workers.map(lambda name: shown(lab, name, tmp_path), batch))
    faults = [wrong_with(name, told[name], tmp_path, printed) for name in batch]
    faults += differing(lab.kubeconfig)[1]  # kubectl's own columns for all these odd pods
    assert [fault for fault in faults if fault] == []


@pytest.mark.parametrize("name", ALONE)
def test_the_cause_stands_first_alone(
    name: str, lab: Cluster, tmp_path: Path, printed: Callable[[str, Path, str], str]
) -> None:
    lab.apply(FAULTS[name])
    try:
        _, told = shown(lab, name, tmp_path)
        assert wrong_with(name, told, tmp_path, printed) == ""
    finally:
        lab.remove(FAULTS[name])


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
