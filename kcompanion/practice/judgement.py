"""Whether an exercise is solved: its goals are met, and `explain` finds the cause no more, nor anything critical."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kcompanion.explain.judge import Verdict, judge
from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, maps_at, text_at
from kcompanion.model.finding import Finding, Severity
from kcompanion.model.message import Message
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.practice.cases import PRACTICE, Case
from kcompanion.practice.exercises import SIDECARS, STORAGE_CLASS
from kcompanion.practice.faults import BY_KIND
from kcompanion.practice.goals import Goal, unmet

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class Judgement:
    """`unmet` says of each goal what is missing; `found` are all findings, the deepest cause of the target first."""

    unmet: tuple[tuple[Goal, Message], ...]
    found: tuple[Finding, ...]
    remaining: tuple[Finding, ...]  # those that keep it from being solved
    gaps: tuple[Gap, ...]

    @property
    def solved(self) -> bool:
        return not (self.unmet or self.remaining or self.gaps)

    @property
    def undecided(self) -> bool:
        """Nothing is known to be missing, but not everything could be read."""
        return bool(self.gaps) and not (self.unmet or self.remaining)


def judged(case: Case, world: World) -> Judgement:
    """How the exercise stands."""
    gaps: dict[str, Gap] = {}
    missing = [(goal, told) for goal in case.goals if (told := _told(goal, world, gaps)) is not None]
    refs = dict.fromkeys([case.target, *(goal.ref for goal in case.goals)])
    verdicts = [verdict for ref in refs if (verdict := _verdict(ref, world, gaps)) is not None]
    code = case.exercise.code
    for verdict in verdicts:
        gaps |= {one.gap.what: one.gap for one in verdict.not_evaluated if one.code in (code, "*")}
    found = _distinct(finding for verdict in verdicts for finding in verdict.findings)
    remaining = tuple(one for one in found if one.code == code or one.severity is Severity.CRITICAL)
    return Judgement(tuple(missing), found, remaining, tuple(gaps[key] for key in sorted(gaps)))


def shows(case: Case, world: World) -> bool:
    """Whether the cluster shows the fault by now: as the deepest cause, or at all where that is enough."""
    verdict = _verdict(case.target, world, {})
    if verdict is None:
        return False
    codes = {one.code for one in verdict.findings}
    return case.exercise.code in (codes if case.exercise.fault.among else {verdict.root and verdict.root.code})


def cause(case: Case, world: World) -> Finding | None:
    """The finding the exercise is about, or, when that is gone, the one that stands in its place."""
    found = judged(case, world).found
    about = [one for one in found if one.code == case.exercise.code]
    others = [one for one in found if one.severity is not Severity.INFO]
    return next(iter([*about, *others]), None)


def pods(case: Case, world: World) -> list[tuple[str, str, str]]:
    """Name, READY and STATUS of the exercise's pods, as `kubectl get pods` shows them; none when unread."""
    try:
        found = [Pod(item) for item in world.all(r.PODS, case.namespace)]
    except NotKnown:
        return []
    return [(pod.name, _ready(pod), pod.status_word) for pod in found]


def _ready(pod: Pod) -> str:
    statuses = list(maps_at(pod.raw, "status", "containerStatuses"))
    whole = len(list(maps_at(pod.raw, "spec", "containers")))
    return f"{sum(one.get('ready') is True for one in statuses)}/{whole}"


def _told(goal: Goal, world: World, gaps: dict[str, Gap]) -> Message | None:
    try:
        return unmet(goal, world)
    except NotKnown as unknown:
        gaps[unknown.gap.what] = unknown.gap
        return None


def _verdict(ref: Ref, world: World, gaps: dict[str, Gap]) -> Verdict | None:
    try:
        item = world.get(BY_KIND[ref.kind], ref.name, ref.namespace)
    except NotKnown as unknown:
        gaps[unknown.gap.what] = unknown.gap
        return None
    return None if item is None else judge(item, ref.kind, world)


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple({(one.code, one.subject): one for one in reversed(list(findings))}.values())[::-1]


# ------------------------------------------------------------------------------- before it begins


def lacking(case: Case, world: World) -> list[str]:
    """Which needs of the exercise the cluster does not meet; what cannot be told counts as met."""
    return [need for need in case.exercise.needs if _knows(NEEDS[need], world) is False]


def _knows(test: Callable[[World], bool], world: World) -> bool | None:
    try:
        return test(world)
    except NotKnown:
        return None


def _storage_class(world: World) -> bool:
    return any(_annotated(one) for one in world.all(r.STORAGECLASSES))


def _annotated(item: Object) -> bool:
    return text_at(item, "metadata", "annotations", _DEFAULT_CLASS) == "true"


def _sidecars(world: World) -> bool:
    """Containers that restart among the init containers: on by default since 1.29."""
    versions = [text_at(node, "status", "nodeInfo", "kubeletVersion") for node in world.all(r.NODES)]
    return all(_minor(version) >= 29 for version in versions)


def _minor(version: str) -> int:
    parts = version.lstrip("v").split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


NEEDS: Mapping[str, Callable[[World], bool]] = {STORAGE_CLASS: _storage_class, SIDECARS: _sidecars}


def owns(case: Case, run: str, world: World) -> bool:
    """Whether the namespace is still the one that this run made.

    Raises:
        NotKnown: it could not be read.
    """
    space = world.get(r.NAMESPACES, case.namespace)
    return space is not None and labels_of(space).get(PRACTICE) == run
