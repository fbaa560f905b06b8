"""The composition root: from Options to a Session on a cluster or a recording, and back to a recording."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import click

from kcompanion.cli.options import Options
from kcompanion.cluster import recording
from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.cluster.live import LiveSource
from kcompanion.cluster.parallel import Deadline
from kcompanion.cluster.session import Session
from kcompanion.errors import BadRecording


@contextmanager
def session(options: Options) -> Iterator[Session]:
    """A conversation with what the options name; `--record` is written when it ends without an error.

    Raises:
        CompanionError: no cluster, or a file that is no recording.
    """
    if options.from_file:
        source = recording.RecordedSource(recording.load(recording_path(options.from_file)), options.now)
        yield Session(source, options.now)
        return
    with live(options, connect(target(options))) as talk:
        yield talk
    if options.record:
        recording.save(talk.snapshot, Path(options.record))


def target(options: Options) -> Target:
    """Which cluster the options mean, and as whom to read it."""
    return Target(
        kubeconfig=options.kubeconfig,
        context=options.context,
        cluster=options.cluster,
        user=options.user,
        server=options.server,
        as_user=options.as_user,
        as_groups=options.as_group,
        plugin_timeout=options.deadline,
    )


@contextmanager
def live(options: Options, connection: Connection) -> Iterator[Session]:
    """A conversation over a connection, within the options' deadline."""
    with _progress() as advance:
        source = LiveSource(
            connection,
            request_timeout=options.request_timeout,
            deadline=Deadline(options.deadline),
            on_progress=advance,
        )
        yield Session(source, options.now)


SHIPPED = "demo:"


def recording_path(name: str) -> Path:
    """The file that --from names: a path, or `demo:NAME` for a recording shipped with kcompanion.

    Raises:
        BadRecording: there is no shipped recording of that name.
    """
    return shipped(name, "", ".kcr") if name.startswith(SHIPPED) else Path(name)


def shipped(name: str, below: str, suffix: str) -> Path:
    """The file of a shipped recording `demo:NAME`, in a folder below the recordings.

    Raises:
        BadRecording: there is none of that name.
    """
    folder = Path(str(resources.files("kcompanion") / "recordings")) / below
    path = folder / f"{name.removeprefix(SHIPPED)}{suffix}"
    if path.parent != folder or not path.is_file():
        known = ", ".join(sorted(SHIPPED + file.stem for file in folder.glob(f"*{suffix}")))
        raise BadRecording(f"no recording is shipped as {name}", f"there are: {known}")
    return path


class _Progress:
    """A line on stderr for whoever waits longer than a second at a terminal."""

    def __init__(self) -> None:
        self._count = 0
        self._shown = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(1.0, self._show)
        self._timer.daemon = True
        self._timer.start()
        self._visible = False

    def __call__(self, key: str) -> None:
        with self._lock:
            self._count += 1
            if self._visible:
                self._print(key)

    def _show(self) -> None:
        with self._lock:
            self._visible = True
            self._print("")

    def _print(self, key: str) -> None:
        self._shown = True
        words = " ".join(key.split()[:2])[:50]
        sys.stderr.write(f"\r\x1b[Kreading … {self._count} {words}")
        sys.stderr.flush()

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._visible = False
            if self._shown:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _key: None
        return
    shown = _Progress()
    try:
        yield shown
    finally:
        shown.close()


def talk(text: str) -> None:
    """Says something to the person, on stderr."""
    click.echo(text, err=True)
