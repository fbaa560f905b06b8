"""One turn of the loop: look, compare, act, tell. Everything the ReplicaSet controller does, without doing it.

`sync` is a generator. It yields steps (requests to send) and is sent the answers; whoever drives it decides how.
The operator drives it with a client, the simulator with a made-up API server, and the tests with both the wrong
answers and none at all. It may be dropped at any point: what it leaves in the books is then in doubt, and the next
sync counts the pods before it acts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from kcompanion.reconcile.account import Account
from kcompanion.reconcile.claims import settle_claims, sort_out
from kcompanion.reconcile.decision import Action, Decision
from kcompanion.reconcile.doubt import settle_doubt
from kcompanion.reconcile.expectations import TIMEOUT, Books, Stale
from kcompanion.reconcile.moments import SECOND
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import Pod
from kcompanion.reconcile.requests import Answer
from kcompanion.reconcile.scaling import Managing, create, delete
from kcompanion.reconcile.status import Failure, news, next_look, observe, write_status
from kcompanion.reconcile.steps import Outcome, Step, Sync
from kcompanion.reconcile.target import Key
from kcompanion.reconcile.triggers import Cause, Wake
from kcompanion.reconcile.view import View
from kcompanion.reconcile.work import Work


def sync(key: Key, view: View, books: Books, now: Callable[[], int], woken_by: tuple[Wake, ...] = ()) -> Sync:
    """Brings one ReplicaSet a step closer to what it asks for.

    Args:
        key: which one. The same key must not be synced twice at the same time.
        view: the watched state of the cluster, complete since its first list.
        books: what earlier syncs left to remember; the triggers of the same view lower its expectations.
        now: the clock, in nanoseconds since 1970.
        woken_by: what put the key into the queue; told on in the decision.
    """
    stale = books.versions.stale(key, view.seen())
    if stale is not None:
        told = _stale(stale)
        return Outcome(told, None, Decision(key, woken_by, Action.STALE, error=told), stale.kept)
    owner = view.owner(key)
    if owner is None:
        books.versions.forget(key)
        books.expectations.forget(key)
        return Outcome(None, None, Decision(key, woken_by, Action.GONE))
    if not owner.valid:
        return Outcome(None, None, Decision(key, woken_by, Action.UNUSABLE, desired=owner.replicas))
    work = Work(owner, view, books, now, Account(pending=books.expectations.pending(key, now())))
    error, again = yield from _synced(work)
    if work.account.events:
        yield from work.ask()
    return Outcome(error, again, _decision(work, woken_by, error, again))


def _synced(work: Work) -> Generator[Step, tuple[Answer, ...], tuple[str | None, Wake | None]]:
    """The error, if there was one, and when to look again and why."""
    owner, account = work.owner, work.account
    doubt = yield from _settle_doubt(work)
    # Whether to act and on which pods is decided in the same moment. While answers are waited for the view goes on:
    # it may meet the expectations with pods that are not among these.
    may_act = doubt is None and work.books.expectations.satisfied(work.key, work.now())
    found = sort_out(owner, work.view.pods_of(owner), work.view.orphans(owner.namespace))
    claimed = yield from settle_claims(work, found)
    if account.errors:
        account.action = Action.CLAIM_FAILED
        account.observed = observe(owner, claimed, found.terminating, work.now())
        return "; ".join(account.errors), None
    error = yield from _managed(work, claimed, may_act)
    evaluated = work.now()
    account.observed = observe(owner, claimed, found.terminating, evaluated)
    failure = None if error is None else Failure(_reason(owner, claimed), error, evaluated)
    refusal = yield from write_status(work, news(owner, account.observed, failure, tried=doubt is None))
    error = doubt or error
    if refusal or error:
        account.errors += [told for told in (error, refusal) if told]
        return refusal or error, None
    return None, _next(work, claimed, evaluated)


def _settle_doubt(work: Work) -> Managing:
    expectations = work.books.expectations
    if work.owner.deleting or not expectations.doubtful(work.key, work.now()):
        return None
    error = yield from settle_doubt(work)
    work.account.pending = expectations.pending(work.key, work.now())
    return error


def _managed(work: Work, claimed: Sequence[Pod], may_act: bool) -> Managing:
    """Creates or deletes pods, unless it has to wait for what it did before."""
    difference = len(claimed) - work.owner.replicas
    if work.owner.deleting or not may_act:
        work.account.action = Action.DELETING if work.owner.deleting else Action.WAIT
        return None
    if difference < 0:
        return (yield from create(work, -difference))
    if difference > 0:
        return (yield from delete(work, claimed, difference))
    return None


def _next(work: Work, claimed: Sequence[Pod], evaluated: int) -> Wake | None:
    """What is due next and no event will tell of: a pod ready for long enough, or a wait too long."""
    owner, seen, now = work.owner, work.account.observed, work.now()
    due = []
    if owner.min_ready_seconds > 0 and seen.ready != seen.available:
        look = next_look(claimed, owner.min_ready_seconds, evaluated, now)
        due.append(Wake(work.key, Cause.AVAILABILITY, after_seconds=owner.min_ready_seconds if look is None else look))
    pending = work.books.expectations.pending(work.key, now)
    if pending is not None and not pending.fulfilled:
        left = max(0, TIMEOUT - pending.age) / SECOND + 1
        due.append(Wake(work.key, Cause.TIMEOUT, after_seconds=left))
    return min(due, key=lambda wake: wake.after_seconds, default=None)


def _reason(owner: ReplicaSet, claimed: Sequence[Pod]) -> str:
    return "FailedCreate" if len(claimed) < owner.replicas else "FailedDelete"


def _stale(stale: Stale) -> str:
    return f"the view of {stale.kept} is at version {stale.seen}, but {stale.written} was written already"


def _decision(work: Work, woken_by: tuple[Wake, ...], error: str | None, again: Wake | None) -> Decision:
    account = work.account
    return Decision(
        key=work.key,
        woken_by=woken_by,
        action=account.action,
        count=account.count,
        desired=work.owner.replicas,
        observed=account.observed,
        pending=account.pending,
        adopted=tuple(account.adopted),
        released=tuple(account.released),
        created=tuple(account.created),
        deleted=tuple(account.deleted),
        victims=account.victims,
        age_ratios=account.age_ratios,
        answers=account.answered(),
        changes=account.changes,
        error=error,
        requeue_after=None if again is None else again.after_seconds,
    )
