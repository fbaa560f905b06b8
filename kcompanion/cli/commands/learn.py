"""`kcompanion learn`: small experiments on a live cluster whose claims its own answers prove."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer, emit
from kcompanion.errors import NotFound, UsageError
from kcompanion.learn.lesson import Lesson
from kcompanion.learn.lessons import BY_ID, LESSONS
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.report import learn as report

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.55"
CLEANUP = "cleanup"


@click.command("learn")
@click.argument("name", required=False, metavar="[NAME | cleanup]")
@click.option("--yes", is_flag=True, help="Run without asking.")
@click.option("--dry-run", is_flag=True, help="Print every request instead of sending it.")
@click.option("--pause", is_flag=True, help="Wait for Enter between steps.")
@click.option(
    "--image", default=IMAGE, envvar="KCOMPANION_LESSON_IMAGE", metavar="IMAGE", help=f"Image of the pods [{IMAGE}]."
)
@reading
def command(options: Options, name: str | None, *, yes: bool, dry_run: bool, pause: bool, image: str) -> int:
    """Lessons: small experiments on your cluster; its own answers are the teacher.

    Without NAME the list. A lesson works in a namespace of its own and removes it at the end, also on Ctrl-C;
    `learn cleanup` removes what a killed run has left. `--from demo:NAME` replays a recorded run without a cluster.
    """
    if name is None:
        return _list(options)
    if name == CLEANUP:
        from kcompanion.cli.commands.learn_cleanup import clean_up  # noqa: PLC0415 - only this writes

        return clean_up(options, dry_run=dry_run)
    lesson = _found(name)
    from kcompanion.cli.commands import learn_run  # noqa: PLC0415 - only runs need the cluster's side

    if dry_run:
        return learn_run.dry_run(options, lesson, image)
    if options.from_file:
        return learn_run.replay(options, lesson, pause=pause)
    return learn_run.run_live(options, lesson, image, yes=yes, pause=pause)


def _found(name: str) -> Lesson:
    lesson = BY_ID.get(name)
    if lesson is None:
        raise NotFound(f"there is no lesson {name!r}", f"there are: {', '.join(BY_ID)}")
    return lesson


def _list(options: Options) -> int:
    if options.from_file or options.record or options.watch:
        raise UsageError("the list of lessons reads no cluster", "leave out --from, --record and --watch")
    body = {
        "lessons": [
            {
                "id": one.id,
                "minutes": one.minutes,
                "needs": list(one.needs),
                "touches": list(one.touches),
                "rows": list(one.rows),
                "title": one.text("title").to_json(),
            }
            for one in LESSONS
        ]
    }
    snapshot = Snapshot(options.now or datetime.now(UTC), Origin())
    return emit(Answer("Lessons", snapshot, body, report.catalogue(LESSONS), list(BY_ID)), options)
