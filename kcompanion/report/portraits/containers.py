"""The containers of a pod: state, restarts, how they ended, probes in numbers, requests and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.exitcodes import BY_SIGNAL, SIGNALS
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.model.fields import map_at, maps_at, text_at, texts_at
from kcompanion.model.message import Message, say
from kcompanion.report.document import Cell, Lines, Section, Table, columns
from kcompanion.report.portraits.sight import Sight, yes_or_no

# (probe, the API server's defaults: period, failures until it gives up)
PROBES = (("startup", "startupProbe"), ("readiness", "readinessProbe"), ("liveness", "livenessProbe"))
DEFAULT_PERIOD, DEFAULT_FAILURES = 10, 3
LONGEST = 40  # characters of a probe's command


def table(sight: Sight) -> Iterator[Section]:
    """Every container with its state and how it ended the last time."""
    pod = Pod(sight.item)
    heads = "CONTAINER SORT STATE READY RESTARTS LAST_END IMAGE"
    rows: list[tuple[Cell, ...]] = [
        (
            container.name,
            container.sort.value,
            _state(container, sight),
            yes_or_no(container.ready),
            container.restarts,
            ended(container, sight) if container.restarts or not container.running else None,
            container.image,
        )
        for container in pod.containers
        if sight.more or container.sort is not Sort.INIT or not _done(container)
    ]
    if rows:
        yield Section(say("portrait.section.containers"), [Table(columns(heads), rows)])


def _done(container: Container) -> bool:
    """Whether an init container has done its work: nothing to tell of it."""
    return container.exit_code == 0 and bool(container.terminated)


def _state(container: Container, sight: Sight) -> Cell:
    if container.waiting:
        return container.waiting
    if container.running:
        since = text_at(container.status, "state", "running", "startedAt")
        return say("portrait.container.running", age=sight.age(since))
    if container.terminated:
        return text_at(container.terminated, "reason") or say("portrait.container.ended")
    return None


def ended(container: Container, sight: Sight) -> Message | None:
    """`exit 137 (SIGKILL, OOMKilled), 2m ago`."""
    end = container.ended
    code = container.exit_code
    if code is None:
        return None
    signal = end.get("signal") or code - BY_SIGNAL
    reason = text_at(end, "reason")
    notes = [word for word in (SIGNALS.get(signal, ""), reason if reason not in ("Error", "Completed") else "") if word]
    finished = end.get("finishedAt")
    how = f"exit {code}" + (f" ({', '.join(notes)})" if notes else "")
    # the kubelet writes the zero time when it does not know
    if not finished or str(finished).startswith("0001"):
        return say("portrait.container.exit", how=how)
    return say("portrait.container.exit_at", how=how, age=sight.age(finished))


def probes(sight: Sight) -> Iterator[Section]:
    """Each probe with its numbers, and how long it takes to act."""
    lines: list[Cell] = []
    for container in Pod(sight.item).containers:
        for name, key in PROBES:
            probe = map_at(container.spec, key)
            if probe and (sight.more or not container.ready):
                lines.append(_probe(container, name, probe))
    if lines:
        yield Section(say("portrait.section.probes"), [Lines(lines)])


def _probe(container: Container, name: str, probe: Mapping[str, Any]) -> Message:
    period = _number(probe.get("periodSeconds"), DEFAULT_PERIOD)
    failures = _number(probe.get("failureThreshold"), DEFAULT_FAILURES)
    delay = _number(probe.get("initialDelaySeconds"), 0)
    return say(
        f"portrait.probe.{name}{'_delay' if delay else ''}",
        container=container.name,
        action=action(probe, container),
        period=period,
        failures=failures,
        total=period * failures,
        timeout=_number(probe.get("timeoutSeconds"), 1),
        **({"delay": delay} if delay else {}),
    )


def action(probe: Mapping[str, Any], container: Container) -> str:
    """`GET :8080/healthy`, `TCP :5432`, `gRPC :9000`, `exec cat /tmp/alive`."""
    if http := map_at(probe, "httpGet"):
        scheme = "" if text_at(http, "scheme") in ("", "HTTP") else f"{text_at(http, 'scheme').lower()} "
        return f"GET {scheme}{text_at(http, 'host')}:{_port(http, container)}{text_at(http, 'path') or '/'}"
    if tcp := map_at(probe, "tcpSocket"):
        return f"TCP {text_at(tcp, 'host')}:{_port(tcp, container)}"
    if grpc := map_at(probe, "grpc"):
        return f"gRPC :{grpc.get('port')}"
    words = " ".join(texts_at(probe, "exec", "command"))
    return f"exec {words if len(words) <= LONGEST else words[: LONGEST - 1] + '…'}"


def _port(probe: Mapping[str, Any], container: Container) -> object:
    """The number of a port, also of one that is given by name."""
    port = probe.get("port")
    named = (one for one in maps_at(container.spec, "ports") if text_at(one, "name") == port)
    return next(named, {}).get("containerPort", port)


def resources(sight: Sight) -> Iterator[Section]:
    """What each container asks for and may use at most."""
    if not sight.more:
        return
    rows = []
    for container in Pod(sight.item).containers:
        asked, most = map_at(container.spec, "resources", "requests"), map_at(container.spec, "resources", "limits")
        rows += [
            (container.name, name, str(asked.get(name, "-")), str(most.get(name, "-")))
            for name in sorted({*asked, *most})
        ]
    if rows:
        yield Section(say("portrait.section.resources"), [Table(columns("CONTAINER RESOURCE REQUEST LIMIT"), rows)])


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
