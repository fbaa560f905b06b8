"""What the kind's removal would take along, and what keeps it from going."""

from __future__ import annotations

from dataclasses import dataclass

from kcompanion.model import resources as r
from kcompanion.model.ask import getting, listing
from kcompanion.model.fields import map_at, name_of, namespace_of, texts_at
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.ownership.owners import controller_of
from kcompanion.reconcile.target import COMPANION

CRD = getting(r.CRDS, COMPANION.name)
OBJECTS, PODS = listing(r.COMPANIONREPLICASETS), listing(r.PODS, metadata_only=True)


@dataclass(frozen=True)
class Remains:
    """CompanionReplicaSets and their pods that are not being deleted yet, as `namespace/name`."""

    objects: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    held: tuple[str, ...] = ()  # objects that somebody's finalizers hold, with these

    @property
    def any(self) -> bool:
        return bool(self.objects or self.pods)

    @property
    def told(self) -> str:
        """One line for the person who waits."""
        if self.held:
            return f"CompanionReplicaSets that finalizers hold: {', '.join(self.held[:5])}"
        if self.objects:
            return f"CompanionReplicaSets that are still there: {', '.join(self.objects[:5])}"
        return f"pods that garbage collection has not taken up yet: {', '.join(self.pods[:5])}"


def remains(snapshot: Snapshot) -> Remains:
    objects = snapshot.items(OBJECTS)
    held = [
        f"{_where(item)} ({', '.join(names)})"
        for item in objects
        if (names := texts_at(item, "metadata", "finalizers"))
    ]
    pods = [_where(item) for item in snapshot.items(PODS) if _is_ours(item)]
    return Remains(tuple(map(_where, objects)), tuple(pods), tuple(held))


def _is_ours(pod: Object) -> bool:
    owner = controller_of(pod)
    ours = owner is not None and owner.kind == COMPANION.kind and owner.api_version.startswith(f"{COMPANION.group}/")
    return ours and not map_at(pod, "metadata").get("deletionTimestamp")


def _where(item: Object) -> str:
    return f"{namespace_of(item)}/{name_of(item)}"
