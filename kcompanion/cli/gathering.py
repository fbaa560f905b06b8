"""What `health` and `report` read: everything that rules judge, and the control plane's own questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kcompanion.cli.context import talk
from kcompanion.cli.options import Options
from kcompanion.cluster.recording import RecordedSource
from kcompanion.cluster.session import Session
from kcompanion.controlplane import apiservers, asks
from kcompanion.explain.sweep import resources
from kcompanion.model.ask import Ask, Outcome, Verb, listing
from kcompanion.model.resources import PODS
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World


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
