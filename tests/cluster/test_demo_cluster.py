"""`make demo-cluster` up to the operator, which has a test of its own: what it breaks is explained and removed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import ROOT, kubectl_program

# Alone, since the demos that it breaks have the namespaces that test_demos uses.
pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.full]
TOLD = ("[KC5061]", "[KC5148]", "[KC5144]", "ReplicaFailure", "revision 1 · KC5148")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_breaks_three_things_explains_and_removes_them(
    language: str, cluster: Path, kubectl: Callable[..., str]
) -> None:
    path = f"{Path(sys.executable).parent}:{Path(kubectl_program()).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "COLUMNS": "100", "LC_ALL": "C.UTF-8", "KCOMPANION_LANG": language}
    page = ROOT / "report.html"
    page.unlink(missing_ok=True)
    ran = subprocess.run(
        ["bash", str(ROOT / "demo/live.sh")], capture_output=True, text=True, timeout=900, check=False, env=env
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    wanted = TOLD if language == "en" else TOLD[:4]
    assert [word for word in wanted if word not in ran.stdout] == [], ran.stdout
    assert f'<html lang="{language}">' in page.read_text(encoding="utf-8")
    spaces = [f"demo-{code}" for code in ("kc5061", "kc5148", "kc5144")]
    kubectl("wait", "--for=delete", "--timeout=120s", *(f"namespace/{space}" for space in spaces))
    page.unlink()
