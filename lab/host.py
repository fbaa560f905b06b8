"""What this machine is and allows: user, capabilities, packages."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.shell import LabError, run, say, step, succeeds

_SYS_RESOURCE = 24
_INOTIFY = Path("/proc/sys/fs/inotify")
_WANTED = {"max_user_instances": 1024, "max_user_watches": 524288}


def capability(status: str, bit: int) -> bool:
    """Whether CapBnd in a /proc/PID/status text holds the capability with this number."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "CapBnd":
            return bool(int(value.strip(), 16) >> bit & 1)
    return False


def has_sys_resource() -> bool:
    """CAP_SYS_RESOURCE: some sandboxes take it away, and then privileged containers cannot start."""
    return capability(Path("/proc/self/status").read_text(), _SYS_RESOURCE)


def is_root() -> bool:
    return os.geteuid() == 0


def require_root(why: str) -> None:
    if not is_root():
        raise LabError(f"root ({why})", "run the same command with sudo, or where images can be pulled")


def may_change() -> bool:
    """LAB_INSTALL=0 forbids the lab to install packages and to raise kernel limits."""
    return os.environ.get("LAB_INSTALL", "1") != "0"


def require_program(name: str, *, package: str) -> str:
    """The path of a system program; on Debian and Ubuntu its package is installed, aloud, if it lacks."""
    if found := which(name):
        return found
    if not (is_root() and may_change() and shutil.which("apt-get")):
        raise LabError(f"the program {name}", f"install the package {package} and run the same command again")
    with step(f"installing the package {package} (LAB_INSTALL=0 forbids it)", 0.3):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", package]
        if not succeeds(["apt-cache", "show", package]):
            run(["apt-get", "update"], env=environment)
        try:
            run(install, env=environment)
        except LabError:  # an outdated list is the usual reason
            say("lab: the package lists are old, fetching them again")
            run(["apt-get", "update"], env=environment)
            run(install, env=environment)
    if found := which(name):
        return found
    raise LabError(f"the program {name} in the package {package}", f"install {name} by hand")


def which(name: str) -> str | None:
    """Like shutil.which, but also looks where system programs live when PATH leaves those out."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(name, path=os.pathsep.join([path, "/usr/local/sbin", "/usr/sbin", "/sbin"]))


def debian_suites() -> list[str]:
    """The code name of this machine's release if it is a Debian."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return []
    fields = {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
    return [fields["VERSION_CODENAME"]] if fields.get("ID") == "debian" else []


def apt_proxy() -> str | None:
    """The proxy that apt is configured to use; debootstrap does not read apt's configuration."""
    if not shutil.which("apt-config"):
        return None
    line = run(["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"]).strip()
    return line or None


def allow_many_watchers() -> None:
    """Raises the kernel's inotify limits until the next reboot.

    Every kubelet, systemd and kube-proxy watches files, all nodes share one limit, and the usual 128
    is used up by the seventh node: its kubelet then ends with "too many open files".
    """
    low = {name: wanted for name, wanted in _WANTED.items() if _limit(name) < wanted}
    if not low:
        return
    setting = " ".join(f"fs.inotify.{name}={wanted}" for name, wanted in low.items())
    if not (is_root() and may_change()):
        say(f"lab: low limits may keep nodes from starting; if so: sudo sysctl {setting}")
        return
    say(f"lab: raising limits until the next reboot: {setting}")
    for name, wanted in low.items():
        (_INOTIFY / name).write_text(str(wanted))


def _limit(name: str) -> int:
    try:
        return int((_INOTIFY / name).read_text())
    except OSError:  # not a Linux of ours to set up, such as Docker Desktop's
        return _WANTED[name]
