"""Readiness, liveness and restarts: two probes, two consequences."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.conditions import custom, event, is_ready, reached, reporter, told
from kcompanion.learn.lesson import Claim, Lesson, Pick, Step
from kcompanion.learn.objects import container, pod
from kcompanion.learn.verbs import create, hold, read, wait, wait_all
from kcompanion.model.fields import maps_at, text_at
from kcompanion.model.resources import EVENTS, PODS


def _probe(port: int, path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, "failureThreshold": 2}


def _restarts(body: object) -> int:
    return sum(int(one.get("restartCount", 0)) for one in maps_at(body, "status", "containerStatuses"))


def _running_unready(_: int, body: object) -> bool:
    return text_at(body, "status", "phase") == "Running" and not is_ready(body) and not _restarts(body)


LESSON = Lesson(
    "probes",
    2,
    (
        Step(
            "readiness",
            (
                create(
                    "deaf",
                    PODS,
                    # it listens on 8080, and is asked on 8081
                    pod("deaf", None, container("netexec", "--http-port=8080", readinessProbe=_probe(8081, "/"))),
                ),
                wait("started", PODS, "deaf", reached("", status__phase="Running")),
                hold("unready", PODS, "deaf", custom("running_unready", _running_unready), 5.0),
                wait_all("warnings", EVENTS, "", event("Unhealthy", "Readiness probe failed")),
            ),
            (
                Claim(
                    "runs_unready",
                    lambda a: a["unready"]["status"]["phase"] == "Running" and not is_ready(a["unready"]),
                    ("unready.status.phase", "unready.status.containerStatuses.0.ready"),
                ),
                Claim(
                    "no_restart",
                    lambda a: a["unready"]["status"]["containerStatuses"][0]["restartCount"] == 0,
                    ("unready.status.containerStatuses.0.restartCount",),
                ),
            ),
        ),
        Step(
            "liveness",
            (
                create(
                    "failing",
                    PODS,
                    # agnhost's liveness server is well for ten seconds and fails from then on
                    pod("failing", None, container("liveness", livenessProbe=_probe(8080, "/healthz"))),
                ),
                wait("restarted", PODS, "failing", custom("restarted", lambda _, p: _restarts(p) >= 1), 90.0),
                wait_all("killings", EVENTS, "", event("Killing", "liveness")),
                Pick("killing", lambda a: told(a["killings"], "Killing", "liveness")),
                read("same", PODS, "failing"),
            ),
            (
                Claim(
                    "restarted_in_place",
                    lambda a: (
                        _restarts(a["restarted"]) >= 1
                        and a["same"]["metadata"]["uid"] == a["failing"]["metadata"]["uid"]
                    ),
                    ("restarted.status.containerStatuses.0.restartCount", "failing.metadata.uid", "same.metadata.uid"),
                ),
                Claim(
                    "kubelet_killed_it",
                    lambda a: (
                        reporter(a["killing"]) == "kubelet" and a["killing"]["involvedObject"]["name"] == "failing"
                    ),
                    ("killing.reason", "killing.reportingComponent", "killing.involvedObject.name"),
                    lambda a: {"message": a["killing"]["message"]},
                ),
            ),
        ),
    ),
    rows=("S47",),
)
