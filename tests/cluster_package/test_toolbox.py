"""Programs of a lesson: run, started and ended for certain, with a kubeconfig of the lesson's own."""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kcompanion.cli.main import run
from kcompanion.cluster import programs
from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.cluster.toolbox import Toolbox
from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import KUBECONFIG, START, STOP, TOOL
from tests.servers import Api, write_kubeconfig

TIMES = 60.0  # seconds; machines are slower than one thinks
# Says a line, then its process id, then waits to be ended.
PATIENT = "import os, signal; print('ready', flush=True); print(os.getpid(), flush=True); signal.pause()"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    connection = connect(Target(kubeconfig=str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1"))))
    yield connection
    connection.client.rest_client.close()


@pytest.fixture
def tools(tmp_path: Path, connection: Connection) -> Iterator[Toolbox]:
    box = Toolbox(tmp_path / "run", connection)
    box.answer(Request(KUBECONFIG, "kubeconfig", {"contexts": {"a": "x", "b": "y"}, "current": "a"}, credentials="t"))
    yield box
    box.close()


def until(test: Callable[[], bool]) -> bool:
    ends = time.monotonic() + TIMES
    while not test() and time.monotonic() < ends:
        time.sleep(0.05)
    return test()


def lives(process: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked about yet (Z) does not."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, timeout=TIMES, check=False
    )
    return bool(told.stdout.strip()) and not told.stdout.strip().startswith("Z")


def test_the_kubeconfig_is_the_lessons_own(tools: Toolbox, tmp_path: Path) -> None:
    path = tmp_path / "run" / "kubeconfig"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert document["users"] == [{"name": "visitor", "user": {"token": "t"}}]
    assert document["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:1"}
    assert [(one["name"], one["context"]["namespace"]) for one in document["contexts"]] == [("a", "x"), ("b", "y")]
    assert document["current-context"] == "a"
    told = tools.answer(Request(KUBECONFIG, "kubeconfig", {"contexts": {"a": "x"}, "current": "a"}, credentials="t"))
    assert told == (0, {"contexts": {"a": "x"}, "current": "a"})


def test_a_program_sees_it_and_is_told(tools: Toolbox, tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['KUBECONFIG']); print('oh', file=sys.stderr); sys.exit(3)"
    told = {"code": 3, "out": str(tmp_path / "run" / "kubeconfig"), "err": "oh"}
    assert tools.answer(Request(TOOL, sys.executable, ["-c", code])) == (3, told)
    assert tools.answer(Request(TOOL, "no-such-program", []))[0] == 127


def test_our_own_program_is_this_one(tools: Toolbox) -> None:
    code, told = tools.answer(Request(TOOL, "kcompanion", ["contexts", "-o", "name"]))
    assert (code, told["out"].split()) == (0, ["context/a", "context/b"])


def test_what_is_started_runs_until_it_is_stopped(tools: Toolbox, tmp_path: Path) -> None:
    assert tools.answer(Request(START, sys.executable, ["-c", PATIENT])) == (0, {"running": True})
    process = program_of(tmp_path)
    code, told = tools.answer(Request(STOP, sys.executable))
    assert (code, told["code"]) == (-signal.SIGTERM & 255, code)
    assert told["out"].startswith("ready\n")
    assert not lives(process)
    assert tools.answer(Request(STOP, sys.executable))[0] == 127


def test_what_ends_at_once_is_told(tools: Toolbox) -> None:
    code, told = tools.answer(Request(START, sys.executable, ["-c", "import os; os._exit(5)"]))
    assert (code, told) == (5, {"running": False, "message": ""})


def test_lines_in_json_are_told_by_their_message(tools: Toolbox) -> None:
    code = 'print(\'{"time": 1, "message": "made", "pods": 2}\', flush=True); import sys; sys.exit(4)'
    tools.answer(Request(START, sys.executable, ["-c", code + "; input()"]))
    assert tools.answer(Request(STOP, sys.executable))[1]["out"] == 'made {"pods": 2}'


def test_closing_ends_and_removes_everything(tools: Toolbox, tmp_path: Path) -> None:
    tools.answer(Request(START, sys.executable, ["-c", PATIENT]))
    process = program_of(tmp_path)
    tools.close()
    assert not lives(process)
    assert not (tmp_path / "run").exists()


LESSON = f"""
import sys
from pathlib import Path
from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.journal import Head, Journal, beside
from kcompanion.cluster.toolbox import Toolbox
from kcompanion.learn.answers import Request
connection = connect(Target(kubeconfig=sys.argv[1]))
journal = Journal(Path(sys.argv[2]), Head("run", "by-hand", connection.origin.server, "x", True, ()))
Toolbox(beside(journal.path), connection).answer(Request("START", sys.executable, ["-c", {PATIENT!r}]))
print("started", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lesson(tmp_path: Path, api: Api) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a journal and a started program, as a lesson is one."""
    config = write_kubeconfig(tmp_path / "config", api.url)
    folder = tmp_path / "kcompanion" / "lessons"
    process = subprocess.Popen(
        [sys.executable, "-c", LESSON, str(config), str(folder / "run.journal")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], TIMES)[0]
    assert process.stdout.readline() == b"started\n"
    yield process
    process.kill()
    process.communicate(timeout=TIMES)
    assert programs.end_left(folder / "run") == []


def program_of(folder: Path) -> int:
    """The process id that the program says."""
    log = next(folder.rglob("*.log"))
    assert until(lambda: len(log.read_text(encoding="utf-8").split()) == 2)
    return int(log.read_text(encoding="utf-8").split()[1])


def guard_of(folder: Path) -> int:
    return int(next(folder.rglob(f"*{programs.SUFFIX}")).read_text(encoding="ascii"))


def test_what_is_started_ends_with_us_even_if_we_are_killed(lesson: subprocess.Popen[bytes], tmp_path: Path) -> None:
    process = program_of(tmp_path)
    assert lives(process)
    lesson.kill()
    lesson.communicate(timeout=TIMES)
    assert until(lambda: not lives(process))


def test_what_outlives_us_and_its_guard_is_ended_by_cleanup(
    lesson: subprocess.Popen[bytes], api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    process, guard = program_of(tmp_path), guard_of(tmp_path)
    os.kill(guard, signal.SIGKILL)
    assert until(lambda: not lives(guard))
    lesson.kill()
    lesson.communicate(timeout=TIMES)
    assert lives(process)
    assert run(["learn", "cleanup", "--kubeconfig", str(tmp_path / "config")]) == 0
    assert not lives(process)
    assert list((tmp_path / "kcompanion" / "lessons").iterdir()) == []
    assert [one.method for one in api.requests if one.method != "GET"] == ["DELETE"]  # the namespace


def test_closing_ends_what_outlived_its_guard(tools: Toolbox, tmp_path: Path) -> None:
    tools.answer(Request(START, sys.executable, ["-c", PATIENT]))
    process = program_of(tmp_path)
    os.kill(guard_of(tmp_path), signal.SIGKILL)
    tools.close()
    assert not lives(process)


def test_who_does_not_listen_is_killed(tools: Toolbox, tmp_path: Path) -> None:
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"
    tools.answer(Request(START, sys.executable, ["-c", deaf]))
    process = program_of(tmp_path)
    os.kill(guard_of(tmp_path), signal.SIGKILL)
    assert programs.end_left(tmp_path / "run", 0.1) == []
    assert not lives(process)


def test_a_number_that_somebody_else_has_by_now_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", PATIENT], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        (tmp_path / f"old{programs.SUFFIX}").write_text(str(other.pid), encoding="ascii")
        assert programs.end_left(tmp_path) == []
        assert lives(other.pid)
    finally:
        other.kill()
        other.wait(TIMES)
