"""`kcompanion explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from kcompanion.cli import targets
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.explain.judge import Verdict, judge
from kcompanion.explain.pod import Pod
from kcompanion.model.finding import Status, worst
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report import explain as report
from kcompanion.report.document import Document, Section


@dataclass(frozen=True)
class Explained:
    """One object with its verdict and the sections that tell it."""

    item: Object
    verdict: Verdict
    sections: list[Section]

    def to_json(self) -> dict[str, Any]:
        verdict = self.verdict
        told = {
            "kind": verdict.ref.kind,
            "namespace": verdict.ref.namespace,
            "name": verdict.ref.name,
            "status": verdict.status.value,
            "rootCause": verdict.root.to_json() if verdict.root else None,
            "causes": [finding.code for finding in verdict.findings],
            "notEvaluated": [missed.to_json() for missed in verdict.not_evaluated],
        }
        if verdict.ref.kind != "Pod":
            return told
        pod = Pod(self.item)
        steps = [{"word": word, "from": path} for word, path in pod.status_steps]
        return {**told, "statusWord": pod.status_word, "statusSteps": steps, "phase": pod.phase}


@click.command("explain")
@click.argument("words", nargs=-1, metavar="TYPE NAME | TYPE/NAME …")
@reading
def command(options: Options, words: tuple[str, ...]) -> int:
    """Why an object is as it is: the root cause first, then the evidence, why, and what to do next."""
    targets.pairs(words)

    def produce(conversation: Session) -> Answer:
        def work(world: World) -> list[Explained] | NotKnown:
            try:
                found = targets.find(words, options, world)
            except NotKnown as unknown:
                return unknown
            return [_explained(target, world, options) for target in found]

        result = settle(conversation, work, logs=not options.record)
        return _answer(conversation, result, options)

    return run(options, produce)


def _explained(target: targets.Target, world: World, options: Options) -> Explained:
    verdict = judge(target.item, target.ref.kind, world)
    return Explained(target.item, verdict, report.sections(verdict, target.item, world, explain=options.explain))


def _answer(conversation: Session, result: list[Explained] | NotKnown, options: Options) -> Answer:  # noqa: ARG001
    snapshot = conversation.snapshot
    explained = [] if isinstance(result, NotKnown) else result
    gaps = {m.gap.what: m.gap for one in explained for m in one.verdict.not_evaluated}
    if isinstance(result, NotKnown):
        gaps[result.gap.what] = result.gap
    status = worst(one.verdict.status for one in explained)
    return Answer(
        "Explanation",
        snapshot,
        {"status": status.value, "objects": [one.to_json() for one in explained]},
        Document(
            sections=[section for one in explained for section in one.sections],
            gaps=() if explained else tuple(gaps.values()),
        ),
        names=[one.verdict.ref.kubectl.partition(" ")[0] for one in explained],
        findings=[finding for one in explained for finding in one.verdict.findings],
        gaps=tuple(gaps[key] for key in sorted(gaps)),
        undecided=not explained or any(one.verdict.status is Status.UNKNOWN for one in explained),
    )
