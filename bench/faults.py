"""Which program finds the cause of a demo fault: ours, kubectl describe with events, and the peers in PEERS_DIR.

For each fault in FAULTS the demo is applied and left until its cause shows. Then every program is asked about the same
object, in turns, through a proxy that counts. "Found" means that the output holds the fact a person needs to mend it
(the third column of FAULTS), wherever it came from; it says nothing of how long one has to look for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.counting import Counter, counted
from bench.measure import KCOMPANION, ROOT, figures, spread
from bench.parts import KUBECONFIG, Figures
from tools.demo import Cluster, Demo, demos, root_code

RUNS = int(os.environ.get("BENCH_RUNS", "3"))


@dataclass(frozen=True)
class Fault:
    """A demo, and the fact that has to stand in the output, as a regular expression."""

    demo: str
    truth: str


@dataclass(frozen=True)
class Program:
    """A program and how it is asked about an object: `{kind}`, `{name}` and `{namespace}` are filled in."""

    name: str
    words: tuple[str, ...]
    peer: str = ""  # its file in PEERS_DIR

    def command(self, demo: Demo, kubeconfig: Path) -> list[str]:
        kind, _, name = demo.explain.partition("/")
        filled = {"kind": kind, "name": name, "namespace": demo.namespace, "kubeconfig": str(kubeconfig)}
        return [word.format(**filled) for word in self.words]


FAULTS: tuple[Fault, ...] = (
    Fault("KC5044", r"(?i)exit code:?\s*1\b|exit(ed)? (with )?(code )?1\b"),
    Fault("KC5054", r"OOMKilled"),
    Fault("KC5041", r"(?i)configmap.{0,20}(not found|not exist)|configmap.*gone"),
    Fault("KC5131-secret", r"(?i)secret.{0,40}(not found|not exist)"),
    Fault("KC5212", r"(?i)not found|no such image"),
    Fault("KC5211", r"(?i)\b401\b|unauthorized|credentials"),
    Fault("KC5214", r"(?i)x509|certificate"),
    Fault("KC5061", r"(?i)insufficient cpu|\bcpu\b.*(free|in all)"),
    Fault("KC5127-provisioner", r"(?i)provisioner|external-provisioner|waiting for a volume"),
    Fault("KC5142-port", r"9090"),
    Fault("KC5144", r"(?i)liveness"),
    Fault("KC5148", r"(?i)exceeded quota|quota"),
    Fault("KC5153", r"(?i)restricted"),
    Fault("KC5151-service", r"(?i)webhook"),
    Fault("KC5159", r"(?i)BackoffLimitExceeded|backoff ?limit"),
    Fault("KC5108", r"(?i)ephemeral"),
    Fault("KC5169", r"(?i)selector|no (pods|endpoints)|Endpoints:\s*(<none>)?$"),
)
_HEAD = ("--kubeconfig", "{kubeconfig}", "-n", "{namespace}")


def programs() -> list[Program]:
    """Ours, kubectl, and the peers that are there."""
    found = [Program("kcompanion explain", (KCOMPANION, "explain", "{kind}/{name}", *_HEAD))]
    if kubectl := shutil.which("kubectl"):
        line = f"{kubectl} --kubeconfig {{kubeconfig}} -n {{namespace}}"
        script = f"{line} describe {{kind}}/{{name}}; {line} get events"
        found.append(Program("kubectl describe + events", ("sh", "-c", script)))
    folder = Path(os.environ.get("PEERS_DIR") or "/nonexistent")
    for name, words in (
        # By itself it waits half a minute whether a failure lasts; that wait is none of the finding.
        ("kubectl-mole", ("{kind}/{name}", *_HEAD, "--wedged-for", "1s", "--timeout", "20s")),
        ("kubectl-status", ("{kind}/{name}", *_HEAD)),
    ):
        if (folder / name).is_file():
            found.append(Program(name, (str(folder / name), *words), name))
    return found


def faults() -> Figures:
    """For every fault and program: cause found, bytes printed, requests, seconds."""
    known = demos()
    if unknown := [fault.demo for fault in FAULTS if fault.demo not in known]:
        raise LookupError(f"no such demo: {', '.join(unknown)}")
    asked = programs()
    missing = [name for name in ("kubectl-mole", "kubectl-status") if name not in {p.name for p in asked}]
    table: dict[str, Any] = {}
    with counted(KUBECONFIG) as (kubeconfig, counter):
        for fault in FAULTS:
            print(f"bench: {fault.demo} …", file=sys.stderr)
            table[fault.demo] = _fault(fault, asked, kubeconfig, counter)
    totals = {
        program.name: {
            "found": sum(row[program.name]["found"] for row in table.values()),
            "bytes": sum(row[program.name]["bytes"] for row in table.values()),
            "requests": sum(row[program.name]["requests"] for row in table.values()),
        }
        for program in asked
    }
    return {"faults": table, "totals": totals, "of": len(table), "notMeasuredPeers": missing}


@contextmanager
def shown(name: str) -> Iterator[Demo]:
    """A demo whose fault can be seen, for the time of a `with` block."""
    demo = demos()[name]
    cluster = Cluster(KUBECONFIG, shutil.which("kubectl") or "kubectl")
    cluster.apply(demo)
    try:
        if root_code(cluster.wait(demo)) != demo.code:
            raise RuntimeError(f"the demo {name} did not show its fault")
        time.sleep(2)
        yield demo
    finally:
        cluster.remove(demo)


def _fault(fault: Fault, asked: Sequence[Program], kubeconfig: Path, counter: Counter) -> dict[str, Any]:
    with shown(fault.demo) as demo:
        runs: dict[str, list[tuple[float, int, int, str]]] = {program.name: [] for program in asked}
        for _ in range(RUNS):
            for program in asked:
                runs[program.name].append(_asked(program.command(demo, kubeconfig), counter))
        return {name: _row(those, fault.truth) for name, those in runs.items()}


def _asked(command: Sequence[str], counter: Counter) -> tuple[float, int, int, str]:
    """Seconds, bytes printed, requests, and the output."""
    counter.reset()
    started = time.perf_counter()
    env = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")} | {"COLUMNS": "120"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, env=env, cwd=ROOT)
    return time.perf_counter() - started, len(done.stdout.encode()), counter.requests, done.stdout


def _row(runs: Sequence[tuple[float, int, int, str]], truth: str) -> dict[str, Any]:
    return {
        "found": all(re.search(truth, output) is not None for _, _, _, output in runs),
        "bytes": max(size for _, size, _, _ in runs),
        "requests": max(count for _, _, count, _ in runs),
        "seconds": figures(spread([seconds for seconds, _, _, _ in runs])),
    }
