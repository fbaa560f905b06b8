"""`kcompanion learn`: small experiments on a live cluster whose claims its own answers prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import click

from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer, emit
from kcompanion.errors import NotFound, UsageError
from kcompanion.learn.lesson import Lesson
from kcompanion.learn.lessons import BY_ID, LESSONS
from kcompanion.learn.needs import Unmet, open_questions
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.report import learn as report

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.55"
CLEANUP = "cleanup"
_FIELDS: Mapping[str, str] = {
    "--from": "from_file",
    "--record": "record",
    "--watch": "watch",
    "-A": "all_namespaces",
    "-l": "selector",
    "--explain": "explain",
}
_ONCE = ("--watch", "-A", "-l", "--explain")


@click.command("learn")
@click.argument("name", required=False, metavar="[NAME | cleanup]")
@click.option("--yes", is_flag=True, help="Run without asking.")
@click.option("--dry-run", is_flag=True, help="Print every request instead of sending it.")
@click.option("--pause", is_flag=True, help="Wait for Enter between steps.")
@click.option("--check", is_flag=True, help="List which lessons can run on this cluster, and what the others lack.")
@click.option("--anyway", is_flag=True, help="Run although the cluster lacks what the lesson needs.")
@click.option(
    "--image", default=IMAGE, envvar="KCOMPANION_LESSON_IMAGE", metavar="IMAGE", help=f"Image of the pods [{IMAGE}]."
)
@reading
def command(  # one argument for each flag
    options: Options,
    name: str | None,
    *,
    yes: bool,
    dry_run: bool,
    pause: bool,
    check: bool,
    anyway: bool,
    image: str,
) -> int:
    """Lessons: small experiments on your cluster; its own answers are the teacher.

    Without NAME the list. A lesson works in a namespace of its own and removes it at the end, also on Ctrl-C;
    `learn cleanup` removes what a killed run has left. `--from demo:NAME` replays a recorded run without a cluster.
    """
    if name is None or (check and name != CLEANUP):
        return _list(options, LESSONS if name is None else (_found(name),), check=check)
    if name == CLEANUP:
        return _clean_up(options, dry_run=dry_run, idle={"--pause": pause, "--check": check, "--anyway": anyway})
    lesson = _found(name)
    _refuse(options, "a lesson runs in one namespace, once, and selects nothing", *_ONCE)
    from kcompanion.cli.commands import learn_run  # noqa: PLC0415 - only runs need the cluster's side

    if dry_run:
        return learn_run.dry_run(options, lesson, image)
    if options.from_file:
        return learn_run.replay(options, lesson, pause=pause)
    return learn_run.run_live(options, lesson, image, yes=yes, pause=pause, anyway=anyway)


def _clean_up(options: Options, *, dry_run: bool, idle: Mapping[str, bool]) -> int:
    """Removes what runs have left; `idle` are flags of runs, which say nothing here."""
    told = "learn cleanup works on a live cluster, and removes what it finds there"
    _refuse(options, told, "--from", "--record", "--watch", "-l", "--explain", idle=idle)
    from kcompanion.cli.commands.learn_cleanup import clean_up  # noqa: PLC0415 - only this writes

    return clean_up(options, dry_run=dry_run)


def _refuse(options: Options, told: str, *names: str, idle: Mapping[str, bool] = MappingProxyType({})) -> None:
    """Refuses shared options, and flags, that would be passed over in silence.

    Raises:
        UsageError: one of them was given.
    """
    given = [name for name in names if getattr(options, _FIELDS[name])] + [name for name, on in idle.items() if on]
    if given:
        raise UsageError(told, f"leave out {', '.join(given)}")


def _found(name: str) -> Lesson:
    lesson = BY_ID.get(name)
    if lesson is None:
        raise NotFound(f"there is no lesson {name!r}", f"there are: {', '.join(BY_ID)}")
    return lesson


def _list(options: Options, lessons: Sequence[Lesson], *, check: bool) -> int:
    _refuse(options, "the list of lessons reads no recording, keeps none, and is whole", "--from", "--record", *_ONCE)
    origin, lacks = Origin(), None
    if check:
        from kcompanion.cli.commands import learn_needs  # noqa: PLC0415 - only this reads a cluster

        origin, lacks = learn_needs.of_all(options, lessons)
    body = {"lessons": [_row(one, None if lacks is None else lacks[one.id]) for one in lessons]}
    snapshot = Snapshot(options.now or datetime.now(UTC), origin)
    names = [one.id for one in lessons]
    gaps = tuple(dict.fromkeys(gap for missing in (lacks or {}).values() for gap in open_questions(missing)))
    document = report.catalogue(lessons, lacks)
    return emit(Answer("Lessons", snapshot, body, document, names, gaps=gaps, undecided=bool(gaps)), options)


def _row(lesson: Lesson, lacks: Sequence[Unmet] | None) -> dict[str, Any]:
    row = {
        "id": lesson.id,
        "minutes": lesson.minutes,
        "needs": list(lesson.needs),
        "touches": list(lesson.touches),
        "rows": list(lesson.rows),
        "title": lesson.text("title").to_json(),
    }
    return row if lacks is None else {**row, "lacks": [one.to_json() for one in lacks]}
