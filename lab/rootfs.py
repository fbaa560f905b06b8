"""Base systems for images: small Debian trees made by debootstrap, kept as tar files.

The mirror is the one this machine's apt already uses, so that a company mirror or proxy is honoured.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab import cache, host, versions
from lab.shell import run, step

# What a kind node needs beside systemd; kube-proxy, the CNI agent and Envoy run on the same system,
# so that all of them share one layer.
NODE_PACKAGES = [
    *("systemd", "dbus", "conntrack", "iptables", "nftables", "iproute2", "ethtool", "util-linux"),
    *("mount", "kmod", "libseccomp2", "procps", "ca-certificates", "jq", "curl", "bash"),
]
PYTHON_PACKAGES = ["python3", "ca-certificates"]

_OPTIONS = re.compile(r"\[.*?\]")  # deb [arch=amd64 …] URI SUITE COMPONENT
_RECIPE = "1"  # raise when the way of building changes
_DROPPED = (
    "dev/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/locale/*",
    "usr/share/info/*",
)


def tar(name: str, packages: Sequence[str], minutes: float) -> Path:
    """A tar file of a minimal Debian with `packages`, made once."""

    def fill(folder: Path) -> None:
        host.require_root("debootstrap makes a system owned by root")
        host.require_program("debootstrap", package="debootstrap")
        with step(f"debootstrap of the {name} base system ({versions.DEBIAN})", minutes):
            tree = folder / "tree"
            _debootstrap(tree, packages)
            _pack(tree, folder / "rootfs.tar")
            shutil.rmtree(tree)

    return cache.entry(key(name, packages), fill) / "rootfs.tar"


def key(name: str, packages: Sequence[str]) -> str:
    return f"rootfs/{name}-{versions.DEBIAN}-{cache.digest(_RECIPE, *packages, *_DROPPED)}"


def node() -> Path:
    return tar("node", NODE_PACKAGES, 2)


def python() -> Path:
    return tar("python", PYTHON_PACKAGES, 1)


def mirror(texts: Sequence[str], suites: Sequence[str]) -> str | None:
    """The first address that apt's source lists name for one of `suites` (both formats of apt)."""
    for text in texts:
        for stanza in text.split("\n\n"):
            for uri, suite in _one_line_sources(stanza) + _deb822_sources(stanza):
                if suite in suites:
                    return uri
    return None


def _one_line_sources(stanza: str) -> list[tuple[str, str]]:
    lines = [_OPTIONS.sub("", line).split() for line in stanza.splitlines()]
    return [(words[1], words[2]) for words in lines if len(words) >= 3 and words[0] == "deb"]


def _deb822_sources(stanza: str) -> list[tuple[str, str]]:
    lines = [line for line in stanza.splitlines() if ":" in line and not line.startswith("#")]
    fields = {key.strip().lower(): value.split() for key, _, value in (s.partition(":") for s in lines)}
    return [(uri, suite) for uri in fields.get("uris", []) for suite in fields.get("suites", [])]


def _debootstrap(tree: Path, packages: Sequence[str]) -> None:
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    texts = [path.read_text() for path in lists if path.is_file()]
    # Another Debian release's mirror holds this release too.
    found = mirror(texts, [versions.DEBIAN]) or mirror(texts, host.debian_suites())
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}"]
    proxy = host.apt_proxy()
    environment = {**os.environ, **({"http_proxy": proxy} if proxy else {})}
    run([*command, versions.DEBIAN, tree, *([found] if found else [])], env=environment)


def _pack(tree: Path, target: Path) -> None:
    # Docker fills /dev itself; package lists, logs and documentation only make the image larger.
    excluded = [f"--exclude=./{pattern}" for pattern in _DROPPED]
    run(["tar", "--create", "--numeric-owner", "--sort=name", *excluded, "-C", tree, "-f", target, "."])
