"""`make demo-operator`, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cluster.conftest import ROOT, kubectl_program

# what the story has to tell of a pod deleted, a label tampered with, and the number changed twice
DISTURBED = (
    "deletion asked for",
    "1 too few, so create 1",
    "labels changed: app=web → app=taken",
    "does not own it any more",
    "wants 5 pods",
    "2 too few, so create 2",
    "3 too many, so delete 3",
    "goes first",
)


def demonstrated(cluster: Path, *flags: str) -> str:
    """What it printed; it has to end well."""
    path = f"{Path(sys.executable).parent}:{Path(kubectl_program()).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "DEMO_KUBECONFIG": str(cluster), "COLUMNS": "160", "LC_ALL": "C.UTF-8"}
    command = ["bash", str(ROOT / "demo/operator.sh"), *flags]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=env)
    print(ran.stdout)  # shown when something is missing, or with -s
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    return ran.stdout
