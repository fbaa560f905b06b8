"""What answers questions: a live cluster or a recording. Nothing else of kcompanion can tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from kcompanion.model.ask import Ask, Reading
from kcompanion.model.snapshot import Origin


class Source(Protocol):
    """Answers questions. `now` is the cluster's clock at the last answer."""

    @property
    def origin(self) -> Origin: ...

    @property
    def now(self) -> datetime: ...

    def read(self, asks: Iterable[Ask]) -> Mapping[str, Reading]:
        """One reading per question, by key; a question that fails is a reading too."""
        ...
