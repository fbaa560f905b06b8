"""Makes the number of pods right: creates what is missing, deletes what is too many (manageReplicas upstream)."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence

from kcompanion.model.fields import name_of
from kcompanion.reconcile.decision import Action
from kcompanion.reconcile.pod import Pod, version_of
from kcompanion.reconcile.requests import NAMESPACE_TERMINATING, Answer, CreatePod, DeletePod
from kcompanion.reconcile.slowstart import BURST, batches
from kcompanion.reconcile.steps import Step
from kcompanion.reconcile.template import NO_LABELS, pod_from
from kcompanion.reconcile.victims import Victim, age_ratios, victims
from kcompanion.reconcile.work import Work

Managing = Generator[Step, tuple[Answer, ...], str | None]  # ends in the first error


def create(work: Work, missing: int) -> Managing:
    """Creates pods in batches that double, until one fails."""
    count = min(missing, BURST)
    work.account.action, work.account.count = Action.CREATE, count
    body = pod_from(work.owner)
    if body is None:
        return NO_LABELS
    books = work.books.expectations
    books.expect_creations(work.key, count, work.now())
    request = CreatePod(work.owner.namespace, body)
    created, error, unsure = 0, None, False
    for size in batches(count):
        answers = yield from work.ask(*[request] * size)
        failures = [answer.message for answer in answers if not _created(answer, work)]
        created += size - len(failures)
        unsure |= any(answer.unsure for answer in answers)
        if failures:
            error = failures[0]
            break
    # what was never sent, or refused, will not be seen
    books.creation_observed(work.key, count - created)
    if not unsure:
        books.settle(work.key)
    return error


def _created(answer: Answer, work: Work) -> bool:
    if answer.ok:
        name = name_of(answer.body)
        work.account.created.append(name)
        work.wrote_pod(version_of(answer.body))
        work.tell("SuccessfulCreate", f"Created pod: {name}")
        return True
    if NAMESPACE_TERMINATING in answer.causes:
        return True  # nothing can be created there any more, and nothing need be said
    work.tell("FailedCreate", f"Error creating: {answer.message}")
    return False


def delete(work: Work, pods: Sequence[Pod], surplus: int) -> Managing:
    """Deletes those that are the least loss, all at the same time."""
    count = min(surplus, BURST)
    now = work.now()
    chosen = victims(pods, count, related(work) if count < len(pods) else (), now)
    if count < len(pods):
        work.account.age_ratios = age_ratios(pods, chosen, now)
    work.account.action, work.account.count, work.account.victims = Action.DELETE, count, chosen
    books = work.books.expectations
    books.expect_deletions(work.key, (victim.pod.uid for victim in chosen), work.now())
    answers = yield from work.ask(*(DeletePod(v.pod.namespace, v.pod.name, v.pod.uid) for v in chosen))
    errors = [
        f"unable to delete pods: {answer.message}"
        for victim, answer in zip(chosen, answers, strict=True)
        if not _deleted(victim, answer, work)
    ]
    if not any(answer.unsure for answer in answers):
        books.settle(work.key)
    return errors[0] if errors else None


def _deleted(victim: Victim, answer: Answer, work: Work) -> bool:
    pod = victim.pod
    if answer.ok:
        work.account.deleted.append(pod.name)
        work.tell("SuccessfulDelete", f"Deleted pod: {pod.name}")
        return True
    work.books.expectations.deletion_observed(work.key, pod.uid)
    if answer.code in (404, 409):  # it is gone; 409 says that a namesake stands in its place
        return True
    work.tell("FailedDelete", f"Error deleting: {answer.message}")
    return False


def related(work: Work) -> Collection[Pod]:
    """The pods that any ReplicaSet of the same controller selects, each once; none without a controller."""
    if not work.owner.controller_uid:
        return ()
    others = work.view.owners_controlled_by(work.owner.controller_uid)
    found: dict[str, Pod] = {}
    for namespace in {other.namespace for other in others}:
        selectors = [other.selects for other in others if other.namespace == namespace]
        found |= {pod.uid: pod for pod in work.view.pods(namespace) if any(fits(pod.labels) for fits in selectors)}
    return found.values()
