"""`kcompanion health`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from kcompanion import __version__
from kcompanion.cli import gathering, health_formats
from kcompanion.cli.context import recording_path, session, talk
from kcompanion.cli.options import Duration, Options, reading_with, whole
from kcompanion.cli.output import FOUND, OK, Answer, emit, exit_code, screen
from kcompanion.cli.run import EVERY, run
from kcompanion.cluster import recording
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.controlplane.survey import ASKS, survey
from kcompanion.errors import Unreachable, UsageError
from kcompanion.explain.accepted import Suppression, sort, suppressions
from kcompanion.explain.baseline import Baseline
from kcompanion.explain.judge import Verdict
from kcompanion.explain.sweep import Sweep, sweep
from kcompanion.model.finding import Finding, Severity
from kcompanion.model.message import one_or_many, say
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.report import health as report
from kcompanion.report.beside import beside_rules, with_open_questions
from kcompanion.report.document import Document
from kcompanion.text.catalog import phrase


@dataclass(frozen=True)
class Wishes:
    """What this command is asked beside the shared options."""

    suppressed: tuple[Suppression, ...] = ()
    baseline: Snapshot | None = None


# a backspace keeps click from filling the paragraph
EXAMPLE = """\b
A file for --suppress; kind, namespace and name are of what the cause hangs on,
or of all that it affects, and may hold *:
  suppressions:
    - code: KC5044
      kind: Deployment
      namespace: shop
      name: web-*
      reason: ticket 12
      expires: 2026-12-31
"""


@click.command("health", epilog=EXAMPLE)
@click.option("--suppress", metavar="FILE", help="Causes somebody knows of, in YAML; they do not count.")
@click.option("--baseline", metavar="RECORDING", help="Count only causes that this recording does not hold.")
@click.option("--wait", is_flag=True, help="Go on until nothing is wrong any more (as bad as --fail-on).")
@click.option(
    "--timeout", type=Duration(zero=0.0), default=300.0, metavar="TIME", help="For --wait; 0 looks once [5m]."
)
@reading_with("junit", "sarif")
@whole
def command(options: Options, suppress: str | None, baseline: str | None, timeout: float, *, wait: bool) -> int:
    """The whole cluster's verdict (with -n: one namespace's): what is wrong, why, and how much hangs on it.

    What shares a cause is one entry: forty pods on one dead node are one. --fail-on turns it into exit code 1.
    """
    wishes = Wishes(
        _suppressions(suppress) if suppress else (),
        recording.load(recording_path(baseline)) if baseline else None,
    )

    def produce(conversation: Session) -> Answer:
        return _answer(conversation, options, wishes)

    return _wait(options, produce, timeout) if wait else run(options, produce)


def _suppressions(name: str) -> tuple[Suppression, ...]:
    try:
        document = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", "check --suppress") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or a date like 2027-13-01
        raise UsageError(f"{name} is no YAML: {' '.join(str(error).split())[:120]}", "check --suppress") from error
    return suppressions(document, name)


def _answer(conversation: Session, options: Options, wishes: Wishes) -> Answer:
    namespace = gathering.namespace(conversation, options)
    settled: dict[str, Verdict] = {}
    # first what the rules want: the whole need not be judged anew in each of their rounds
    settle(conversation, lambda world: _judged(world, namespace, settled), gathering.first(namespace, ASKS))
    found = settle(conversation, lambda world: _swept(world, namespace, settled))
    found = gathering.of_what_exists(conversation, namespace, found)
    snapshot = conversation.snapshot
    before = _before(wishes.baseline, namespace, snapshot, options) if wishes.baseline else None
    kept = sort(found.entries, wishes.suppressed, before.sweep.entries if before else (), snapshot.now)
    doubts = before.doubts(kept.counted) if before else ()
    gaps = {one.gap.what: one.gap for one in found.not_evaluated}
    body = report.to_json(kept, found, lambda message: phrase(message, "en"))  # JSON is the same in every language
    title = say("health.title_namespace", namespace=namespace) if namespace else say("health.title")
    return Answer(
        "Health",
        snapshot,
        {**body, "namespace": namespace or None, "baseline": before.to_json() if before else None},
        Document(
            title=title,
            verdict=report.verdict(kept, found),
            status=report.status(kept, found),
            sections=[
                *report.sections(kept, found, every=options.output == "wide", explain=options.explain),
                *report.in_doubt(doubts),
            ],
        ),
        names=[entry.root for entry in kept.counted],
        findings=report.bounded(kept),
        gaps=tuple(gaps[key] for key in sorted(gaps)),
        undecided=bool(found.not_evaluated or doubts),
        drawn={
            "junit": lambda: health_formats.as_junit(kept, found, snapshot),
            "sarif": lambda: health_formats.as_sarif(kept, found, snapshot, __version__, baseline=before is not None),
        },
    )


def _before(baseline: Snapshot, namespace: str, snapshot: Snapshot, options: Options) -> Baseline:
    before = Baseline(baseline, _swept(World(baseline), namespace, {}))
    if not before.is_of(snapshot) and not options.watch:
        names = {"baseline": baseline.origin.cluster or "?", "cluster": snapshot.origin.cluster or "?"}
        talk(screen(options).words(say("health.other_cluster", **names)))
    return before


def _judged(world: World, namespace: str, settled: dict[str, Verdict]) -> None:
    if not namespace:
        gathering.narrowed(world, ASKS)
    sweep(world, namespace, settled=settled)


def _swept(world: World, namespace: str, settled: dict[str, Verdict]) -> Sweep:
    if namespace:
        return sweep(world, namespace, settled=settled)
    snapshot = gathering.narrowed(world, ASKS)
    found = survey(snapshot)
    return with_open_questions(sweep(world, namespace, beside_rules(found), settled), found, snapshot)


def _wait(options: Options, produce: Callable[[Session], Answer], timeout: float) -> int:
    """Reads until no cause as bad as --fail-on (warning without it) is left; 1 when the time is over."""
    if options.from_file or options.record or options.watch:
        raise UsageError("--wait waits for a live cluster", "leave out --from, --record and -w")
    bar = options.fail_on or "warning"
    end = time.monotonic() + timeout
    told = -1
    while True:
        try:
            with session(options) as conversation:
                answer = produce(conversation)
        except Unreachable as error:
            # API servers go away for a while when the control plane is rolled out; one that never answered is no such
            if told < 0 or time.monotonic() >= end:
                raise
            talk(f"error: {error.text}")
            time.sleep(min(EVERY, max(0.1, end - time.monotonic())))
            continue
        left = _as_bad(answer.findings, bar)
        over = time.monotonic() >= end
        if over or (not left and not answer.undecided):
            emit(answer, options)
            if left:
                talk(
                    screen(options).words(
                        say(one_or_many("health.timed_out", left), seconds=round(timeout), count=left)
                    )
                )
            return exit_code(answer, bar) or (FOUND if left else OK)
        if left != told:
            talk(screen(options).words(say(one_or_many("health.waiting", left), count=left)))
            told = left
        time.sleep(min(EVERY, max(0.1, end - time.monotonic())))


def _as_bad(found: Sequence[Finding], bar: str) -> int:
    counted = {"critical": (Severity.CRITICAL,), "warning": (Severity.CRITICAL, Severity.WARNING)}[bar]
    return sum(finding.severity in counted for finding in found)
