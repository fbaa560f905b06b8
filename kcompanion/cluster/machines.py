"""The containers that are a kind cluster's nodes, on this machine's docker: found, made sure of, and handled.

Names of nodes come from the API, and what is asked of docker is done with this machine's rights. So nothing is done to
a container that was not found to be a node of the very cluster the kubeconfig points at.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from kcompanion.errors import CompanionError, UsageError

_VERBS = ("start", "kill", "exec")  # all that lessons do to a node
_LABEL = "io.x-k8s.kind.cluster"
_LISTED = [
    "ps",
    "--all",
    "--filter",
    f"label={_LABEL}",
    "--format",
    f'{{{{.Names}}}}\t{{{{.Label "{_LABEL}"}}}}\t{{{{.Ports}}}}',
]
_PUBLISHED = re.compile(r":(\d+)->6443/tcp")
_HERE = ("127.0.0.1", "localhost", "::1")
SECONDS = 120.0  # for one command, on a machine with much else to do
LATE = 124  # the exit code of what did not end in time, as timeout(1) has it
_TOLD = 64 << 10  # characters of output that are kept


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


def docker(words: Sequence[str], seconds: float = SECONDS) -> Ran:
    """Runs docker to its end, also when a signal ends us meanwhile: half a command could not be taken back.

    Raises:
        CompanionError: there is no docker.
    """
    # Signals are raised in the main thread only: what runs in another one is begun and ended, or not begun.
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(_docker, words, seconds).result()


def _docker(words: Sequence[str], seconds: float) -> Ran:
    try:
        process = subprocess.Popen(  # noqa: S603 - what is run is of the lessons, at a container that was made sure of
            ["docker", *words],  # noqa: S607 - from PATH, as people run it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # a terminal's Ctrl-C is ours alone
        )
    except OSError as error:
        raise CompanionError(
            f"docker cannot be run: {error.strerror}", "nodes are handled where their containers are"
        ) from error
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Ran(LATE, "", f"did not end in {seconds:.0f} s")
    return Ran(process.returncode, out[:_TOLD], err[:_TOLD])


class Machines:
    """Handles the nodes of one cluster, and no other container."""

    def __init__(self, nodes: Iterable[str]) -> None:
        self._nodes = frozenset(nodes)

    def run(self, words: Sequence[str]) -> Ran:
        """Runs docker on a node.

        Raises:
            CompanionError: it would be another container, or there is no docker.
        """
        if len(words) < 2 or words[0] not in _VERBS or words[1] not in self._nodes:
            raise CompanionError(
                f"docker {' '.join(words[:2])} was not run: that is no node of this cluster",
                "look at `kubectl get nodes`",
            )
        return docker(words)


def machines_of(server: str, nodes: Sequence[str], *, trust: bool) -> Machines:
    """The nodes as containers here; with `trust` whoever calls has made sure that they are.

    Raises:
        UsageError: they are not, or not for certain.
    """
    if trust:
        return Machines(nodes)
    listed = docker(_LISTED)
    if listed.code:
        raise UsageError(
            f"docker does not answer: {_first(listed.err)}", "lessons that stop nodes need kind's containers"
        )
    problem = why_not(server, nodes, listed.out)
    if problem:
        raise UsageError(
            f"this lesson stops nodes, and {problem}",
            "`make cluster` makes one for it; --anyway does it nevertheless to containers of the nodes' names",
        )
    return Machines(nodes)


def why_not(server: str, nodes: Iterable[str], listed: str) -> str:
    """Why these nodes are not the kind cluster behind `server`; nothing when they are."""
    clusters: dict[str, dict[str, str]] = {}
    for line in listed.splitlines():
        name, cluster, ports = [*line.split("\t"), "", ""][:3]
        clusters.setdefault(cluster, {})[name] = ports
    wanted = set(nodes)
    found = next((containers for containers in clusters.values() if wanted and wanted <= set(containers)), None)
    if found is None:
        return "the nodes of this cluster are no kind containers on this machine's docker"
    where = urlsplit(server)
    published = {port for ports in found.values() for port in _PUBLISHED.findall(ports)}
    if where.hostname in _HERE and str(where.port) in published:
        return ""
    return f"{server} is not an address at which docker publishes the API server of those containers"


def _first(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:200]
