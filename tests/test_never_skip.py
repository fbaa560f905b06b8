"""How a run ends: `make test-cluster` tells failures, which it tries once more, from skips, which it never does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SKIPPED

ROOT = Path(__file__).resolve().parent.parent
TESTS = """
import pytest

def test_well(): pass
def test_skipped(): pytest.skip("no cluster")
@pytest.mark.xfail(strict=True)
def test_known_to_fail(): assert False
def test_wrong(): assert False
"""


@pytest.mark.parametrize(("chosen", "code"), [
    ("well", pytest.ExitCode.OK),
    ("wrong", pytest.ExitCode.TESTS_FAILED),
    ("skipped", SKIPPED),
    ("known_to_fail", SKIPPED),
    ("wrong or skipped", SKIPPED),
])  # fmt: skip
def test_a_skip_is_never_taken_for_a_failure_that_may_pass_next_time(tmp_path: Path, chosen: str, code: int) -> None:
    path = tmp_path / "test_some.py"
    path.write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--never-skip"]
    done = subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir", str(tmp_path), "-k", chosen, str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
