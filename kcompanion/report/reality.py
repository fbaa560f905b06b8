"""What of an answer never was a real cluster: recorded cases, and nodes that kwok pretends. Every answer says so."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.controlplane.nodes import fake_among
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.snapshot import Snapshot

NAMES = 3  # fake nodes that are named


def notes(snapshot: Snapshot, title: Message | None) -> Iterator[Message]:
    """A sentence for each; some titles tell of the recorded case themselves."""
    if snapshot.origin.fake and (title is None or "case" not in dict(title.values)):
        yield say("common.recorded_case", case=snapshot.origin.fake)
    if fake := fake_among(snapshot):
        names = ", ".join(fake[:NAMES]) + (" …" if len(fake) > NAMES else "")
        yield say(one_or_many("common.fake_nodes", len(fake)), count=len(fake), names=names)
