"""Bounded parallel work with a deadline that holds even when a thread hangs.

Daemon threads of our own: a ThreadPoolExecutor is joined when Python exits, so one hanging socket would keep a
command alive long after its deadline.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")
GRACE = 0.5  # seconds after the deadline in which tasks that watch it too hand in what they have


class Deadline:
    """A moment on the monotonic clock by which a whole command must be done."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, not below zero."""
        return max(0.0, self._at - time.monotonic())


def run_all(tasks: Mapping[str, Callable[[], T]], workers: int, deadline: Deadline) -> dict[str, T]:
    """Runs the tasks and returns the results of those that ended by the deadline, or just after it.

    Raises:
        BaseException: the first exception a task let through (tasks are expected to return failures).
    """
    todo: queue.SimpleQueue[tuple[str, Callable[[], T]]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, T | None, BaseException | None]] = queue.SimpleQueue()
    for item in tasks.items():
        todo.put(item)
    threads = [
        threading.Thread(target=_work, args=(todo, done, deadline), daemon=True)
        for _ in range(min(workers, len(tasks)))
    ]
    for thread in threads:
        thread.start()
    return _collect(done, len(tasks), deadline)


def _work(
    todo: queue.SimpleQueue[tuple[str, Callable[[], T]]],
    done: queue.SimpleQueue[tuple[str, T | None, BaseException | None]],
    deadline: Deadline,
) -> None:
    while deadline.remaining > 0:
        try:
            key, task = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((key, task(), None))
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            done.put((key, None, error))


def _collect(
    done: queue.SimpleQueue[tuple[str, T | None, BaseException | None]],
    expected: int,
    deadline: Deadline,
) -> dict[str, T]:
    results: dict[str, T] = {}
    for _ in range(expected):
        try:
            key, value, error = done.get(timeout=deadline.remaining + GRACE)
        except queue.Empty:
            break
        if error is not None:
            raise error
        results[key] = value  # type: ignore[assignment] # a task that raised nothing returned its T
    return results
