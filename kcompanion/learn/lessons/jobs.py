"""Jobs: work that ends; retries that end too; and what a CronJob adds."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.conditions import custom, has_condition
from kcompanion.learn.lesson import Claim, Lesson, Step
from kcompanion.learn.objects import container, pod_spec
from kcompanion.learn.verbs import create, listed, wait
from kcompanion.model.fields import condition, maps_at, text_at
from kcompanion.model.resources import CRONJOBS, JOBS, PODS


def _spec(*args: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"template": {"spec": pod_spec(container(*args), restartPolicy="Never")}, **more}


def _phases(body: object) -> list[str]:
    return sorted(text_at(pod, "status", "phase") for pod in maps_at(body, "items"))


def _owner(item: object) -> str:
    return next(text_at(one, "kind") for one in maps_at(item, "metadata", "ownerReferences"))


# agnhost's entrypoint-tester prints its arguments and ends with 0; a command it does not know ends it with 1
_WORKS = _spec("entrypoint-tester", "done")

LESSON = Lesson(
    "jobs",
    2,
    (
        Step(
            "work",
            (
                create(
                    "made",
                    JOBS,
                    {"metadata": {"name": "three"}, "spec": {**_WORKS, "completions": 3, "parallelism": 2}},
                ),
                wait("done", JOBS, "three", has_condition("Complete"), 90.0),
                listed("workers", PODS, "batch.kubernetes.io/job-name%3Dthree"),
            ),
            (
                Claim("counted", lambda a: a["done"]["status"]["succeeded"] == 3, ("done.status.succeeded",)),
                Claim(
                    "pods_stay",
                    lambda a: _phases(a["workers"]) == ["Succeeded"] * 3,
                    ("workers.items.0.status.phase", "workers.items.1.status.phase", "workers.items.2.status.phase"),
                ),
            ),
        ),
        Step(
            "fail",
            (
                create("bad", JOBS, {"metadata": {"name": "bad"}, "spec": _spec("no-such-command", backoffLimit=1)}),
                wait("failed", JOBS, "bad", has_condition("Failed"), 120.0),
                listed("tried", PODS, "batch.kubernetes.io/job-name%3Dbad"),
            ),
            (
                Claim(
                    "gave_up",
                    lambda a: condition(a["failed"], "Failed")["reason"] == "BackoffLimitExceeded",
                    ("bad.spec.backoffLimit", "failed.status.failed"),
                ),
                Claim(
                    "two_tries",
                    lambda a: _phases(a["tried"]) == ["Failed"] * 2,
                    ("tried.items.0.status.phase", "tried.items.1.status.phase"),
                ),
            ),
        ),
        Step(
            "cron",
            (
                create(
                    "nightly",
                    CRONJOBS,
                    {
                        "metadata": {"name": "nightly"},
                        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": _WORKS}},
                    },
                ),
                wait(
                    "fired",
                    CRONJOBS,
                    "nightly",
                    custom("fired", lambda _, c: bool(text_at(c, "status", "lastScheduleTime"))),
                    100.0,
                ),
                listed("all_jobs", JOBS),
            ),
            (
                Claim(
                    "made_a_job",
                    lambda a: (
                        [_owner(job) for job in maps_at(a["all_jobs"], "items") if "nightly" in job["metadata"]["name"]]
                        == ["CronJob"]
                    ),
                    ("fired.status.lastScheduleTime",),
                ),
            ),
        ),
    ),
    rows=("S49",),
)
