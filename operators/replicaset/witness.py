"""What Kopf's own watch of our kind has seen: a second pair of eyes on the watch by which we work.

Filled by Kopf's thread, read by the engine's; each call is one operation on a dict.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.target import Key

LATE = 30.0  # seconds by which one watch may lag behind the other


class Witness:
    """Versions by object, and when they were seen; and how Kopf itself is doing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = "starting"
        self.noted = 0
        self._clock = clock
        self._seen: dict[Key, tuple[int, float]] = {}

    def note(self, key: Key, version: int, *, gone: bool) -> None:
        self.noted += 1
        if gone:
            self._seen.pop(key, None)
        else:
            self._seen[key] = version, self._clock()

    def late(self, known: Callable[[Key], ReplicaSet | None]) -> Key | None:
        """An object of which Kopf knew a newer version long ago; what both know is dropped."""
        for key, (version, at) in list(self._seen.items()):
            owner = known(key)
            if owner is not None and owner.version >= version:
                self._seen.pop(key, None)
            elif self._clock() - at > LATE:
                self._seen.pop(key, None)
                return key
        return None
