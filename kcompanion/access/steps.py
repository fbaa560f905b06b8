"""The way to an API server, step by step, and what the clocks say: facts found on the way, and their judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model.ask import Reading, local
from kcompanion.model.fields import maps_at, text_at
from kcompanion.model.finding import Evidence, Finding, Severity, Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot

REACH = local("reach")
# In the order they are taken; the first that fails ends the way.
ORDER = ("kubeconfig", "proxy", "resolve", "connect", "tls", "answer", "authenticate")
SKEWED = 10  # seconds: leases of 15 s and heartbeats of 10 s are judged by the server's clock, certificates by ours
SLOW = 1000  # milliseconds for /version


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `detail` is what was found (an address, a protocol, an error)."""

    name: str
    status: Status
    detail: str = ""
    milliseconds: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status.value,
            "detail": self.detail or None,
            "milliseconds": self.milliseconds,
        }


@dataclass(frozen=True, slots=True)
class Reach:
    """All steps that were taken, the latency of a small answer, and the server's clock minus ours."""

    steps: tuple[Step, ...]
    latency: int | None = None  # milliseconds, the median of some requests on an open connection
    skew: int | None = None  # seconds; None when it could not be measured

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.status is Status.FAIL), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "steps": [step.to_json() for step in self.steps],
            "latencyMilliseconds": self.latency,
            "clockSkewSeconds": self.skew,
        }


def reading(reach: Reach) -> Mapping[str, Any]:
    """The reach as a recording keeps it."""
    return reach.to_json()


def reach_of(snapshot: Snapshot) -> Reach | None:
    """The way as it was found when the snapshot was taken; None in a recording without it."""
    held: Reading = snapshot.reading(REACH)
    if not isinstance(held.body, Mapping):
        return None
    steps = tuple(_step(item) for item in maps_at(held.body, "steps"))
    return Reach(steps, _int(held.body, "latencyMilliseconds"), _int(held.body, "clockSkewSeconds"))


def _step(item: Mapping[str, Any]) -> Step:
    status = Status(text_at(item, "status") or Status.UNKNOWN.value)
    return Step(text_at(item, "name"), status, text_at(item, "detail"), _int(item, "milliseconds"))


def with_step(reach: Reach, step: Step) -> Reach:
    return Reach((*reach.steps, step), reach.latency, reach.skew)


def _int(holder: Mapping[str, Any], key: str) -> int | None:
    value = holder.get(key)
    return value if isinstance(value, int) else None


def findings(reach: Reach | None, server: str) -> Iterable[Finding]:
    """KC4020 to KC4023: a step that failed, clocks apart, slow answers, an unchecked certificate."""
    if reach is None:
        return
    subject = f"Server/{server or '-'}"
    command = f"curl -vk {server}/version" if server else "kcompanion contexts"
    failed = reach.failed
    if failed is not None:
        proof = Evidence(f"step {failed.name}", "", failed.detail)
        step = say(f"doctor.step.{failed.name}")
        yield Finding("KC4020", Severity.CRITICAL, subject, say("doctor.finding.kc4020", step=step), (proof,), command)
    if reach.skew is not None and abs(reach.skew) >= SKEWED:
        word = "ahead" if reach.skew > 0 else "behind"
        proof = Evidence("Date header of the API server", "", f"{reach.skew:+d}s")
        text = say("doctor.finding.kc4021", seconds=abs(reach.skew), word=say(f"doctor.clock.{word}"))
        yield Finding("KC4021", Severity.WARNING, subject, text, (proof,), "date -u")
    if reach.latency is not None and reach.latency >= SLOW:
        proof = Evidence("/version", "latency", f"{reach.latency}ms")
        text = say("doctor.finding.kc4022", milliseconds=reach.latency)
        yield Finding("KC4022", Severity.WARNING, subject, text, (proof,), "kcompanion controlplane health")
    if any(step.name == "tls" and step.status is Status.WARN for step in reach.steps):
        proof = Evidence("kubeconfig", "insecure-skip-tls-verify", "true")
        yield Finding(
            "KC4023", Severity.WARNING, subject, say("doctor.finding.kc4023"), (proof,), "kcompanion contexts"
        )


def worst_step(steps: Sequence[Step]) -> Status:
    """The status of the way: a failed step, else the worst of them."""
    order = (Status.FAIL, Status.UNKNOWN, Status.WARN)
    return next((status for status in order if any(s.status is status for s in steps)), Status.OK)
