"""The steps of a pod's containers: image, first start, end, and restarts by the kubelet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model.events import Event
from kcompanion.model.fields import dig, map_at, maps_at, text_at
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.snapshot import Object
from kcompanion.trace.steps import State, Step

# `Successfully pulled image "x" in 1.2s (1.3s including waiting). …` (pkg/kubelet/images/image_manager.go)
_PULLED = re.compile(r'pulled image "[^"]*" in (\S+?)(?: \((\S+) including waiting\))?(?:\. |\s|$)')
_GO_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)")
_UNIT = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_FIELDS = {"init": "initContainers", "app": "containers"}
_FIRST_WAITS = frozenset({"", "PodInitializing", "ContainerCreating"})


@dataclass(frozen=True)
class Box:
    """One container, init container or sidecar, with the events about it."""

    name: str
    sort: str  # init, sidecar, app
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    events: Sequence[Event]

    @property
    def image(self) -> str:
        return text_at(self.spec, "image")

    @property
    def restarts(self) -> int:
        count = self.status.get("restartCount")
        return count if isinstance(count, int) else 0

    @property
    def waiting(self) -> str:
        return text_at(self.status, "state", "waiting", "reason")

    @property
    def state(self) -> str:
        return next((word for word in ("running", "terminated", "waiting") if dig(self.status, "state", word)), "")

    def event(self, reason: str) -> Event | None:
        """The earliest event of that reason that is left."""
        return min((e for e in self.events if e.reason == reason), key=lambda e: e.first, default=None)

    @property
    def began(self) -> tuple[str, str]:
        """When it started for the first time and where that was read; empty when nothing tells any more."""
        if not self.restarts:
            for word in ("running", "terminated"):
                if moment := text_at(self.status, "state", word, "startedAt"):
                    return moment, f"state.{word}.startedAt"
        if self.restarts == 1 and (moment := text_at(self.status, "lastState", "terminated", "startedAt")):
            return moment, "lastState.terminated.startedAt"
        event = self.event("Started")
        return (event.first, "event Started") if event is not None and event.first else ("", "")


def boxes(pod: Object, events: Sequence[Event]) -> list[Box]:
    """Init containers and sidecars, then containers, in the order of the spec."""
    made = []
    for sort, field in _FIELDS.items():
        reported = {text_at(s, "name"): s for s in maps_at(pod, "status", f"{field.removesuffix('s')}Statuses")}
        for spec in maps_at(pod, "spec", field):
            name = text_at(spec, "name")
            mine = [e for e in events if e.path == f"spec.{field}{{{name}}}"]
            real = "sidecar" if sort == "init" and spec.get("restartPolicy") == "Always" else sort
            made.append(Box(name, real, spec, reported.get(name, {}), mine))
    return made


def startup(box: Box, kubelet: str, *, turn: bool) -> Iterator[Step]:
    """Image and first start, and of an init container its end. `turn`: the kubelet has come as far as this one."""
    moment, source = box.began
    if not moment and not box.restarts and box.state != "terminated":
        if turn:
            yield from _image(box, kubelet, started=False)
            yield _waiting(box, kubelet)
        return
    yield from _image(box, kubelet, started=True)
    told = say(f"trace.started.{box.sort}", container=box.name)
    if moment:
        yield Step("started", kubelet, told, source, at=moment, part=box.name)
    else:
        yield Step(
            "started", kubelet, say("trace.started.gone", container=box.name), state=State.MISSING, part=box.name
        )
    if box.sort == "init":
        yield from _init_end(box, kubelet, moment)


def _image(box: Box, kubelet: str, *, started: bool) -> Iterator[Step]:
    pulling, pulled = box.event("Pulling"), box.event("Pulled")
    values = {"container": box.name, "image": box.image}
    if pulled is not None:
        if "already present" in pulled.message:
            yield Step(
                "image", kubelet, say("trace.image.present", **values), "event Pulled", pulled.first, part=box.name
            )
            return
        seconds, queued = pull_seconds(pulled.message)
        told = say("trace.image.pulled_waiting" if queued else "trace.image.pulled", **values)
        since = pulling.first if pulling else ""
        yield Step("image", kubelet, told, "event Pulled", pulled.first, since, seconds, part=box.name)
    elif started:
        yield Step("image", kubelet, say("trace.image.gone", **values), state=State.MISSING, part=box.name)
    elif pulling is not None and box.waiting in _FIRST_WAITS:
        told = say("trace.image.pulling", **values)
        yield Step("image", kubelet, told, "event Pulling", since=pulling.first, state=State.OPEN, part=box.name)
    elif pulling is not None:
        yield _tries(box, kubelet, pulling)


def _tries(box: Box, kubelet: str, pulling: Event) -> Step:
    """The pulls that have failed so far: the kubelet goes on trying, ever more seldom."""
    count = sum(e.count for e in box.events if e.reason == "Pulling")
    told = say(one_or_many("trace.image.failing", count), image=box.image, count=count)
    return Step("image", kubelet, told, "event Pulling", since=pulling.first, state=State.OPEN, part=box.name)


def _waiting(box: Box, kubelet: str) -> Step:
    if box.waiting in _FIRST_WAITS:
        told = say("trace.waits.container", container=box.name)
        return Step("started", kubelet, told, "state.waiting", state=State.OPEN, part=box.name)
    told = say("trace.waits.reason", container=box.name, reason=box.waiting)
    return Step("started", kubelet, told, "state.waiting.reason", state=State.OPEN, part=box.name)


def _init_end(box: Box, kubelet: str, began: str) -> Iterator[Step]:
    ended = map_at(box.status, "state", "terminated")
    if ended.get("exitCode") == 0:
        at, source = text_at(ended, "finishedAt"), "state.terminated.finishedAt"
        since = text_at(ended, "startedAt")
        yield Step("init", box.name, say("trace.init.done", container=box.name), source, at, since, part=box.name)
    elif box.state == "running":
        since = text_at(box.status, "state", "running", "startedAt")
        told = say("trace.init.running", container=box.name)
        yield Step("init", box.name, told, "state.running", since=since, state=State.OPEN, part=box.name)
    else:
        reason = box.waiting or text_at(ended, "reason") or "?"
        told = say("trace.init.failing", container=box.name, reason=reason, count=box.restarts)
        since = text_at(ended, "finishedAt") or began
        yield Step("init", kubelet, told, "state", since=since, state=State.OPEN, part=box.name)


def pull_seconds(message: str) -> tuple[float | None, bool]:
    """How long a pull took, its waiting in the queue included, and whether it did wait; from Go's durations."""
    found = _PULLED.search(message)
    if found is None:
        return None, False
    net, gross = go_seconds(found[1]), go_seconds(found[2] or "")
    return (gross if gross is not None else net), bool(net is not None and gross is not None and gross - net > 1)


def go_seconds(text: str) -> float | None:
    """`1m2.5s` in seconds, None for anything else."""
    parts = _GO_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNIT[unit] for number, unit in parts)


# ----------------------------------------------------------------------------------------- later on


def afterwards(box: Box, kubelet: str) -> Iterator[Step]:
    """Restarts and kills: the same pod, a new container made by the kubelet."""
    kill = max((e for e in box.events if e.reason == "Killing"), key=lambda e: e.last, default=None)
    if kill is not None:
        told = say("trace.killed", container=box.name, message=kill.message, count=kill.count)
        yield Step("killed", kubelet, told, "event Killing", kill.last, part=box.name)
    if box.restarts:
        yield from _restart(box, kubelet)
    ended = map_at(box.status, "state", "terminated")
    if ended and box.sort == "app":
        told = say("trace.ended", container=box.name, **_how(ended))
        at = text_at(ended, "finishedAt")
        yield Step("ended", box.name, told, "state.terminated", at, part=box.name)
    if box.waiting and box.restarts:
        told = say("trace.waits.restart", container=box.name, reason=box.waiting)
        since = text_at(box.status, "lastState", "terminated", "finishedAt")
        source = "state.waiting.reason"
        yield Step("waits", kubelet, told, source, since=since, state=State.OPEN, part=box.name)


def _restart(box: Box, kubelet: str) -> Iterator[Step]:
    last = map_at(box.status, "lastState", "terminated")
    if last:
        told = say("trace.ended", container=box.name, **_how(last))
        source = "lastState.terminated"
        yield Step("ended", box.name, told, source, text_at(last, "finishedAt"), part=box.name)
    again = text_at(box.status, "state", "running", "startedAt") or text_at(
        box.status, "state", "terminated", "startedAt"
    )
    told = say("trace.restarted", container=box.name, count=box.restarts)
    if again:
        yield Step("restarted", kubelet, told, "restartCount", again, part=box.name)
    elif not last:
        yield Step("restarted", kubelet, told, "restartCount", state=State.MISSING, part=box.name)


def _how(ended: Mapping[str, Any]) -> dict[str, Message | str]:
    code = ended.get("exitCode")
    return {"how": say("trace.exit", code=str(code), reason=text_at(ended, "reason") or "-")}
