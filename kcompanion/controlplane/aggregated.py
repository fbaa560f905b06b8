"""APIs that other servers serve through the API server (aggregation), and whether they answer.

One that does not answer breaks more than itself: discovery gets slow and namespaces cannot be deleted, because their
contents cannot be listed completely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.model.fields import condition, map_at, name_of, text_at
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.snapshot import Object, Snapshot

METRICS = "v1beta1.metrics.k8s.io"


@dataclass(frozen=True, slots=True)
class AggregatedApi:
    """One APIService with a Service behind it."""

    name: str
    service: str  # namespace/name
    status: Status
    reason: str
    message: str

    @property
    def evidence(self) -> Evidence:
        value = "True" if self.status is Status.OK else f"{self.reason}: {self.message}"
        return Evidence(f"APIService {self.name}", "status.conditions[Available]", value)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "service": self.service,
            "status": self.status.value,
            "reason": self.reason,
            "message": self.message,
        }


def aggregated(snapshot: Snapshot) -> tuple[AggregatedApi, ...]:
    """The aggregated APIs; those the API server serves itself have no Service."""
    services = (i for i in snapshot.items(asks.API_SERVICES) if map_at(i, "spec", "service"))
    return tuple(sorted((_api(item) for item in services), key=lambda api: api.name))


def metrics_api(snapshot: Snapshot) -> AggregatedApi | None:
    """The resource metrics API (`kubectl top`, HPA), None when it is not registered."""
    return next((api for api in aggregated(snapshot) if api.name == METRICS), None)


def _api(item: Object) -> AggregatedApi:
    available = condition(item, "Available")
    status = {"True": Status.OK, "False": Status.FAIL}.get(str(available.get("status") or ""), Status.UNKNOWN)
    service = f"{text_at(item, 'spec', 'service', 'namespace')}/{text_at(item, 'spec', 'service', 'name')}"
    reason = str(available.get("reason") or "")
    return AggregatedApi(name_of(item), service, status, reason, str(available.get("message") or ""))
