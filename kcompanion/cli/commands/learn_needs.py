"""Whether what lessons need is there: of one before it runs, of all for the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kcompanion.cli.context import talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import screen
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.inquiry import Inquiry
from kcompanion.errors import UsageError
from kcompanion.learn.lesson import Lesson
from kcompanion.learn.needs import Unmet, unmet
from kcompanion.learn.protocol import Setting
from kcompanion.model.message import say
from kcompanion.model.snapshot import Origin


def of_all(options: Options, lessons: Sequence[Lesson]) -> tuple[Origin, Mapping[str, Sequence[Unmet]]]:
    """What each lesson lacks on the cluster."""
    connection = connect(target(options))
    setting = Setting("", options.namespace or "kcompanion-lesson", own=not options.namespace, image="")
    ask = Inquiry(connection, options.request_timeout)
    return connection.origin, {lesson.id: tuple(unmet(lesson, setting, ask)) for lesson in lessons}


def require(options: Options, lesson: Lesson, setting: Setting, connection: Connection) -> None:
    """Tells what is lacking, each with what helps.

    Raises:
        UsageError: something is.
    """
    lacking = tuple(unmet(lesson, setting, Inquiry(connection, options.request_timeout)))
    if not lacking:
        return
    words = screen(options).words
    for one in lacking:
        talk(words(say("learn.lacks", what=one.told, do=one.do)))
    ids = ", ".join(one.id for one in lacking)
    raise UsageError(
        f"the lesson {lesson.id} needs what is not there: {ids}",
        "learn --check lists the lessons that can run here; --anyway runs this one nevertheless",
    )
