"""Running a program and taking its time and memory; medians and spreads of several runs."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KCOMPANION = str(Path(sys.executable).parent / "kcompanion")


@dataclass(frozen=True)
class Run:
    """One process from start to end."""

    seconds: float
    cpu: float  # seconds of processor time
    peak_mib: float
    code: int


@dataclass(frozen=True)
class Spread:
    """Several runs of one thing."""

    median: float
    lowest: float
    highest: float
    runs: int

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lowest:.2f} – {self.highest:.2f}, {self.runs} runs)"


def timed(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Run:
    """Runs a command to its end, its output thrown away; peak memory is that of this very process."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_env(environ), cwd=ROOT
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_mib, process.returncode)


def alternating(
    ours: Sequence[str], theirs: Sequence[str], count: int, environ: Mapping[str, str]
) -> list[tuple[Run, Run]]:
    """Both commands in turns, after one unmeasured round, so that neither has the quieter minutes."""
    timed(ours, environ)
    timed(theirs, environ)
    return [(timed(ours, environ), timed(theirs, environ)) for _ in range(count)]


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values), len(values))


def machine() -> dict[str, Any]:
    """What the figures were taken on; the load tells how quiet it was."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "loadBefore": round(os.getloadavg()[0], 1),
    }


def figures(found: Spread) -> dict[str, Any]:
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(found).items()}


def _env(environ: Mapping[str, str] | None) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "KCOMPANION"))}
    return {**clean, **(environ or {})}
