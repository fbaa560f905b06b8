"""Jobs: work that ends; retries that end too; and what a CronJob adds."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.conditions import custom, has_condition
from kcompanion.learn.lesson import Claim, Lesson, Pick, Step
from kcompanion.learn.objects import container, pod_spec
from kcompanion.learn.verbs import create, listed, wait
from kcompanion.model.fields import condition, maps_at, text_at
from kcompanion.model.resources import CRONJOBS, JOBS, PODS


def _spec(*args: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"template": {"spec": pod_spec(container(*args), restartPolicy="Never")}, **more}


def _phases(body: object) -> list[str]:
    return sorted(text_at(pod, "status", "phase") for pod in maps_at(body, "items"))


def _owners(body: object, name: str) -> list[str]:
    """The uids of the owners of a list's objects that are named after `name`."""
    named = (item for item in maps_at(body, "items") if text_at(item, "metadata", "name").startswith(name))
    return [text_at(one, "uid") for item in named for one in maps_at(item, "metadata", "ownerReferences")]


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
                Pick("complete", lambda a: condition(a["done"], "Complete")),
            ),
            (
                Claim(
                    "counted",
                    lambda a: a["done"]["status"]["succeeded"] == 3 and a["complete"].get("status") == "True",
                    ("done.status.succeeded", "complete.type", "complete.status"),
                ),
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
                    lambda a: _owners(a["all_jobs"], "nightly") == [a["nightly"]["metadata"]["uid"]],
                    ("fired.status.lastScheduleTime", "nightly.metadata.uid"),
                ),
            ),
        ),
    ),
    rows=("S49",),
)
