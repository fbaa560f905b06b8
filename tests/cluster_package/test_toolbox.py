"""Programs of a lesson: run, started and ended for certain, with a kubeconfig of the lesson's own."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.cluster.toolbox import Toolbox
from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import KUBECONFIG, START, STOP, TOOL
from tests.servers import write_kubeconfig

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
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


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
    log = next((tmp_path / "run").rglob("*.log"))
    assert until(lambda: len(log.read_text(encoding="utf-8").split()) == 2)
    process = int(log.read_text(encoding="utf-8").split()[1])
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
    log = next((tmp_path / "run").rglob("*.log"))
    assert until(lambda: len(log.read_text(encoding="utf-8").split()) == 2)
    process = int(log.read_text(encoding="utf-8").split()[1])
    tools.close()
    assert not lives(process)
    assert not (tmp_path / "run").exists()


def test_what_is_started_ends_with_us_even_if_we_are_killed(tmp_path: Path) -> None:
    script = f"""
        import sys
        from pathlib import Path
        from kcompanion.cluster.connect import Target, connect
        from kcompanion.cluster.toolbox import Toolbox
        from kcompanion.learn.answers import Request
        box = Toolbox(Path(sys.argv[2]), connect(Target(kubeconfig=sys.argv[1])))
        box.answer(Request("START", sys.executable, ["-c", {PATIENT!r}]))
        print("started", flush=True)
        sys.stdin.read()
    """
    config = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    lesson = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(config), str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert lesson.stdout is not None
    assert lesson.stdout.readline() == b"started\n"
    log = next((tmp_path / "run").rglob("*.log"))
    assert until(lambda: len(log.read_text(encoding="utf-8").split()) == 2)
    process = int(log.read_text(encoding="utf-8").split()[1])
    assert lives(process)
    lesson.kill()
    lesson.communicate()
    assert until(lambda: not lives(process))
