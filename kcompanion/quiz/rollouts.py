"""Questions about versions of a Deployment and about how many of its pods may be there or missing meanwhile."""

from __future__ import annotations

import re
from math import ceil, floor

from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, dig, map_at, name_of
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Object
from kcompanion.quiz.owned import controller_reference, replicas_of
from kcompanion.quiz.question import Ground, Question, kcompanion, kubectl, place, source

REVISION = "deployment.kubernetes.io/revision"
_PERCENT = re.compile(r"(\d+)%")


def current_set(ground: Ground) -> Question | None:
    """Which ReplicaSet is today's: only where the revisions leave no doubt."""
    found: list[tuple[Object, Object, list[Object]]] = []
    for top in ground.all(r.DEPLOYMENTS):
        uid = dig(top, "metadata", "uid")
        sets = [one for one in ground.all(r.REPLICASETS) if controller_reference(one).get("uid") == uid]
        fitting = [one for one in sets if _revision(one) and _revision(one) == _revision(top)]
        if len(fitting) == 1 and len(sets) > 1:
            found.append((top, fitting[0], [one for one in sets if one is not fitting[0]]))
    chosen = ground.one(found)
    if chosen is None:
        return None
    top, today, old = chosen
    return ground.asked(
        "current_set",
        [name_of(today)],
        map(name_of, old),
        values={"deployment": place(top), "replicaset": name_of(today), "revision": _revision(top)},
        proof=[
            Evidence(source("Deployment", top), f"metadata.annotations[{REVISION}]", _revision(top)),
            Evidence(source("ReplicaSet", today), f"metadata.annotations[{REVISION}]", _revision(today)),
        ],
        commands=[kcompanion("trace deployment", top), kubectl("rollout history deployment", top)],
    )


def _revision(item: Object) -> str:
    return str(annotations_of(item).get(REVISION) or "")


def surge(ground: Ground) -> Question | None:
    rolling = [one for one in ground.all(r.DEPLOYMENTS) if _most(one) is not None]
    chosen = ground.one(rolling)
    if chosen is None:
        return None
    most, wanted = _most(chosen) or 0, replicas_of(chosen) or 0
    strategy = map_at(chosen, "spec", "strategy", "rollingUpdate")
    return ground.asked(
        "surge",
        [most],
        [
            number
            for number in (wanted, wanted - 1, wanted + 1, wanted + 2, wanted * 2, wanted * 2 + 1)
            if number not in (most, 0, -1)
        ],
        values={
            "deployment": place(chosen),
            "replicas": wanted,
            "surge": str(strategy.get("maxSurge")),
            "most": most,
        },
        proof=[
            Evidence(source("Deployment", chosen), "spec.replicas", str(wanted)),
            Evidence(
                source("Deployment", chosen), "spec.strategy.rollingUpdate.maxSurge", str(strategy.get("maxSurge"))
            ),
        ],
        commands=[
            kcompanion("trace deployment", chosen),
            kubectl("get deployment", chosen, "jsonpath={.spec.strategy}"),
        ],
    )


def _most(deployment: Object) -> int | None:
    """How many pods a roll-out may make at most; a share of the replicas is rounded up.

    Where both surge and unavailability come to nothing the controller sets the latter, so the former still holds.
    """
    wanted = replicas_of(deployment)
    given = dig(deployment, "spec", "strategy", "rollingUpdate", "maxSurge")
    if wanted is None or dig(deployment, "spec", "strategy", "type") != "RollingUpdate":
        return None
    if isinstance(given, int):
        return wanted + given
    share = _PERCENT.fullmatch(given) if isinstance(given, str) else None
    return wanted + ceil(wanted * int(share[1]) / 100) if share else None


def disruptions(ground: Ground) -> Question | None:
    counted = [(one, map_at(one, "status").get("disruptionsAllowed")) for one in ground.all(r.PDBS)]
    settled = [
        (one, allowed)
        for one, allowed in counted
        if isinstance(allowed, int) and dig(one, "status", "observedGeneration") == dig(one, "metadata", "generation")
    ]
    chosen = ground.one(settled)
    if chosen is None:
        return None
    budget, allowed = chosen
    healthy = map_at(budget, "status").get("currentHealthy")
    needed = map_at(budget, "status").get("desiredHealthy")
    return ground.asked(
        "disruptions",
        [allowed],
        [number for number in (0, 1, 2, 3, healthy, needed) if isinstance(number, int) and number != allowed],
        values={"budget": place(budget), "allowed": allowed, "healthy": str(healthy), "needed": str(needed)},
        proof=[
            Evidence(source("PodDisruptionBudget", budget), "status.currentHealthy", str(healthy)),
            Evidence(source("PodDisruptionBudget", budget), "status.desiredHealthy", str(needed)),
        ],
        commands=[kcompanion("explain poddisruptionbudget", budget), kubectl("get poddisruptionbudget", budget)],
    )


def unavailable(ground: Ground) -> Question | None:
    """How many pods of a Deployment may be missing in a roll-out; a share is rounded down."""
    rolling = [(one, _fewest(one)) for one in ground.all(r.DEPLOYMENTS)]
    chosen = ground.one([(one, fewest) for one, fewest in rolling if fewest is not None])
    if chosen is None:
        return None
    item, fewest = chosen
    wanted = replicas_of(item) or 0
    given = str(dig(item, "spec", "strategy", "rollingUpdate", "maxUnavailable"))
    return ground.asked(
        "unavailable",
        [fewest],
        [number for number in (0, 1, wanted - 1, wanted, wanted + 1, wanted // 2) if number not in (fewest, -1)],
        values={"deployment": place(item), "replicas": wanted, "unavailable": given, "fewest": fewest},
        proof=[
            Evidence(source("Deployment", item), "spec.replicas", str(wanted)),
            Evidence(source("Deployment", item), "spec.strategy.rollingUpdate.maxUnavailable", given),
        ],
        commands=[kcompanion("trace deployment", item), kubectl("get deployment", item, "jsonpath={.spec.strategy}")],
    )


def _fewest(deployment: Object) -> int | None:
    """How many pods a roll-out leaves available at least, where surge is not zero too (then it would be one less)."""
    wanted, most = replicas_of(deployment), _most(deployment)
    given = dig(deployment, "spec", "strategy", "rollingUpdate", "maxUnavailable")
    if wanted is None or most is None or most == wanted:
        return None
    if isinstance(given, int):
        return max(0, wanted - given)
    share = _PERCENT.fullmatch(given) if isinstance(given, str) else None
    return wanted - floor(wanted * int(share[1]) / 100) if share else None
