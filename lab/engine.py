"""The Docker engine: one that answers is used as it is; only where none does, one is started.

The engine started here outlives the command, as a service would, and keeps Docker's usual paths.
"""

from __future__ import annotations

import enum
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from lab import cache, host
from lab.shell import LabError, run, say, step, succeeds

_RUN = Path("/var/run")
_PID_FILE = _RUN / "kcompanion-lab-dockerd.pid"
_CONTAINERD_PID = _RUN / "docker/containerd/containerd.pid"
_SOCKETS = (
    _RUN / "docker.sock",
    _RUN / "docker/containerd/containerd.sock",
    Path("/run/containerd/containerd.sock"),
)
_PATIENCE = 60.0  # seconds an engine gets to answer after its start


class Plan(enum.Enum):
    """What to do about the engine."""

    USE = "it answers"
    REMOTE = "somebody chose an engine that does not answer"
    SERVICE = "start the installed service"
    BY_HAND = "start dockerd"
    NOT_ALLOWED = "starting an engine needs root"


def plan(*, answers: bool, chosen: bool, root: bool, service: bool) -> Plan:
    """Decides; `chosen` is an address set by the user, `service` a service manager that can start it."""
    if answers:
        return Plan.USE
    if chosen:
        return Plan.REMOTE
    if not root:
        return Plan.NOT_ALLOWED
    return Plan.SERVICE if service else Plan.BY_HAND


def answers() -> bool:
    return succeeds(["docker", "version", "--format", "{{.Server.Version}}"], timeout=15)


def ensure() -> None:
    """Returns when an engine answers; raises LabError where none can be had."""
    with cache.lock("engine"):
        _ensure()


def _ensure() -> None:
    service = Path("/run/systemd/system").is_dir() and host.has_sys_resource()
    chosen = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT") or ""
    decision = plan(answers=answers(), chosen=bool(chosen), root=host.is_root(), service=service)
    match decision:
        case Plan.USE:
            return
        case Plan.REMOTE:
            raise LabError(f"an answer of the Docker engine at {chosen}", "start it or unset DOCKER_HOST")
        case Plan.NOT_ALLOWED:
            raise LabError("a running Docker engine", "start Docker, or run the same command as root")
        case Plan.SERVICE | Plan.BY_HAND:
            dockerd = host.require_program("dockerd", package="docker.io")
            host.require_program("docker", package="docker.io")
            with step("starting the Docker engine", 0.1):
                if decision is Plan.SERVICE:
                    run(["systemctl", "start", "docker"])
                    _wait(None, Path("/var/log"))
                else:
                    _start(dockerd)


def _start(dockerd: str) -> None:
    if running := _alive(_PID_FILE, "dockerd"):
        say(f"lab: an earlier run's engine (process {running}) does not answer yet, waiting for it")
        _wait(None, cache.root() / "engine" / "dockerd.log")
        return
    _forget_the_dead()
    folder = cache.root() / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "dockerd.log"
    command = [dockerd, "--pidfile", str(_PID_FILE)]
    if not host.has_sys_resource():
        say("lab: CAP_SYS_RESOURCE is missing here, so runc gets a wrapper that does not ask for it")
        command += ["--add-runtime", f"lab={_wrapper(folder)}", "--default-runtime", "lab"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C and the end of the terminal must not reach it
            cwd="/",
        )
    _wait(process, log)


def _wait(process: subprocess.Popen[bytes] | None, log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if answers():
            return
        if process is not None and process.poll() is not None:
            tail = log.read_text(errors="replace").strip().splitlines()[-5:]
            raise LabError("a Docker engine (dockerd ended)", "read:\n  " + "\n  ".join(tail))
        time.sleep(0.5)
    raise LabError(f"an answer of the Docker engine within {_PATIENCE:.0f} s", f"read {log}")


def _wrapper(folder: Path) -> Path:
    """The runc wrapper as a program of its own, started without the site packages to be quick."""
    source = Path(__file__).with_name("runc_wrapper.py").read_text()
    target = folder / f"runc-{cache.digest(source, sys.executable)}"
    if not target.is_file():
        partial = target.with_suffix(f".{os.getpid()}")
        partial.write_text(f"#!{sys.executable} -ISE\n{source}")
        partial.chmod(0o755)
        partial.rename(target)
    return target


def _alive(pid_file: Path, program: str) -> int | None:
    """The process a pid file names, if it still runs and is that program and not a later one."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()  # empty for one that nobody buried yet
    except (OSError, ValueError):
        return None
    return pid if Path(os.fsdecode(command.split(b"\0")[0])).name == program else None


def _forget_the_dead() -> None:
    """Removes pid files and sockets that a killed engine left; a new one would trust them."""
    for pid_file, program in ((_PID_FILE, "dockerd"), (_CONTAINERD_PID, "containerd")):
        if pid_file.exists() and not _alive(pid_file, program):
            pid_file.unlink(missing_ok=True)
    for path in _SOCKETS:
        if path.is_socket() and not _listens(path):
            path.unlink(missing_ok=True)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
