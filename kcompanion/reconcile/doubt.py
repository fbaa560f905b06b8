"""Settles what became of requests whose answer got lost: counts the pods at the API server, once.

A POST that timed out may have made a pod. Sending another at once may make one too many; waiting for the watch to show
it may take for ever. So before the next creation or deletion the pods are listed, and whatever the view does not know
yet is expected from the watch. That costs one request after a lost answer, and none otherwise.
"""

from __future__ import annotations

from collections.abc import Generator

from kcompanion.model.fields import maps_at, text_at
from kcompanion.reconcile.pod import controller_of, version_of
from kcompanion.reconcile.requests import Answer, ListPods
from kcompanion.reconcile.steps import Step
from kcompanion.reconcile.work import Work


def settle_doubt(work: Work) -> Generator[Step, tuple[Answer, ...], str | None]:
    """Sets the expectations to what the view still lacks; returns the error if the pods could not be listed."""
    owner = work.owner
    labels = owner.template_labels
    (answer,) = yield from work.ask(ListPods(owner.namespace, tuple(sorted(labels.items()))))
    if not answer.ok:
        return answer.message
    alive = {
        text_at(item, "metadata", "uid")
        for item in maps_at(answer.body, "items")
        if not text_at(item, "metadata", "deletionTimestamp")
        and (reference := controller_of(item)) is not None
        and reference.uid == owner.uid
    }
    # From here on nothing waits: the view cannot change between the comparison and the note.
    known = {pod.uid for pod in work.view.pods_of(owner)}
    counted = {pod.uid for pod in work.view.pods_of(owner) if pod.active and labels.items() <= pod.labels.items()}
    if work.view.seen().get("pods", 0) >= version_of(answer.body) > 0:
        unseen, gone = 0, set()  # the view has overtaken the list: what it lacks has been deleted since
    else:
        unseen, gone = len(alive - known), counted - alive
    expectations = work.books.expectations
    expectations.expect(work.key, unseen, gone, work.now())
    expectations.settle(work.key)
    return None
