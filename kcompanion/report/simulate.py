"""The simulated reconciling, told: what happens, what the controller makes of it, and how the pods stand then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kcompanion.model.message import Message, say
from kcompanion.reconcile.moments import SECOND, UNKNOWN
from kcompanion.reconcile.narration import told
from kcompanion.reconcile.pod import Pod
from kcompanion.reconcile.simulate.story import Scene, Story
from kcompanion.reconcile.victims import Rule, Standing
from kcompanion.report.document import Block, Document, Lesson, Lines, Section, Table, columns

PODS = columns("NAME STATUS READY NODE CONTROLLER LABELS")
RANKS = columns("NAME NODE STATUS READY COST BESIDE RESTARTS BY")


def document(story: Story) -> Document:
    """A scenario as a story, scene by scene."""
    name = story.name.replace("-", "_")
    scenes = (_section(number, scene) for number, scene in enumerate(story.scenes, 1))
    return Document(
        title=say("simulate.title", scenario=story.name, about=say(f"simulate.about.{name}")),
        sections=(Section(say("simulate.made_up"), (Lines((say("simulate.same_core"),)),)), *scenes, _end(name)),
    )


def listing(names: Iterable[str]) -> Document:
    """What scenarios there are."""
    rows = [(name, say(f"simulate.about.{name.replace('-', '_')}")) for name in names]
    more = Lines((say("simulate.how"),))
    return Document(
        sections=(
            Section(say("simulate.scenarios"), (Table(columns("SCENARIO SHOWS"), rows),)),
            Section(say("simulate.try"), (more,)),
        )
    )


def _section(number: int, scene: Scene) -> Section:
    return Section(say("simulate.scene", number=number, what=scene.what), tuple(_blocks(scene)))


def _blocks(scene: Scene) -> Iterator[Block]:
    if scene.ranking:
        yield Table(RANKS, [_ranked(one, rule) for one, rule in scene.ranking])
    for decision in scene.turns:
        first, *rest = told(decision.to_json())
        yield Lines((say("simulate.turn", name=decision.key.name, told=first),))
        yield Lines(tuple(say("simulate.detail", told=line) for line in rest))
    if scene.pods:
        yield Table(PODS, [_pod(pod) for pod in scene.pods])
    if scene.remarks:
        yield Lesson(say("simulate.why"), tuple(scene.remarks))


def _end(name: str) -> Section:
    return Section(say("simulate.real"), (Lines((say(f"simulate.live.{name}"),)),))


def _status(pod: Pod) -> str:
    return "Terminating" if pod.deleting else pod.phase


def _pod(pod: Pod) -> tuple[str, ...]:
    labels = ",".join(f"{key}={value}" for key, value in sorted(pod.labels.items()))
    return (
        pod.name,
        _status(pod),
        _yes(pod.ready),
        pod.node or "-",
        pod.controller.name if pod.controller else "-",
        labels,
    )


def _ranked(one: Standing, rule: Rule | None) -> tuple[str | int | Message, ...]:
    pod = one.pod
    by = say(f"simulate.rule.{rule.value}") if rule else say("simulate.rule.stays")
    return pod.name, pod.node or "-", pod.phase, _yes(pod.ready), pod.deletion_cost, one.crowd, pod.restarts, by


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def to_json(story: Story, words: Callable[[Message], str]) -> dict[str, Any]:
    """The body of `-o json`; sentences in English, whatever the language."""
    return {"scenario": story.name, "scenes": [_scene(scene, words) for scene in story.scenes], "scenarios": []}


def _scene(scene: Scene, words: Callable[[Message], str]) -> dict[str, Any]:
    return {
        "happens": words(scene.what),
        "decisions": [decision.to_json() for decision in scene.turns],
        "ranking": [_rank_json(one, rule) for one, rule in scene.ranking],
        "pods": [_pod_json(pod) for pod in scene.pods],
        "remarks": [words(remark) for remark in scene.remarks],
    }


def _rank_json(one: Standing, rule: Rule | None) -> dict[str, Any]:
    return {"pod": one.pod.name, "beforeNextBy": rule.value if rule else None, "relatedOnNode": one.crowd}


def _pod_json(pod: Pod) -> dict[str, Any]:
    return {
        "name": pod.name,
        "phase": pod.phase,
        "terminating": pod.deleting,
        "ready": pod.ready,
        "readySince": None if pod.ready_since == UNKNOWN else pod.ready_since // SECOND,
        "node": pod.node or None,
        "controller": pod.controller.name if pod.controller else None,
        "labels": dict(pod.labels),
    }


def listed(names: Sequence[str], words: Callable[[Message], str]) -> dict[str, Any]:
    """The same for the list of scenarios."""
    about = {name: words(say(f"simulate.about.{name.replace('-', '_')}")) for name in names}
    known = [{"name": name, "shows": text} for name, text in about.items()]
    return {"scenario": None, "scenes": [], "scenarios": known}
