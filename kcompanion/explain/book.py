"""All rules, gathered from the modules of `kcompanion.explain.rules`."""

from __future__ import annotations

from functools import cache

from kcompanion.explain.rule import Rule, RuleBook
from kcompanion.explain.rules import (
    admission,
    anykind,
    attaching,
    autoscaling,
    claims,
    conditions,
    configs,
    containers,
    controllers,
    disruptions,
    endings,
    eviction,
    exits,
    images,
    ingresses,
    jobs,
    kills,
    kubelets,
    namespaces,
    network,
    nodes,
    nodesettings,
    owners,
    ownership,
    phases,
    probes,
    rejection,
    resizes,
    rollouts,
    runtime,
    scheduling,
    services,
    starts,
    terminating,
    volumes,
)

BOOKS: tuple[RuleBook, ...] = tuple(
    module.BOOK
    for module in (
        admission,
        anykind,
        attaching,
        autoscaling,
        claims,
        conditions,
        configs,
        containers,
        controllers,
        disruptions,
        endings,
        eviction,
        exits,
        images,
        ingresses,
        jobs,
        kills,
        kubelets,
        namespaces,
        network,
        nodes,
        nodesettings,
        owners,
        ownership,
        phases,
        probes,
        rejection,
        resizes,
        rollouts,
        runtime,
        scheduling,
        services,
        starts,
        terminating,
        volumes,
    )
)
RULES: tuple[Rule, ...] = tuple(rule for book in BOOKS for rule in book.rules)
# Numbers of the taxonomy without a rule, and why.
EXCLUDED: dict[int, str] = {number: why for book in BOOKS for number, why in book.excluded.items()}


@cache
def rules_for(kind: str) -> tuple[Rule, ...]:
    """The rules for a kind of object; those for "*" look at any."""
    return tuple(rule for rule in RULES if rule.kind in (kind, "*"))
