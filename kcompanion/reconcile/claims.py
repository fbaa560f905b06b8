"""Who claims what: the rules by which a controller keeps, adopts or releases an object, and how it goes about it.

The rules are those of ClaimObject in pkg/controller/controller_ref_manager.go, and they are the same for every
controller that claims by a selector; `kcompanion.ownership` judges with them what it reads of a cluster.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from kcompanion.model.fields import text_at
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import Pod, version_of
from kcompanion.reconcile.requests import AdoptPod, Answer, ReadOwner, ReleasePod
from kcompanion.reconcile.steps import Step
from kcompanion.reconcile.template import reference_to
from kcompanion.reconcile.work import Work


class Claim(StrEnum):
    """What a controller does about an object the next time it looks."""

    KEEPS = "keeps"
    RELEASES = "releases"
    ADOPTS = "adopts"
    NOTHING = "nothing"


class Has(StrEnum):
    """Whose an object is."""

    OURS = "ours"
    NOBODYS = "nobodys"
    ANOTHERS = "anothers"


def claim(has: Has, *, fits: bool, controller_deleting: bool, deleting: bool) -> Claim:
    """What becomes of one object.

    Args:
        has: whom its controller reference names; its labels never outweigh that.
        fits: whether the selector takes it.
        controller_deleting: whether the controller itself is being deleted: then it lets everything be as it is.
        deleting: whether the object is being deleted.
    """
    if has is Has.ANOTHERS:
        return Claim.NOTHING
    if has is Has.OURS:
        if fits:
            return Claim.KEEPS
        return Claim.NOTHING if controller_deleting else Claim.RELEASES
    return Claim.NOTHING if controller_deleting or deleting or not fits else Claim.ADOPTS


@dataclass(slots=True)
class Sorted:
    """The pods by what becomes of them."""

    kept: list[Pod] = field(default_factory=list)
    adopted: list[Pod] = field(default_factory=list)
    released: list[Pod] = field(default_factory=list)
    terminating: int = 0  # its own pods on their way out


def sort_out(owner: ReplicaSet, owned: Iterable[Pod], orphans: Iterable[Pod]) -> Sorted:
    """What becomes of each pod. Finished pods and those being deleted are neither counted nor touched."""
    found, leaving, selects = Sorted(), owner.deleting, owner.selects
    places = {Claim.KEEPS: found.kept, Claim.ADOPTS: found.adopted, Claim.RELEASES: found.released}
    for has, pods in ((Has.OURS, owned), (Has.NOBODYS, orphans)):
        for pod in pods:
            if pod.active:
                what = claim(has, fits=selects(pod.labels), controller_deleting=leaving, deleting=False)
                if what is not Claim.NOTHING:
                    places[what].append(pod)
            elif has is Has.OURS and pod.terminating and selects(pod.labels):
                found.terminating += 1
    return found


def settle_claims(work: Work, found: Sorted) -> Generator[Step, tuple[Answer, ...], list[Pod]]:
    """Adopts and releases what has to be; returns the pods that count. Errors are left in the account.

    Before the first adoption the ReplicaSet is read anew, past the view: had it been deleted meanwhile, adopting
    would snatch pods from whoever comes after it (kubernetes issue 42639).
    """
    owner = work.owner
    if not (found.adopted or found.released):
        return found.kept
    releases = [ReleasePod(owner.namespace, pod.name, pod.uid, owner.uid) for pod in found.released]
    read = [ReadOwner(owner.target, owner.namespace, owner.name)] if found.adopted else []
    answers = yield from work.ask(*read, *releases)
    for answer, pod in zip(answers[len(read) :], found.released, strict=True):
        _released(pod, answer, work)
    if not found.adopted:
        return found.kept
    if refusal := _refusal(owner, answers[0]):
        work.account.errors += [f"{_cannot(pod)}: {refusal}" for pod in found.adopted]
        return found.kept
    reference = reference_to(owner)
    answers = yield from work.ask(*(AdoptPod(p.namespace, p.name, p.uid, reference) for p in found.adopted))
    adopted = [pod for pod, answer in zip(found.adopted, answers, strict=True) if _adopted(pod, answer, work)]
    return found.kept + adopted


def _released(pod: Pod, answer: Answer, work: Work) -> None:
    if answer.ok:
        work.account.released.append(pod.name)
        work.wrote_pod(version_of(answer.body))
    elif answer.code not in (404, 422):  # it is gone, or nobody's (or a namesake) by now: all the same
        work.account.errors.append(answer.message)


def _adopted(pod: Pod, answer: Answer, work: Work) -> bool:
    if answer.ok:
        work.account.adopted.append(pod.name)
        work.wrote_pod(version_of(answer.body))
        return True
    if answer.code != 404:
        work.account.errors.append(answer.message)
    return False


def _cannot(pod: Pod) -> str:
    return f"can't adopt Pod {pod.namespace}/{pod.name} ({pod.uid})"


def _refusal(owner: ReplicaSet, fresh: Answer) -> str:
    """Why nothing may be adopted; empty if it may."""
    if not fresh.ok:
        return fresh.message
    uid = text_at(fresh.body, "metadata", "uid")
    if uid != owner.uid:
        return f"original {owner.target.kind} {owner.key} is gone: got uid {uid}, wanted {owner.uid}"
    deleted = text_at(fresh.body, "metadata", "deletionTimestamp")
    return f"{owner.key} has just been deleted at {deleted}" if deleted else ""
