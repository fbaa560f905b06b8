"""A pod as its rules see it: the STATUS word as kubectl prints it, containers of all sorts, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from kcompanion.model.fields import condition, dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object


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
        return next((word for word in ("waiting", "running", "terminated") if dig(self.status, "state", word)), "")

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
        """Whether nothing at all is noteworthy, so that only rules for every pod need to look at it."""
        if self.deleted_at or self.reason:
            return False
        if self.phase == "Succeeded":
            return True
        if self.phase != "Running" or not self.is_true("Ready"):
            return False
        told = maps_at(self.raw, "status", "conditions")
        usual = ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
        if any(c.get("type") not in usual or c.get("status") != "True" for c in told):
            return False
        return all(not c.restarts and (c.ready or c.sort in (Sort.INIT, Sort.EPHEMERAL)) for c in self.containers)

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

    def _init_word(self) -> tuple[str, str] | None:
        """The word of the first init container that is not done, None when all are."""
        by_name = {c.name: c for c in self.containers if c.sort in (Sort.INIT, Sort.SIDECAR)}
        total = len(by_name)
        for index, status in enumerate(maps_at(self.raw, "status", "initContainerStatuses")):
            name = text_at(status, "name")
            container = by_name.get(name) or Container(name, Sort.INIT, index, {}, status)
            ended = container.terminated
            if ended and ended.get("exitCode") == 0:
                continue
            if container.sort is Sort.SIDECAR and container.started:
                continue
            if ended:
                return f"Init:{_end_word(ended)}", f"{container.path}.state.terminated"
            if container.waiting and container.waiting != "PodInitializing":
                return f"Init:{container.waiting}", f"{container.path}.state.waiting.reason"
            return f"Init:{index}/{total}", "status.initContainerStatuses"
        return None

    def _container_words(self, word: str) -> list[tuple[str, str]]:
        """What the containers make of the word; the first container speaks last."""
        steps: list[tuple[str, str]] = []
        failed: tuple[str, str] | None = None
        running = False
        for container in reversed([c for c in self.containers if c.sort is Sort.APP]):
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
    def ready_count(self) -> tuple[int, int]:
        """The READY column: containers that are ready, of how many; sidecars count, init containers do not."""
        counted = [c for c in self.containers if c.sort in (Sort.APP, Sort.SIDECAR)]
        ready = [c for c in counted if c.ready and (c.running if c.sort is Sort.APP else c.started)]
        return len(ready), len(counted)


def _end_word(ended: Mapping[str, Any]) -> str:
    if reason := text_at(ended, "reason"):
        return reason
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode')}"
