"""The lessons, one module each, in the order in which they build on one another."""

from __future__ import annotations

from kcompanion.learn.lesson import Lesson
from kcompanion.learn.lessons import (
    apply,
    apply_twice,
    autoscaling,
    conflict,
    defaults,
    desired_state,
    drain,
    garbage,
    jobs,
    labels,
    namespaces,
    probes,
    quota,
    request_pipeline,
    rollout,
    scheduler,
    services,
    static_pods,
    taints,
    tokens,
    volumes,
)

LESSONS: tuple[Lesson, ...] = (
    apply.LESSON,
    request_pipeline.LESSON,
    defaults.LESSON,
    conflict.LESSON,
    desired_state.LESSON,
    labels.LESSON,
    rollout.LESSON,
    scheduler.LESSON,
    taints.LESSON,
    probes.LESSON,
    services.LESSON,
    garbage.LESSON,
    quota.LESSON,
    jobs.LESSON,
    namespaces.LESSON,
    apply_twice.LESSON,
    volumes.LESSON,
    autoscaling.LESSON,
    tokens.LESSON,
    static_pods.LESSON,
    drain.LESSON,
)
BY_ID = {lesson.id: lesson for lesson in LESSONS}
