"""`operator status`: each target with its leader and replicas, the kind, and the last errors."""

from __future__ import annotations

from kcompanion.installation.state import Kind, Operator, State
from kcompanion.model.message import Message, say
from kcompanion.report.document import Block, Cell, Facts, Section, Table, columns


def verdict(found: State) -> Message:
    if not found.operators:
        return say("operator.verdict.none" if found.kind is None else "operator.verdict.kind_only")
    return say(f"operator.verdict.{found.status.value}")


def sections(found: State) -> list[Section]:
    return [*(_operator(one) for one in found.operators), _kind(found.kind)]


def _operator(one: Operator) -> Section:
    leader = one.leader
    held: Cell = None
    if leader is not None:
        word = "expired" if leader.expired else "held"
        held = say(f"operator.lease.{word}", holder=leader.holder or "-", age="?" if leader.age is None else leader.age)
    pairs: list[tuple[Message, Cell]] = [
        (say("operator.fact.leader"), held or say("operator.lease.none")),
        (say("operator.fact.runs"), f"{one.workload} -n {one.namespace}" if one.workload else say("operator.by_hand")),
    ]
    if one.workload:
        pairs.append((say("operator.fact.ready"), f"{one.progress.ready}/{one.progress.wanted}"))
        pairs.append((say("operator.fact.image"), one.image))
    blocks: list[Block] = [Facts(pairs)]
    if one.replicas:
        rows: list[list[Cell]] = [
            [pod.name, "True" if pod.ready else "False", pod.restarts, pod.node or None, pod.last_words or None]
            for pod in one.replicas
        ]
        blocks.append(Table(columns("POD READY RESTARTS NODE LAST_WORDS"), rows))
    if one.failures:
        errors: list[list[Cell]] = [[failure.time, failure.key, failure.error] for failure in one.failures]
        blocks.append(Table(columns("TIME REPLICASET ERROR"), errors))
    return Section(say("operator.section.target", target=one.target.name), blocks, one.status)


def _kind(kind: Kind | None) -> Section:
    if kind is None:
        pairs: list[tuple[Message, Cell]] = [(say("operator.fact.crd"), say("operator.crd.absent"))]
    else:
        pairs = [
            (say("operator.fact.crd"), say("operator.crd.served" if kind.served else "operator.crd.unserved")),
            (say("operator.fact.objects"), kind.objects),
            (say("operator.fact.pods"), say("operator.pods", ready=kind.ready, desired=kind.desired)),
        ]
    return Section(say("operator.section.kind"), [Facts(pairs)])
