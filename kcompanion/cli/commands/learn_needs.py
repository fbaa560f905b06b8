"""Whether what lessons need is there: of one before it runs, of all for the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kcompanion.cli.context import talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import screen
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.inquiry import Inquiry
from kcompanion.errors import Undecided, UsageError
from kcompanion.learn.lesson import Lesson
from kcompanion.learn.needs import RIGHTS, Unmet, unmet
from kcompanion.learn.protocol import Setting
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Origin


def of_all(options: Options, lessons: Sequence[Lesson]) -> tuple[Origin, Mapping[str, Sequence[Unmet]]]:
    """What each lesson lacks on the cluster."""
    connection = connect(target(options))
    setting = Setting("", options.namespace or "kcompanion-lesson", own=not options.namespace, image="")
    ask = Inquiry(connection, options.request_timeout)
    return connection.origin, {lesson.id: tuple(unmet(lesson, setting, ask)) for lesson in lessons}


def require(options: Options, lesson: Lesson, setting: Setting, connection: Connection) -> None:
    """Tells what is lacking, each with what helps, and what could not be learnt.

    Rights that nobody tells of do not stop a lesson: its own requests will tell.

    Raises:
        UsageError: something is lacking.
        Undecided: it is not known of something.
    """
    lacking = tuple(unmet(lesson, setting, Inquiry(connection, options.request_timeout)))
    words = screen(options).words
    for one in lacking:
        talk(words(say("learn.lacks", what=one.told, do=one.do) if one.known else _not_known(one)))
    stopping = [one for one in lacking if one.known or one.id not in RIGHTS]
    ids = ", ".join(one.id for one in stopping)
    if any(one.known for one in stopping):
        raise UsageError(
            f"the lesson {lesson.id} needs what is not there: {ids}",
            "learn --check lists the lessons that can run here; --anyway runs this one nevertheless",
        )
    if stopping:
        raise Undecided(
            f"whether what the lesson {lesson.id} needs is there is not known: {ids}",
            "`kcompanion doctor` tells which rights are missing; --anyway runs it nevertheless",
        )


def _not_known(one: Unmet) -> Message:
    why = "; ".join(dict.fromkeys(gap.detail or gap.outcome.value for gap in one.gaps))
    return say("learn.lacks_unknown", what=one.told, why=why)
