"""Journals: written before the change, read after the worst end, and no run mistaken for a dead one."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kcompanion.cluster.journal import Head, Journal, entries, folder
from kcompanion.errors import CompanionError
from kcompanion.learn.lesson import Undo

HEAD = Head("abc", "drain", "https://x", "shop", own=True, collections=("/api/v1/namespaces/shop/pods",))
UNDO = Undo("PATCH", "/api/v1/nodes/n1", {"spec": {"unschedulable": None}}, "application/merge-patch+json")


def test_what_was_noted_is_found(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "abc.journal", HEAD)
    journal.note(UNDO)
    [entry] = entries(tmp_path)
    journal.close(done=False)
    assert (entry.head, entry.undos) == (HEAD, (UNDO,))


def test_a_run_that_lives_holds_its_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "abc.journal", HEAD)
    assert [entry.alive for entry in entries(tmp_path)] == [True]
    journal.close(done=False)
    assert [entry.alive for entry in entries(tmp_path)] == [False]


def test_a_killed_run_does_not(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from kcompanion.cluster.journal import Head, Journal;"
        "j = Journal(Path(sys.argv[1]), Head('abc', 'x', 's', 'n', True, ()));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "abc.journal")], check=False, timeout=120)
    assert done.returncode == -9
    assert [entry.alive for entry in entries(tmp_path)] == [False]


def test_a_journal_goes_when_all_is_taken_back(tmp_path: Path) -> None:
    Journal(tmp_path / "abc.journal", HEAD).close(done=True)
    assert entries(tmp_path) == []


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "abc.journal"
    journal = Journal(path, HEAD)
    journal.note(UNDO)
    journal.close(done=False)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"method": "DELETE", "path": "/x"})[:-3])
    [entry] = entries(tmp_path)
    assert entry.undos == (UNDO,)


@pytest.mark.parametrize("text", ["", "x\n", "{}\n", '{"run": 1}\n'])
def test_what_is_no_journal_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.journal").write_text(text, encoding="utf-8")
    assert entries(tmp_path) == []


def test_without_a_journal_nothing_begins(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CompanionError, match="cannot be written"):
        Journal(tmp_path / "file" / "abc.journal", HEAD)


def test_the_folder_is_the_users_own(tmp_path: Path) -> None:
    where = folder({"XDG_STATE_HOME": str(tmp_path)})
    Journal(where / "abc.journal", HEAD).close(done=False)
    assert where == tmp_path / "kcompanion" / "lessons"
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
