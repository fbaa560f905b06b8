"""What rules about probes share: a probe's numbers, what it asks, and what the answer was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.model.events import Event
from kcompanion.model.fields import map_at, maps_at, text_at, texts_at
from kcompanion.model.message import Message, say
from kcompanion.model.world import World


@dataclass(frozen=True)
class Probe:
    """One probe of a container; times in seconds."""

    name: str  # readiness, liveness or startup
    spec: Mapping[str, Any]
    container: Container

    @property
    def path(self) -> str:
        """Where it stands in the pod, as evidence names it."""
        field = "initContainers" if self.container.sort is Sort.SIDECAR else "containers"
        return f"spec.{field}[{self.container.name}].{self.name}Probe"

    @property
    def delay(self) -> int:
        return self._number("initialDelaySeconds", 0)

    @property
    def period(self) -> int:
        return self._number("periodSeconds", 10)

    @property
    def timeout(self) -> int:
        return self._number("timeoutSeconds", 1)

    @property
    def failures(self) -> int:
        """How many failures in a row count."""
        return self._number("failureThreshold", 3)

    @property
    def patience(self) -> int:
        """Seconds from the container's start until a probe that never succeeds is acted upon."""
        return self.delay + self.period * self.failures

    @property
    def numbers(self) -> str:
        """All its numbers under their API names."""
        named = (
            ("initialDelaySeconds", self.delay),
            ("periodSeconds", self.period),
            ("timeoutSeconds", self.timeout),
            ("failureThreshold", self.failures),
        )
        return ", ".join([self.asks, *(f"{name} {number}" for name, number in named)])

    @property
    def asks(self) -> str:
        return asks_of(self.spec)

    @property
    def port(self) -> int | str | None:
        """The port it asks, by number or name; None for a command."""
        for kind in ("httpGet", "tcpSocket", "grpc"):
            port = map_at(self.spec, kind).get("port")
            if isinstance(port, int | str):
                return port
        return None

    @property
    def stray_port(self) -> bool:
        """Whether the container declares ports, but not the one that is asked."""
        declared = [p for p in maps_at(self.container.spec, "ports") if p.get("protocol", "TCP") == "TCP"]
        known = [p.get(field) for p in declared for field in ("containerPort", "name")]
        return bool(declared) and self.port is not None and self.port not in known

    @property
    def declared_ports(self) -> str:
        return ", ".join(str(port.get("containerPort")) for port in maps_at(self.container.spec, "ports"))

    def _number(self, name: str, default: int) -> int:
        value = self.spec.get(name)
        return value if isinstance(value, int) else default


def asks_of(handler: Mapping[str, Any]) -> str:
    """What a probe or hook does, in a form that needs no translation: `GET :8080/ready`, `TCP :5432`, `exec true`.

    Of a command only the program is told: the rest may hold a password.
    """
    if http := map_at(handler, "httpGet"):
        scheme = "https://" if http.get("scheme") == "HTTPS" else ""
        path = text_at(http, "path").removeprefix("/")
        return f"GET {scheme}{text_at(http, 'host')}:{http.get('port')}/{path}"
    if tcp := map_at(handler, "tcpSocket"):
        return f"TCP {text_at(tcp, 'host')}:{tcp.get('port')}"
    if grpc := map_at(handler, "grpc"):
        return f"gRPC :{grpc.get('port')} {text_at(grpc, 'service')}".strip()
    if sleep := map_at(handler, "sleep"):
        return f"sleep {sleep.get('seconds')} s"
    command = texts_at(handler, "exec", "command")
    return f"exec {command[0]}{' …' if len(command) > 1 else ''}" if command else "?"


def probe_of(container: Container, name: str) -> Probe | None:
    spec = map_at(container.spec, f"{name}Probe")
    return Probe(name, spec, container) if spec else None


def events_of(pod: Pod, container: Container, world: World, *reasons: str) -> list[Event]:
    """The events of a container with one of these reasons, the latest last.

    Raises:
        NotKnown: events could not be read.
    """
    return [
        e for e in world.events(pod.ref, pod.uid) if e.reason in reasons and e.path.endswith(f"{{{container.name}}}")
    ]


def failure(pod: Pod, probe: Probe, world: World) -> Event | None:
    """The latest event of the kubelet that this probe failed.

    Raises:
        NotKnown: events could not be read.
    """
    word = f"{probe.name} probe"
    told = [e for e in events_of(pod, probe.container, world, "Unhealthy") if e.message.lower().startswith(word)]
    return told[-1] if told else None


def killing(pod: Pod, probe: Probe, world: World) -> Event | None:
    """The latest event of the kubelet that it kills the container because of this probe.

    Raises:
        NotKnown: events could not be read.
    """
    word = f"failed {probe.name} probe"
    told = [e for e in events_of(pod, probe.container, world, "Killing") if word in e.message]
    return told[-1] if told else None


# What the kubelet's probes answer (pkg/probe/{http,tcp,grpc,exec} of Kubernetes 1.36; Go's net errors): the first
# pattern that fits names the text, its groups fill the placeholder {what}.
_ANSWERS: tuple[tuple[str, str], ...] = (
    (r"statuscode: (404)", "not_found"),
    (r"statuscode: (401|403)", "denied"),
    (r"statuscode: (5\d\d)", "server_error"),
    (r"statuscode: (\d+)", "status"),
    (r"connection refused", "refused"),
    (r"no route to host|network is unreachable|no such host", "unreachable"),
    # an unknown name is taken for a number in the end (ResolveContainerPort in pkg/probe/util.go)
    (r"port \S+ not found|couldn't find port|strconv\.Atoi", "unnamed_port"),
    (r"server gave HTTP response to HTTPS client", "not_tls"),
    (r"malformed HTTP response|server gave TLS|first record does not look like a TLS", "not_http"),
    (r"command timed out|timed out after", "command_timeout"),
    (r"failed to connect service", "no_grpc"),
    (r"context deadline exceeded|Client\.Timeout|i/o timeout|timeout:", "timeout"),
    (r"EOF|connection reset|broken pipe", "cut"),
    (r"does not implement the grpc health protocol", "no_grpc_health"),
    (r"service unhealthy \(responded with \"?(\w+)", "grpc_status"),
    (r"executable file not found|no such file or directory.*unknown|OCI runtime exec failed", "no_program"),
)
_LONGEST = 120  # characters of an answer that is cited word for word


def answer(event: Event, probe: Probe) -> Message:
    """What came back, as a clause."""
    said = event.message.partition(": ")[2]
    for pattern, name in _ANSWERS:
        if found := re.search(pattern, said):
            what = found[1] if found.groups() else ""
            return say(f"rule_probe.answer.{name}", what=what, port=probe.port, seconds=probe.timeout)
    words = " ".join(said.split())[:_LONGEST].rstrip(". ")
    name = ("command" if words else "command_silent") if "exec" in probe.spec else "other"
    return say(f"rule_probe.answer.{name}", what=words, port=probe.port, seconds=probe.timeout)


def running_for(container: Container, world: World) -> int:
    """Seconds since the container's present start; 0 when it does not run."""
    return world.since(text_at(container.status, "state", "running", "startedAt")) or 0
