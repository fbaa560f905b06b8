import os
from pathlib import Path

import pytest

from lab import engine
from lab.engine import Plan


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("service", [True, False])
def test_an_engine_that_answers_is_used_as_it_is(root: bool, chosen: bool, service: bool) -> None:
    assert engine.plan(answers=True, chosen=chosen, root=root, service=service) is Plan.USE


def test_an_engine_somebody_chose_is_never_replaced() -> None:
    assert engine.plan(answers=False, chosen=True, root=True, service=False) is Plan.REMOTE


def test_starting_an_engine_needs_root() -> None:
    assert engine.plan(answers=False, chosen=False, root=False, service=True) is Plan.NOT_ALLOWED


def test_a_service_manager_goes_before_a_start_by_hand() -> None:
    assert engine.plan(answers=False, chosen=False, root=True, service=True) is Plan.SERVICE
    assert engine.plan(answers=False, chosen=False, root=True, service=False) is Plan.BY_HAND


def test_a_pid_file_counts_only_for_the_program_it_was_written_by(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    assert engine._alive(pid_file, "dockerd") is None
    pid_file.write_text("not a number")
    assert engine._alive(pid_file, "dockerd") is None
    pid_file.write_text(str(os.getpid()))  # alive, but another program has this number now
    assert engine._alive(pid_file, "dockerd") is None
    name = Path(Path("/proc/self/cmdline").read_text().split("\0")[0]).name
    assert engine._alive(pid_file, name) == os.getpid()
