"""Jobs that failed and CronJobs that do not start theirs: group K of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain.evidence import change, destroy, inspect, low_risk, seen, told
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.shortage import number
from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import condition, dig, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_job")
_DOCS = "https://kubernetes.io/docs/concepts/workloads/controllers/"
# Reasons of the conditions Failed and FailureTarget: k8s.io/api/batch/v1/types.go.
_VARIANTS = {
    "BackoffLimitExceeded": "cause_backoff",
    "DeadlineExceeded": "cause_deadline",
    "PodFailurePolicy": "cause_policy",
    "FailedIndexes": "cause_indexes",
    "MaxFailedIndexesExceeded": "cause_max_indexes",
}


@BOOK.rule(
    "KC5159",
    numbers=(159,),
    kind="Job",
    severity=Severity.CRITICAL,
    rank=Rank.SYMPTOM,
    read=_DOCS + "job/#handling-pod-and-container-failures",
)
def failed(item: Object, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """A Job that has failed, or is about to: its pods are being ended (FailureTarget)."""
    for type_ in ("Failed", "FailureTarget"):
        found = condition(item, type_)
        if found.get("status") != "True":
            continue
        reason = text_at(found, "reason")
        ref = ref_of(item, "Job")
        indexes = text_at(item, "status", "failedIndexes")
        yield Cause(
            {
                "reason": reason,
                "said": text_at(found, "message"),
                "failed": number(item, "status", "failed"),
                "limit": number(item, "spec", "backoffLimit", default=6),
                "deadline": number(item, "spec", "activeDeadlineSeconds"),
                "indexes": indexes or "-",
                "most": number(item, "spec", "maxFailedIndexes"),
            },
            (
                seen(ref, f"status.conditions[{type_}].reason", reason, text_at(found, "lastTransitionTime")),
                seen(ref, f"status.conditions[{type_}].message", text_at(found, "message")),
                seen(ref, "status.failed", number(item, "status", "failed")),
            ),
            (
                inspect(f"kubectl logs -n {ref.namespace} -l batch.kubernetes.io/job-name={ref.name} --all-containers"),
                inspect(f"kubectl describe job {ref.name} -n {ref.namespace}"),
                change(text=say("rule_job.kc5159.do")),
            ),
            variant=_VARIANTS.get(reason, "cause"),
        )
        return


# ------------------------------------------------------------------------------------------------------------ CronJobs

_BAD = {
    "UnknownTimeZone": "cause_zone",
    "UnparseableSchedule": "cause_schedule",
    "UnParseableCronJobSchedule": "cause_schedule",
    "InvalidSchedule": "cause_schedule",
    "FailedCreate": "cause_refused",
    "MissSchedule": "cause_missed",
    "TooManyMissedTimes": "cause_missed",
}
_LONG = 3600  # seconds a job may run on under concurrencyPolicy Forbid before it is worth a word
_SKIPPED = "JobAlreadyActive"


@BOOK.rule(
    "KC5267",
    kind="CronJob",
    severity=Severity.WARNING,
    rank=Rank.ADMISSION,
    read=_DOCS + "cron-jobs/",
)
def cron_stands(item: Object, world: World) -> Iterator[Cause]:
    """A CronJob that starts no job: refused, late, with a bad schedule or zone, or held up by the job before."""
    if dig(item, "spec", "suspend") is True or dig(item, "metadata", "deletionTimestamp"):
        return
    ref = ref_of(item, "CronJob")
    values = {"schedule": text_at(item, "spec", "schedule"), "zone": text_at(item, "spec", "timeZone") or "-"}
    look = inspect(f"kubectl describe cronjob {ref.name} -n {ref.namespace}")
    yield from _held(item, ref, values, world)
    event = _trouble(item, ref, world)
    if event is not None:
        yield Cause(
            {**values, "said": event.message},
            (told(event), seen(ref, "spec.schedule", values["schedule"])),
            (look, change(text=say("rule_job.kc5267.do"))),
            variant=_BAD[event.reason],
        )


def _trouble(item: Object, ref: Ref, world: World) -> Event | None:
    """The last event of a start that failed, when no start went well since."""
    for event in reversed(world.events(ref, text_at(item, "metadata", "uid"))):
        if event.reason == "SuccessfulCreate":
            return None
        if event.reason in _BAD:
            return event
    return None


def _held(item: Object, ref: Ref, values: dict[str, str], world: World) -> Iterator[Cause]:
    """With concurrencyPolicy Forbid a job that does not end keeps all later ones from starting."""
    if text_at(item, "spec", "concurrencyPolicy") != "Forbid":
        return
    for active in maps_at(item, "status", "active"):
        name = text_at(active, "name")
        try:
            job = world.get(r.JOBS, name, ref.namespace)
            skipped = [e for e in world.events(ref, text_at(item, "metadata", "uid")) if e.reason == _SKIPPED]
        except NotKnown:
            continue
        started = text_at(job, "status", "startTime")
        age = world.since(started)
        if age is None or not (skipped or age > _LONG):
            continue
        where = Ref("Job", name, ref.namespace)
        yield Cause(
            {**values, "job": name, "age": human_age(age)},
            (
                seen(ref, "spec.concurrencyPolicy", "Forbid"),
                seen(where, "status.startTime", started, started),
                *(told(event) for event in skipped[-1:]),
            ),
            (
                inspect(f"kcompanion explain job/{name} -n {ref.namespace}"),
                low_risk(text=say("rule_job.kc5267.do_held")),
                destroy(f"kubectl delete job {name} -n {ref.namespace}"),
            ),
            variant="cause_held",
            root=where,
        )


@BOOK.rule(
    "KC5268",
    kind=("CronJob", "Job"),
    severity=Severity.INFO,
    rank=Rank.ADVICE,
    read=_DOCS + "cron-jobs/#schedule-suspension",
)
def suspended(item: Object, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """Somebody has told it to wait."""
    if dig(item, "spec", "suspend") is not True:
        return
    kind = text_at(item, "kind")
    ref = ref_of(item, kind)
    yield Cause(
        {"kind": kind},
        (seen(ref, "spec.suspend", "true"),),
        (
            change(
                f"kubectl patch {kind.lower()} {name_of(item)} -n {namespace_of(item)} "
                """-p '{"spec":{"suspend":false}}'"""
            ),
        ),
    )
