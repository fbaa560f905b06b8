"""Batches that double: 1, 2, 4, 8, … and none after a failure.

When a quota is used up, a thousand missing pods cost one refused request and not a thousand
(slowStartBatch in pkg/controller/replicaset/replica_set.go).
"""

from __future__ import annotations

from collections.abc import Iterator

INITIAL = 1  # SlowStartInitialBatchSize
BURST = 500  # BurstReplicas: as many creations or deletions in one sync


def batches(count: int, initial: int = INITIAL) -> Iterator[int]:
    """The sizes of the batches that make up `count`; whoever sees a failure asks for no more."""
    size = min(count, initial)
    while size > 0:
        yield size
        count -= size
        size = min(2 * size, count)
