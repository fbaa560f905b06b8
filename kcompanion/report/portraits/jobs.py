"""Jobs and CronJobs: work that ends, and when it starts again."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, name_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age, parse_time
from kcompanion.report.document import Cell, Section
from kcompanion.report.portraits import common, events, owners
from kcompanion.report.portraits.common import count_at
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson


def progress(sight: Sight) -> Iterator[Fact]:
    """How many pods have to succeed, and how many did."""
    item = sight.item
    wanted, parallel = dig(item, "spec", "completions"), dig(item, "spec", "parallelism")
    yield (
        label("completions"),
        say(
            "portrait.job.progress",
            wanted=wanted if isinstance(wanted, int) else 1,
            succeeded=count_at(item, "status", "succeeded"),
            active=count_at(item, "status", "active"),
            failed=count_at(item, "status", "failed"),
            parallel=parallel if isinstance(parallel, int) else 1,
        ),
    )
    limit = dig(item, "spec", "backoffLimit")
    yield label("retries"), say("portrait.job.retries", limit=limit if isinstance(limit, int) else 6)
    started, ended = dig(item, "status", "startTime"), dig(item, "status", "completionTime")
    if started:
        yield label("duration"), _lasted(sight, started, ended)
    deadline, kept = dig(item, "spec", "activeDeadlineSeconds"), dig(item, "spec", "ttlSecondsAfterFinished")
    if isinstance(deadline, int):
        yield label("deadline"), say("portrait.job.deadline", time=human_age(deadline))
    if isinstance(kept, int):
        yield label("kept"), say("portrait.job.ttl", time=human_age(kept))
    if dig(item, "spec", "suspend") is True:
        yield label("suspended"), say("portrait.job.suspended")


def _lasted(sight: Sight, started: object, ended: object) -> Message:
    first, last = parse_time(started), parse_time(ended)
    if first and last:
        took = human_age(int((last - first).total_seconds()))
        return say("portrait.job.took", time=took, age=sight.age(ended))
    return say("portrait.job.since", age=sight.age(started))


def schedule(sight: Sight) -> Iterator[Fact]:
    """When it starts a Job, when it did, and what happens when the last one still runs."""
    item = sight.item
    zone = text_at(item, "spec", "timeZone")
    yield (
        label("schedule"),
        say(
            f"portrait.cron.schedule{'_zone' if zone else ''}",
            schedule=text_at(item, "spec", "schedule"),
            **({"zone": zone} if zone else {}),
        ),
    )
    policy = (text_at(item, "spec", "concurrencyPolicy") or "Allow").lower()
    if policy in ("allow", "forbid", "replace"):
        yield label("concurrency"), say(f"portrait.cron.{policy}")
    for key, word in (("lastScheduleTime", "last_start"), ("lastSuccessfulTime", "last_success")):
        moment = dig(item, "status", key)
        yield label(word), say("portrait.ago", age=sight.age(moment)) if moment else say("portrait.never")
    if dig(item, "spec", "suspend") is True:
        yield label("suspended"), say("portrait.cron.suspended")


def started(sight: Sight) -> Iterator[Section]:
    """The Jobs it made, the latest first."""
    jobs = sorted(
        sight.world.children(sight.item, r.JOBS),
        key=lambda one: text_at(one, "metadata", "creationTimestamp"),
        reverse=True,
    )
    rows: list[tuple[Cell, ...]] = [
        (name_of(one), _how(one), sight.age(dig(one, "metadata", "creationTimestamp"))) for one in jobs
    ]
    yield from common.bounded(sight, "jobs", "JOB STATE AGE", rows)


def _how(job: Object) -> Cell:
    for word in ("Complete", "Failed", "Suspended"):
        if condition(job, word).get("status") == "True":
            return word
    return "Running"


def _unfinished(sight: Sight) -> bool:
    return condition(sight.item, "Complete").get("status") != "True"


JOB: tuple[Part, ...] = (
    facts(owners.belongs, progress, common.created, common.deletion),
    common.owned_pods,
    common.when(_unfinished, common.conditions),
    common.when(_unfinished, events.recent),
    lesson("job"),
)
CRONJOB: tuple[Part, ...] = (
    facts(schedule, common.created, common.deletion),
    started,
    common.only_whole(events.recent),
    lesson("cronjob"),
)
