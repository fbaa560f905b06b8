"""The lessons, one module each, in the order in which they build on one another."""

from __future__ import annotations

from kcompanion.learn.lesson import Lesson
from kcompanion.learn.lessons import conflict, desired_state, labels, request_pipeline

LESSONS: tuple[Lesson, ...] = (
    request_pipeline.LESSON,
    conflict.LESSON,
    desired_state.LESSON,
    labels.LESSON,
)
BY_ID = {lesson.id: lesson for lesson in LESSONS}
