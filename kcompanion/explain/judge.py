"""The engine: every rule for one object, the causes in order, and what could not be evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kcompanion.explain.book import rules_for
from kcompanion.explain.lifting import speaking
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, Rule
from kcompanion.model import resources as r
from kcompanion.model.finding import SEVERITY_ORDER, Evidence, Finding, Severity, Status
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import EVENTS, Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World

BROKEN_RULE = "KC5000"  # a rule of ours that crashed: a finding, not the end
# Through which objects a cause reaches its parent.
CHILDREN: Mapping[str, tuple[Resource, ...]] = {
    "Deployment": (r.REPLICASETS,),
    "ReplicaSet": (r.PODS,),
    "CompanionReplicaSet": (r.PODS,),
    "ReplicationController": (r.PODS,),
    "StatefulSet": (r.PODS,),
    "DaemonSet": (r.PODS,),
    "Job": (r.PODS,),
    "CronJob": (r.JOBS,),
}
_STATUS = {Severity.CRITICAL: Status.FAIL, Severity.WARNING: Status.WARN, Severity.INFO: Status.OK}


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A rule that could not look at what it needs."""

    code: str
    subject: str
    gap: Gap

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "subject": self.subject, "missing": self.gap.to_json()}


@dataclass(frozen=True)
class Verdict:
    """What the rules say of one object; `findings` has the root cause first."""

    ref: Ref
    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()

    @property
    def status(self) -> Status:
        """A proven failure outranks what could not be evaluated, and that outranks a warning."""
        known = {_STATUS[finding.severity] for finding in self.findings}
        if Status.FAIL in known:
            return Status.FAIL
        if self.not_evaluated:
            return Status.UNKNOWN
        return Status.WARN if Status.WARN in known else Status.OK

    @property
    def root(self) -> Finding | None:
        """The root cause; None when nothing is wrong."""
        return next((f for f in self.findings if f.severity is not Severity.INFO), None)


def judge(item: Object, kind: str, world: World) -> Verdict:
    """The verdict on one object: its own causes and those of the objects it controls."""
    own = judge_alone(item, kind, world)
    lifted: list[Finding] = []
    missed = list(own.not_evaluated)
    for child, child_kind in _children(item, kind, world, missed):
        verdict = judge(child, child_kind, world)
        lifted += verdict.findings
        missed += verdict.not_evaluated
    return Verdict(own.ref, in_order([*own.findings, *collapsed(lifted)]), _distinct(missed))


def judge_alone(item: Object, kind: str, world: World, *, remarks: bool = True) -> Verdict:
    """The verdict of the rules for the object itself, without what it controls.

    Without `remarks`, rules for mere remarks do not look at pods that are well.
    """
    ref = ref_of(item, kind)
    # lists leave `kind` out of their items, and rules for several kinds have to know it
    subject: Any = Pod(item) if kind == "Pod" else {**item, "kind": kind}
    well = isinstance(subject, Pod) and subject.settled(world.now)
    findings: list[Finding] = []
    missed: list[NotEvaluated] = []
    for rule in rules_for(kind):
        if well and not (rule.every and (remarks or rule.severity is not Severity.INFO)):
            continue
        try:
            findings += [_finding(rule, ref, cause) for cause in rule.check(subject, world)]
        except NotKnown as unknown:
            # events are hints that come and go: of a pod that is plainly well they cannot change the verdict
            if not (well and unknown.gap.resource == EVENTS.name):
                missed.append(NotEvaluated(rule.code, ref.subject, unknown.gap))
        except Exception as error:  # noqa: BLE001 - an odd object must not hide what other rules find
            findings.append(_broken(rule, ref, error))
    return Verdict(ref, in_order(_without_last_resorts(findings)), tuple(missed))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Deepest cause first; of the same depth the worse one, then by code and subject. Infos come last."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (f.severity is Severity.INFO, f.rank, SEVERITY_ORDER[f.severity], f.code, f.subject),
        )
    )


def collapsed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings of one code with one root as one finding that names all it affects."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.root or _owner(finding), finding.message.id), []).append(finding)
    for those in groups.values():
        affected = dict.fromkeys(name for f in those for name in (f.affected or (f.subject,)))
        yield replace(min(those, key=lambda f: f.subject), affected=tuple(sorted(affected)))


def _without_last_resorts(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Without what only says that something is wrong, where another finding says what."""
    told = [f for f in findings if f.rank != Rank.LAST_RESORT]
    return told if any(f.severity is not Severity.INFO for f in told) else findings


def _owner(finding: Finding) -> str:
    """Findings without a root are told together only where a parent gathers them: the parent is the same."""
    return finding.subject.partition("/")[0]


def _children(item: Object, kind: str, world: World, missed: list[NotEvaluated]) -> Iterator[tuple[Object, str]]:
    for resource in CHILDREN.get(kind, ()):
        try:
            children: Sequence[Object] = world.children(item, resource)
        except NotKnown as unknown:
            missed.append(NotEvaluated("*", ref_of(item, kind).subject, unknown.gap))
            continue
        for child in speaking(item, kind, children):
            yield child, resource.kind


def _finding(rule: Rule, ref: Ref, cause: Cause) -> Finding:
    values = {"name": ref.name, "namespace": ref.namespace, **cause.values}
    base = f"{rule.area}.{rule.code.lower()}"
    return Finding(
        rule.code,
        cause.severity or rule.severity,
        ref.subject,
        say(f"{base}.{cause.variant}", **values),
        cause.evidence,
        next((step.command for step in cause.steps if step.command), ""),
        why=say(f"{base}.why"),
        steps=cause.steps,
        root=cause.root.subject if cause.root else "",
        read=rule.read,
        rank=int(rule.rank),
    )


def _broken(rule: Rule, ref: Ref, error: Exception) -> Finding:
    evidence = Evidence(str(ref), rule.code, f"{type(error).__name__}: {str(error)[:120]}")
    message = say("explain.broken_rule", code=rule.code, name=str(ref), error=type(error).__name__)
    return Finding(BROKEN_RULE, Severity.WARNING, ref.subject, message, (evidence,), rank=int(rule.rank))


def _distinct(missed: Iterable[NotEvaluated]) -> tuple[NotEvaluated, ...]:
    return tuple(dict.fromkeys(missed))
