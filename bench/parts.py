"""What is measured. Each part returns its figures as JSON, or None with the reason why it was not measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.measure import KCOMPANION, ROOT, Run, alternating, figures, spread, timed

KUBECONFIG = ROOT / ".cluster" / "kubeconfig"
HEAVY = ("kubernetes", "kopf", "jinja2", "yaml", "tabulate", "cryptography", "urllib3")
FORBIDDEN = ("kubernetes", "kopf")  # none of these for a help page
RUNS = 7
Figures = dict[str, Any]
# Peers that look at a whole cluster, and how each is asked for it.
PEERS = {"popeye": ("--all-namespaces", "--out", "json")}


def start() -> Figures:
    """`kcompanion --help`: its time beside an empty Python, and what it imports."""
    ask = "import sys; from kcompanion.cli.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = sorted({name.partition(".")[0] for name in done.stderr.split()} & set(HEAVY))
    pairs = alternating([KCOMPANION, "--help"], [sys.executable, "-c", "pass"], RUNS, {})
    return {**_paired(pairs), "imported": loaded, "clean": not set(loaded) & set(FORBIDDEN)}


def cluster() -> Figures:
    """`controlplane` on the 3-node cluster, in turns with kubectl's plain list of nodes and pods."""
    environ = {"KUBECONFIG": str(KUBECONFIG)}
    pairs = alternating([KCOMPANION, "controlplane"], kubectl_list(), RUNS, environ)
    return {**_paired(pairs), **_requests(environ, ["controlplane", "-o", "name"]), "peers": _peers(environ)}


def kubectl_list() -> list[str]:
    program = shutil.which("kubectl")
    if program is None:
        raise LookupError("no kubectl in PATH to compare with")
    return [program, "get", "nodes,pods", "-A", "-o", "json"]


def _requests(environ: dict[str, str], words: list[str]) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "count.json"
        command = [sys.executable, "-m", "bench.counted", str(target), *words]
        env = {**os.environ, **environ}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env, cwd=ROOT)
        return {"requests": json.loads(target.read_text())["requests"]}


def _peers(environ: dict[str, str]) -> Figures:
    folder = os.environ.get("PEERS_DIR")
    found: Figures = {}
    for name, words in PEERS.items():
        program = Path(folder or "/nonexistent") / name
        if program.is_file():
            runs = [timed([str(program), *words], environ) for _ in range(3)]
            found[name] = figures(spread([r.seconds for r in runs]))
        else:
            found[name] = "not measured"
    return found


def _paired(pairs: list[tuple[Run, Run]]) -> Figures:
    bad = {run.code for pair in pairs for run in pair} - {0}
    if bad:
        raise RuntimeError(f"a measured command ended with {sorted(bad)}")
    return {
        "seconds": figures(spread([ours.seconds for ours, _ in pairs])),
        "besideSeconds": figures(spread([theirs.seconds for _, theirs in pairs])),
        "cpuSeconds": figures(spread([ours.cpu for ours, _ in pairs])),
        "besideCpuSeconds": figures(spread([theirs.cpu for _, theirs in pairs])),
        "ratio": figures(spread([ours.seconds / theirs.seconds for ours, theirs in pairs])),
        "peakMiB": round(max(ours.peak_mib for ours, _ in pairs), 1),
    }


def command(words: list[str], environ: dict[str, str], runs: int = 3) -> Figures:
    """One of our commands alone: time and peak memory."""
    found = [timed([KCOMPANION, *words], environ) for _ in range(runs)]
    return {
        "seconds": figures(spread([r.seconds for r in found])),
        "cpuSeconds": figures(spread([r.cpu for r in found])),
        "peakMiB": round(max(r.peak_mib for r in found), 1),
        "exit": sorted({r.code for r in found}),
    }


def pod() -> Figures:
    """`explain pod` on a pod that crashes again and again, in turns with `kubectl describe`, and its requests."""
    from bench.faults import shown  # noqa: PLC0415 - it needs this module

    environ = {"KUBECONFIG": str(KUBECONFIG)}
    with shown("KC5044") as demo:
        words = ["explain", demo.explain, "-n", demo.namespace]
        describe = [kubectl_list()[0], "describe", demo.explain, "-n", demo.namespace]
        pairs = alternating([KCOMPANION, *words], describe, RUNS, environ)
        return {**_paired(pairs), **_requests(environ, words)}


PARTS: dict[str, Callable[[], Figures]] = {"start": start, "cluster": cluster, "pod": pod}
