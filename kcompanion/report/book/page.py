"""A page of the book, or one of its indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kcompanion.model.snapshot import Gap
from kcompanion.report.book.look import Example
from kcompanion.report.document import Section


@dataclass(frozen=True)
class Page:
    """A page of the book. `found` counts the examples there are, of which the first few are shown; None: unread."""

    topic: str
    word: str
    sections: Sequence[Section]
    examples: Sequence[Example] = ()
    found: int | None = 0
    gaps: tuple[Gap, ...] = ()
    codes: Sequence[str] = field(default_factory=tuple)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [example.ref.kubectl.partition(" ")[0] for example in self.examples]

    def to_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "word": self.word or None,
            "rules": list(self.codes),
            "found": self.found,
            "counts": dict(sorted(self.counts.items())),
            "examples": [
                {
                    "kind": example.ref.kind,
                    "namespace": example.ref.namespace or None,
                    "name": example.ref.name,
                    "what": example.what,
                    "since": example.since or None,
                }
                for example in self.examples
            ],
        }
