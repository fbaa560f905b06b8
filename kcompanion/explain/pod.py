"""A pod as its rules see it: the STATUS word as kubectl prints it, containers of all sorts, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from kcompanion.model.fields import condition, dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.times import seconds_between

HISTORY = 3600  # seconds; what ended longer ago and runs again is no present trouble, and its events are gone


class Sort(StrEnum):
    """What a container is for."""

    APP = "app"
    INIT = "init"
    SIDECAR = "sidecar"  # an init container with restartPolicy Always
    EPHEMERAL = "ephemeral"


_LISTS = (
    (Sort.INIT, "initContainers", "initContainerStatuses"),
    (Sort.APP, "containers", "containerStatuses"),
    (Sort.EPHEMERAL, "ephemeralContainers", "ephemeralContainerStatuses"),
)


_STATES = ("waiting", "running", "terminated")


@dataclass(frozen=True)
class Container:
    """A container: what was asked for (`spec`) beside what the kubelet reports (`status`, may be empty)."""

    name: str
    sort: Sort
    index: int  # in its list of the spec
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where its status stands, as evidence names it: `status.containerStatuses[web]`."""
        field = {Sort.APP: "container", Sort.EPHEMERAL: "ephemeralContainer"}.get(self.sort, "initContainer")
        return f"status.{field}Statuses[{self.name}]"

    @property
    def state(self) -> str:
        """`waiting`, `running`, `terminated`, or empty when nothing is reported."""
        return next((word for word in _STATES if dig(self.status, "state", word) is not None), "")

    @property
    def waiting(self) -> str:
        return text_at(self.status, "state", "waiting", "reason")

    @property
    def waiting_message(self) -> str:
        return text_at(self.status, "state", "waiting", "message")

    @property
    def terminated(self) -> Mapping[str, Any]:
        """How it ended, when it is not running now."""
        return map_at(self.status, "state", "terminated")

    @property
    def last(self) -> Mapping[str, Any]:
        """How it ended the time before."""
        return map_at(self.status, "lastState", "terminated")

    @property
    def ended(self) -> Mapping[str, Any]:
        """How it ended most recently: now, or before its last restart."""
        return self.terminated or self.last

    @property
    def ended_path(self) -> str:
        return f"{self.path}.{'state' if self.terminated else 'lastState'}.terminated"

    @property
    def exit_code(self) -> int | None:
        code = self.ended.get("exitCode")
        return code if isinstance(code, int) else None

    @property
    def restarts(self) -> int:
        count = self.status.get("restartCount")
        return count if isinstance(count, int) else 0

    @property
    def ready(self) -> bool:
        return self.status.get("ready") is True

    @property
    def started(self) -> bool:
        return self.status.get("started") is True

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def image(self) -> str:
        return text_at(self.spec, "image") or text_at(self.status, "image")


class Pod:
    """A pod's JSON with names for what rules ask of it."""

    def __init__(self, raw: Object) -> None:
        self.raw = raw

    @cached_property
    def ref(self) -> Ref:
        return Ref("Pod", self.name, self.namespace)

    @property
    def name(self) -> str:
        return name_of(self.raw)

    @property
    def namespace(self) -> str:
        return namespace_of(self.raw)

    @property
    def uid(self) -> str:
        return text_at(self.raw, "metadata", "uid")

    @property
    def phase(self) -> str:
        return text_at(self.raw, "status", "phase")

    @property
    def reason(self) -> str:
        return text_at(self.raw, "status", "reason")

    @property
    def message(self) -> str:
        return text_at(self.raw, "status", "message")

    @property
    def node(self) -> str:
        return text_at(self.raw, "spec", "nodeName")

    @property
    def deleted_at(self) -> str:
        """The deletion timestamp: when its grace period ends. Empty while nobody has deleted it."""
        return text_at(self.raw, "metadata", "deletionTimestamp")

    @property
    def restart_policy(self) -> str:
        return text_at(self.raw, "spec", "restartPolicy") or "Always"

    def condition(self, type_: str) -> Mapping[str, Any]:
        return condition(self.raw, type_)

    def is_true(self, type_: str) -> bool:
        return self.condition(type_).get("status") == "True"

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Init containers and sidecars, containers, ephemeral containers, each in the order of the spec."""
        return tuple(found for sort, specs, statuses in _LISTS for found in self._of(sort, specs, statuses))

    def _of(self, sort: Sort, specs: str, statuses: str) -> list[Container]:
        reported = {text_at(status, "name"): status for status in maps_at(self.raw, "status", statuses)}
        return [
            Container(
                text_at(spec, "name"),
                Sort.SIDECAR if sort is Sort.INIT and spec.get("restartPolicy") == "Always" else sort,
                index,
                spec,
                reported.get(text_at(spec, "name"), {}),
            )
            for index, spec in enumerate(maps_at(self.raw, "spec", specs))
        ]

    @cached_property
    def well(self) -> bool:
        """Whether nothing at all is noteworthy."""
        return self._ready_throughout and not any(container.restarts for container in self.containers)

    def settled(self, now: datetime) -> bool:
        """Whether it is well, its restarts being history, so that only rules for every pod need to look at it."""
        return self._ready_throughout and all(
            not container.restarts or (seconds_between(text_at(container.last, "finishedAt"), now) or 0) > HISTORY
            for container in self.containers
        )

    @cached_property
    def _ready_throughout(self) -> bool:
        if self.deleted_at or self.reason:
            return False
        if self.phase == "Succeeded":
            return not self.is_true("DisruptionTarget")  # ended from outside, its program just said no word against it
        if self.phase != "Running" or not self.is_true("Ready"):
            return False
        told = maps_at(self.raw, "status", "conditions")
        usual = ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
        if any(c.get("type") not in usual or c.get("status") != "True" for c in told):
            return False
        return all(c.ready or c.sort in (Sort.INIT, Sort.EPHEMERAL) for c in self.containers)

    @property
    def status_word(self) -> str:
        """The STATUS column of `kubectl get pods`."""
        return self.status_steps[-1][0]

    @cached_property
    def status_steps(self) -> tuple[tuple[str, str], ...]:
        """How the STATUS word comes about: each value it took and the field that gave it, the word itself last.

        Follows printPod in pkg/printers/internalversion/printers.go of Kubernetes 1.36.
        """
        steps = [(self.phase, "status.phase")]
        if self.reason:
            steps.append((self.reason, "status.reason"))
        if text_at(self.condition("PodScheduled"), "reason") == "SchedulingGated":
            steps.append(("SchedulingGated", "status.conditions[PodScheduled].reason"))
        init = self._init_word()
        if init:
            steps.append(init)
        if not init or self.is_true("Initialized"):
            steps += self._container_words(steps[-1][0])
        if self.deleted_at and self.reason == "NodeLost":
            steps.append(("Unknown", "metadata.deletionTimestamp"))
        elif self.deleted_at and self.phase not in ("Succeeded", "Failed"):
            steps.append(("Terminating", "metadata.deletionTimestamp"))
        return tuple(steps)

    @cached_property
    def _init_run(self) -> tuple[list[Container], Container | None]:
        """The sidecars that have started, and the first init container that is not done: None when all are.

        The `index` of the latter is its place among those reported, which is what `Init:1/3` counts.
        """
        by_name = {c.name: c for c in self.containers if c.sort in (Sort.INIT, Sort.SIDECAR)}
        started: list[Container] = []
        for index, status in enumerate(maps_at(self.raw, "status", "initContainerStatuses")):
            name = text_at(status, "name")
            known = by_name.get(name)
            spec, sort = (known.spec, known.sort) if known else ({}, Sort.INIT)
            container = Container(name, sort, index, spec, status)
            ended = container.state == "terminated" and container.terminated.get("exitCode", 0) == 0
            if not (ended or (sort is Sort.SIDECAR and container.started)):
                return started, container
            if not ended:
                started.append(container)
        return started, None

    def _init_word(self) -> tuple[str, str] | None:
        """The word of the first init container that is not done, None when all are."""
        container = self._init_run[1]
        if container is None:
            return None
        if ended := container.terminated:
            return f"Init:{_end_word(ended)}", f"{container.path}.state.terminated"
        if container.waiting and container.waiting != "PodInitializing":
            return f"Init:{container.waiting}", f"{container.path}.state.waiting.reason"
        total = sum(1 for c in self.containers if c.sort in (Sort.INIT, Sort.SIDECAR))
        return f"Init:{container.index}/{total}", "status.initContainerStatuses"

    def _container_words(self, word: str) -> list[tuple[str, str]]:
        """What the containers make of the word; the first one of the status (sorted by name) speaks last."""
        steps: list[tuple[str, str]] = []
        failed: tuple[str, str] | None = None
        running = False
        for container in reversed(self._reported_apps):
            if container.waiting:
                steps.append((container.waiting, f"{container.path}.state.waiting.reason"))
            elif container.terminated:
                ended = container.terminated
                steps.append((_end_word(ended), f"{container.path}.state.terminated"))
                if ended.get("exitCode") != 0:
                    failed = steps[-1]
            elif container.ready and container.running:
                running = True
        if (steps[-1][0] if steps else word) == "Completed":
            if running and self.is_true("Ready"):
                steps.append(("Running", "status.conditions[Ready]"))
            elif failed:
                steps.append(failed)
            elif running:
                steps.append(("NotReady", "status.conditions[Ready]"))
        return steps

    @cached_property
    def _reported_apps(self) -> list[Container]:
        """The containers in the order the kubelet reports them, also those that the spec does not have."""
        by_name = {c.name: c for c in self.containers if c.sort is Sort.APP}
        reported = enumerate(maps_at(self.raw, "status", "containerStatuses"))
        named = [(index, text_at(status, "name"), status) for index, status in reported]
        return [by_name.get(name) or Container(name, Sort.APP, index, {}, status) for index, name, status in named]

    @cached_property
    def ready_count(self) -> tuple[int, int]:
        """The READY column: containers that are ready, of how many; sidecars count, init containers do not.

        Like printPod it counts sidecars up to the init container that is not done, and containers once all are.
        """
        counted = [c for c in self.containers if c.sort in (Sort.APP, Sort.SIDECAR)]
        sidecars, blocked = self._init_run
        ready = sum(1 for c in sidecars if c.ready)
        if blocked is None or self.is_true("Initialized"):
            ready += sum(1 for c in self._reported_apps if c.ready and c.running)
        return ready, len(counted)


def _end_word(ended: Mapping[str, Any]) -> str:
    if reason := text_at(ended, "reason"):
        return reason
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode')}"
