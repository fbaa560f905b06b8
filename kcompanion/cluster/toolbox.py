"""Runs the programs of a lesson on this machine, with a kubeconfig of its own in a folder that goes with its journal.

What is started ends with us, however we end: it is watched by a process whose standard input is a pipe that only we
hold; the system closes it with us. Should that process be killed too, `learn cleanup` finds the program by the lock
that it holds.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from kcompanion.cluster import programs
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.secrets import text
from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import KUBECONFIG, START, STOP, TOOL
from kcompanion.model.fields import text_at

FILE = "kubeconfig"
STARTS, ENDS, RUNS = 60.0, 30.0, 60.0  # seconds: until its first line, from being asked to end, and for one command
SETTLES = 1.0  # seconds that a program has to stay after its first line
NO_PROGRAM, LATE = 127, 124  # exit codes, as shells and timeout(1) have them
SAID = 40  # last lines of a program that are kept
_EVERY = 0.1
_HEAD = ("time", "level", "logger", "message")  # of a line of a log in JSON
# Ends the program when our end of the pipe closes, and with the program's own exit code. Both hold the lock.
_GUARD = """
import os, signal, subprocess, sys, threading
signal.signal(signal.SIGINT, signal.SIG_IGN)
lock = int(sys.argv[1])
os.write(lock, str(os.getpid()).encode())
program = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, pass_fds=[lock])
def end():
    while os.read(0, 1):
        pass
    program.terminate()
    try:
        program.wait(15)
    except subprocess.TimeoutExpired:
        program.kill()
threading.Thread(target=end, daemon=True).start()
os._exit(program.wait() & 255)
"""


class Toolbox:
    """The folder, and what runs."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        self._folder = folder
        self._connection = connection
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def answer(self, request: Request) -> tuple[int, Any]:
        """Does what a request asks; exit code and what was said."""
        if request.method == KUBECONFIG:
            return self._write(request.body, request.credentials)
        words = [request.path, *(request.body or ())]
        return {TOOL: self._run, START: self._start, STOP: self._stop}[request.method](words)

    def close(self) -> None:
        """Ends what runs and removes the folder."""
        for program in list(self._running):
            self._stop([program])
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, wanted: Mapping[str, Any], token: str) -> tuple[int, Any]:
        document = kubeconfig(cluster(self._connection), token, wanted["contexts"], wanted["current"])
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / FILE
        path.touch(mode=0o600)
        path.write_text(json.dumps(document), encoding="utf-8")
        return 0, {"contexts": dict(wanted["contexts"]), "current": wanted["current"]}

    def _run(self, words: Sequence[str]) -> tuple[int, Any]:
        try:
            done = subprocess.run(  # noqa: S603 - the lessons' own words
                _command(words),
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=RUNS,
                check=False,
            )
        except OSError as error:
            return NO_PROGRAM, {"code": NO_PROGRAM, "out": "", "err": str(error.strerror)}
        except subprocess.TimeoutExpired:
            return LATE, {"code": LATE, "out": "", "err": f"did not end in {RUNS:.0f} s"}
        return done.returncode, {"code": done.returncode, "out": text(done.stdout.strip()), "err": done.stderr.strip()}

    def _start(self, words: Sequence[str]) -> tuple[int, Any]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        log = self._log(words[0])
        with log.open("wb") as out, programs.held(self._lock(words[0])) as lock:
            process = subprocess.Popen(  # noqa: S603 - as above
                [sys.executable, "-c", _GUARD, str(lock), *_command(words)],
                env=self._environ(),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                pass_fds=[lock],
                start_new_session=True,  # a terminal's Ctrl-C is ours alone
            )
        self._running[words[0]] = process
        ends = time.monotonic() + STARTS
        while not log.stat().st_size and process.poll() is None and time.monotonic() < ends:
            time.sleep(_EVERY)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SETTLES)  # its first line may be its last one
        code = process.poll()
        if code is None:
            return 0, {"running": True}
        return code or LATE, {"running": False, "message": self._said(words[0])}

    def _stop(self, words: Sequence[str]) -> tuple[int, Any]:
        process = self._running.pop(words[0], None)
        if process is None:
            return NO_PROGRAM, {"running": False, "out": ""}
        _closed(process.stdin)
        try:
            code = process.wait(ENDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        programs.end(self._lock(words[0]))  # what outlived the process that watched it
        return code, {"running": False, "code": code, "out": self._said(words[0])}

    def _said(self, program: str) -> str:
        """The last lines of a log; of JSON lines their messages."""
        lines = self._log(program).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(text(_told(line)) for line in lines[-SAID:])

    def _log(self, program: str) -> Path:
        return self._folder / f"{Path(program).name}.log"

    def _lock(self, program: str) -> Path:
        return self._folder / f"{Path(program).name}{programs.SUFFIX}"

    def _environ(self) -> dict[str, str]:
        """Our own surroundings, but with the lesson's kubeconfig, and kubectl's caches beside it."""
        return {**os.environ, "KUBECONFIG": str(self._folder / FILE), "KUBECACHEDIR": str(self._folder / "cache")}


def _command(words: Sequence[str]) -> list[str]:
    """Our own program is this very one, not whatever PATH holds by that name."""
    return [sys.executable, "-m", *words] if words[0] == "kcompanion" else list(words)


def _told(line: str) -> str:
    """A line of a log; of one in JSON its message and what it is about."""
    try:
        said = json.loads(line)
        about = {key: value for key, value in said.items() if key not in _HEAD}
    except (ValueError, AttributeError):
        return line
    return " ".join([text_at(said, "message"), *([json.dumps(about, sort_keys=True)] if about else [])])


def _closed(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


def cluster(connection: Connection) -> dict[str, Any]:
    """The way to the API server of a connection, without credentials, as a kubeconfig has it."""
    configuration = connection.client.configuration
    found: dict[str, Any] = {"server": str(configuration.host)}
    if configuration.ssl_ca_cert:
        authority = Path(configuration.ssl_ca_cert).read_bytes()
        found["certificate-authority-data"] = base64.b64encode(authority).decode()
    if not configuration.verify_ssl:
        found["insecure-skip-tls-verify"] = True
    if configuration.tls_server_name:
        found["tls-server-name"] = configuration.tls_server_name
    if configuration.proxy:
        found["proxy-url"] = configuration.proxy
    return found


def kubeconfig(cluster: Mapping[str, Any], token: str, contexts: Mapping[str, str], current: str) -> dict[str, Any]:
    """A kubeconfig of one cluster, one user and some contexts of both, each with its namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lesson", "cluster": dict(cluster)}],
        "users": [{"name": "visitor", "user": {"token": token}}],
        "contexts": [
            {"name": name, "context": {"cluster": "lesson", "user": "visitor", "namespace": namespace}}
            for name, namespace in contexts.items()
        ],
        "current-context": current,
    }
