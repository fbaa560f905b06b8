"""Runs a demo manifest on the cluster and tells what is wrong with what `explain` says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from kcompanion.model.message import Message
from kcompanion.text.catalog import phrase
from tests.cluster import forked
from tests.cluster.columns import differing
from tests.cluster.conftest import kubectl_program
from tools.demo import Cluster, Demo, demos, root_code, shows

FAULTS = {name: demo for name, demo in demos().items() if demo.code}
# One demo of each rule is for CI; the second ones (KC5131-key beside KC5131) are marked `full`.
FIRST = {min(name for name, demo in FAULTS.items() if demo.code == code) for code in {d.code for d in FAULTS.values()}}
_UNITS = {"초": "s", "분": "m", "시간": "h", "일": "d", "년": "y"}
_DURATION = re.compile(f"(\\d+)({'|'.join(_UNITS)})")
Told = dict[str, Any]
Printed = Callable[[Demo, Path, str], str]


def parameters(names: Sequence[str]) -> list[ParameterSet]:
    """The names as parameters of a test, the second demos of a rule marked as too long for CI."""
    return [pytest.param(name, marks=() if name in FIRST else pytest.mark.full) for name in names]


@dataclass(frozen=True)
class Outcome:
    """What became of a demo: its explanation, and the cells of kubectl's columns that were not ours meanwhile."""

    told: Told
    recording: Path
    columns: tuple[str, ...] = ()


def laboratory(kubeconfig: Path) -> Cluster:
    return Cluster(kubeconfig, kubectl_program(), _forked)


def _forked(words: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    done = forked.run(words, environ, timeout=120)
    return done.out, done.err


def ran(lab: Cluster, demo: Demo, folder: Path) -> Outcome:
    """Applies a demo, waits for its fault, keeps what was read, and takes it away again."""
    recording = folder / f"{demo.name}.kcr"
    try:
        lab.apply(demo)
        told = lab.wait(demo, "--record", str(recording))
        return Outcome(told, recording, tuple(differing(lab.kubeconfig)[1]))
    except SystemExit as error:  # kubectl said no, or took too long
        return Outcome({"error": str(error)}, recording)
    finally:
        lab.remove(demo)


def wrong_with(demo: Demo, outcome: Outcome, printed: Printed) -> str:
    """What is wrong with what was told, empty when nothing is."""
    told = outcome.told
    if not shows(told, demo):
        return f"{root_code(told) or told.get('error') or 'nothing'} stands first; {proofs(told) or 'no causes'}"
    finding = next(f for f in told["findings"] if f["code"] == demo.code)
    for language in ("en", "ko"):
        sentence = phrase(as_message(finding["message"]), language)
        page = printed(demo, outcome.recording, language)
        if squeezed(sentence) not in squeezed(page):
            return f"{sentence!r} does not stand in\n{page}"
    return ""


def proofs(told: Told) -> str:
    """The causes that were told, with what they were seen by."""
    seen = [f"{f['code']} ({'; '.join(str(e['value']) for e in f['evidence'])})" for f in told.get("findings", ())]
    return ", ".join(seen)


def as_message(document: Told) -> Message:
    values = {k: as_message(v) if isinstance(v, dict) and "id" in v else v for k, v in document["values"].items()}
    return Message(document["id"], tuple(sorted(values.items())))


def squeezed(text: str) -> str:
    """Without the line breaks of the page, and durations as JSON has them: 5m30s for 5분 30초."""
    return _DURATION.sub(lambda found: found[1] + _UNITS[found[2]], "".join(text.split()))
