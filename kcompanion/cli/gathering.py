"""What `health` and `report` read: everything that rules judge, and the control plane's own questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kcompanion.cli.context import talk
from kcompanion.cli.options import Options
from kcompanion.cluster.demand import settle
from kcompanion.cluster.recording import RecordedSource
from kcompanion.cluster.session import Session
from kcompanion.controlplane import apiservers, asks
from kcompanion.errors import NotFound
from kcompanion.explain.judge import NotEvaluated
from kcompanion.explain.sweep import Sweep, resources
from kcompanion.model.ask import Ask, Outcome, Verb, listing
from kcompanion.model.resources import NAMESPACES, PODS
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import NotKnown, World


def namespace(conversation: Session, options: Options) -> str:
    """Empty for the whole cluster. Whoever may not list all pods gets the verdict on the namespace of the context."""
    if options.namespace or options.all_namespaces:
        return options.namespace or ""
    everywhere = listing(PODS)
    snapshot = conversation.read([everywhere])
    if snapshot.reading(everywhere).outcome is Outcome.FORBIDDEN:
        talk(
            f"not allowed to list pods everywhere: this is namespace {snapshot.origin.namespace} only (-n for another)"
        )
        return snapshot.origin.namespace
    return ""


def first(namespace: str, more: Sequence[Ask] = asks.OVERVIEW) -> list[Ask]:
    """The first round: what is swept and, for the whole cluster, the further questions that no such list answers."""
    swept = resources(namespace)
    lists = [listing(resource, namespace if resource.namespaced else None) for resource in swept]
    if namespace:
        return lists
    others = {ask.key: ask for ask in more if not (ask.verb is Verb.LIST and ask.resource in swept)}
    return [*lists, *others.values()]


def of_what_exists(conversation: Session, namespace: str, found: Sweep) -> Sweep:
    """The sweep; if it saw nothing at all, and whether there is such a namespace is not known, with that question open.

    Raises:
        NotFound: there is no such namespace; nothing is no health.
    """
    if any(found.judged.values()) or not (missed := nothing_in(conversation, namespace)):
        return found
    return replace(found, not_evaluated=(*found.not_evaluated, missed))


def nothing_in(conversation: Session, namespace: str) -> NotEvaluated | None:
    """Where nothing was found in a namespace: None if it exists, the gap if that is not known.

    Raises:
        NotFound: there is no such namespace; nothing is no health.
    """
    if not namespace:
        return None

    def work(world: World) -> NotEvaluated | bool:
        try:
            return world.get(NAMESPACES, namespace) is not None
        except NotKnown as unknown:
            return NotEvaluated("*", f"Namespace/{namespace}", unknown.gap)

    found = settle(conversation, work)
    if found is False:
        raise NotFound(f'namespace "{namespace}" not found', "kubectl get namespaces")
    return found if isinstance(found, NotEvaluated) else None


def narrowed(world: World, questions: Sequence[Ask] = asks.OVERVIEW) -> Snapshot:
    """The snapshot with answers to the control plane's own questions, from whatever wider ones were asked.

    What other API servers could be asked is put on the list of what is wanted (a baseline may lack it).
    """
    answers = RecordedSource(world.snapshot).read(questions)
    snapshot = replace(world.snapshot, readings={**world.snapshot.readings, **answers})
    for ask in apiservers.further_asks(snapshot):
        if ask.key not in snapshot.readings:
            world.wanted[ask.key] = ask
    return snapshot
