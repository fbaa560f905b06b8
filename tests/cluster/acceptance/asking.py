"""P26, P35 to P37 and P40: what a controller asks of the API server, and what it does after a restart."""

from __future__ import annotations

import asyncio
import time

from lab import audit
from lab.audit import Asked
from tests.cluster.acceptance.api import Object
from tests.cluster.acceptance.bed import Bed
from tests.cluster.acceptance.catalogue import Turn, case
from tests.cluster.acceptance.standing import failure


async def asked(bed: Bed, since: int = 0) -> list[Asked]:
    """The controller's requests in this namespace, in the order in which they arrived."""
    found = [one for one in audit.requests(await bed.api.text(audit.LOG, since)) if one.namespace == bed.namespace]
    return sorted(found, key=lambda one: one.at)


async def log_size(bed: Bed) -> int:
    return len(await bed.api.text(audit.LOG))


@case("P26", "against a full quota a hundred pods cost a few attempts, not a hundred")
async def try_slowly(bed: Bed) -> None:
    await bed.quota(10)
    await bed.create(replicas=100)
    bed.exact = False
    await bed.until(lambda: failure(bed), "the condition ReplicaFailure")
    await bed.until(lambda: bed.status().get("replicas") == 10, "ten pods in the status")
    requests = await asked(bed)
    told = next(n for n, one in enumerate(requests) if one.resource == f"{bed.target.plural}/status")
    attempts = [one for one in requests[:told] if (one.verb, one.resource) == ("create", "pods")]
    created = [one for one in attempts if one.code == 201]
    assert len(created) == 10
    assert len(attempts) <= 2 * len(created) + 1


@case("P35", "two hundred pods are told in thirty events at most")
async def tell_in_few_events(bed: Bed) -> None:
    await bed.create(replicas=200)
    await bed.steady(200, patience=120)

    def combined(events: list[Object]) -> bool:
        return any(one["message"].startswith("(combined from similar events)") for one in events)

    await bed.poll(bed.events, combined, "an event for many")
    counts = [-1]

    async def count() -> list[int]:
        counts.append(len([one for one in await asked(bed) if one.resource == "events"]))
        return counts

    await bed.poll(count, lambda counts: counts[-1] == counts[-2], "no more events")
    assert 11 <= counts[-1] <= 30
    assert len(await bed.events()) <= 30


@case("P36", "started again with nothing to do, it writes nothing", turn=Turn.ALONE)
async def restart_in_peace(bed: Bed) -> None:
    await bed.create("one", 3)
    await bed.create("none", 0)
    await bed.steady(3, "one")
    await bed.steady(0, "none")
    await bed.controller.stop()
    since = await log_size(bed)
    await bed.controller.start()
    await asyncio.sleep(3)  # for something to happen that must not
    assert not [one for one in await asked(bed, since) if one.writes]
    await bed.scale(4, "one")  # and it is awake
    await bed.steady(4, "one")


@case("P37", "killed in the middle of two hundred pods and started again: two hundred, none twice", turn=Turn.ALONE)
async def die_in_the_middle(bed: Bed) -> None:
    await bed.create(replicas=200)
    await bed.until(lambda: len(bed.created()) >= 40, "forty pods")
    await bed.controller.kill()
    await bed.controller.start()
    await bed.steady(200, patience=120)
    await bed.synced()
    assert len(bed.created()) == 200
    assert not [one for one in bed.space.history if one.resource == "pods" and one.type == "DELETED"]


@case("P40", "of two one leads; when it dies the other takes over", turn=Turn.ALONE, bounded=True)
async def take_over(bed: Bed) -> None:
    await bed.controller.stop()
    async with bed.controller.elected() as (first, second):
        path = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{bed.target.lease}"
        holder = (await bed.api.get(path))["spec"]["holderIdentity"]
        await bed.create(replicas=2)
        await bed.steady(2)
        first.kill()
        killed = time.monotonic()
        await bed.scale(4)
        await bed.steady(4)
        assert time.monotonic() - killed < (20 if bed.strict else 40)
        assert len(bed.created()) == 4
        assert (await bed.api.get(path))["spec"]["holderIdentity"] != holder
        assert second.pid != first.pid
