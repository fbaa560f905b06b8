"""P18 to P24: whom a smaller number costs its place. Of four pods the two that should go first must go."""

from __future__ import annotations

import asyncio

from tests.cluster.acceptance.bed import Bed
from tests.cluster.acceptance.catalogue import case, now

COST = "controller.kubernetes.io/pod-deletion-cost"


async def four(bed: Bed) -> list[str]:
    """The names of four new pods."""
    await bed.create(replicas=4)
    return [pod["metadata"]["name"] for pod in await bed.steady(4)]


async def halved(bed: Bed, name: str = "rs") -> set[str]:
    """Who is left of four."""
    await bed.scale(2, name)
    return {pod["metadata"]["name"] for pod in await bed.steady(2, name)}


async def on_nodes(bed: Bed, names: list[str]) -> None:
    """Each pod on a node of its own, which need not exist for as long as the case takes."""
    await asyncio.gather(*(bed.bind(name, f"{bed.namespace}-{index}") for index, name in enumerate(names)))


async def ready(bed: Bed, names: list[str], restarts: dict[str, int] | None = None, *, phase: str = "Running") -> None:
    """All ready since the same second. When the status counts them, the controller has seen all that was before."""
    since = now()
    await asyncio.gather(
        *(bed.ready(name, since, restarts=(restarts or {}).get(name, 0), phase=phase) for name in names)
    )
    await bed.until(lambda: bed.status().get("readyReplicas") == len(names), f"{len(names)} pods ready")


@case("P18", "first those that no node has, though they be ready")
async def unassigned_first(bed: Bed) -> None:
    names = await four(bed)
    await on_nodes(bed, names[:2])
    await ready(bed, names[2:])
    assert await halved(bed) == set(names[:2])


@case("P19", "then those that are pending, though they call themselves ready")
async def pending_first(bed: Bed) -> None:
    names = await four(bed)
    await on_nodes(bed, names)
    for name in names[1:3]:
        await bed.ready(name, status="False")
    await ready(bed, [names[0], names[3]], phase="Pending")
    assert await halved(bed) == set(names[1:3])


@case("P20", "then those that are not ready, though they cost more")
async def unready_first(bed: Bed) -> None:
    names = await four(bed)
    await on_nodes(bed, names)
    for name in (names[1], names[3]):
        await bed.edit_pod(name, {"metadata": {"annotations": {COST: "100"}}})
        await bed.ready(name, status="False")
    await ready(bed, [names[0], names[2]])
    assert await halved(bed) == {names[0], names[2]}


@case("P21", "then those that cost less, whatever their restarts", upstream=("TestPodDeletionCost",))
async def cheap_first(bed: Bed) -> None:
    names = await four(bed)
    await on_nodes(bed, names)
    dear = {names[1], names[2]}
    for name in dear:
        await bed.edit_pod(name, {"metadata": {"annotations": {COST: "100"}}})
    await bed.edit_pod(names[3], {"metadata": {"annotations": {COST: "-5"}}})
    await ready(bed, names, dict.fromkeys(dear, 9))
    assert await halved(bed) == dear


@case("P22", "at the same cost those that restarted more; no cost is a cost of 0", upstream=("TestPodDeletionCost",))
async def restarted_first(bed: Bed) -> None:
    names = await four(bed)
    await on_nodes(bed, names)
    for name in names[:2]:
        await bed.edit_pod(name, {"metadata": {"annotations": {COST: "0"}}})
    await ready(bed, names, {names[0]: 3, names[2]: 5})
    assert await halved(bed) == {names[1], names[3]}


@case("P23", "at last the newest")
async def newest_first(bed: Bed) -> None:
    await bed.create(replicas=2)
    old = {pod["metadata"]["name"] for pod in await bed.steady(2)}
    await asyncio.sleep(12)  # ages count by powers of two, so they must differ by more than a factor of two
    await bed.scale(4)
    names = [pod["metadata"]["name"] for pod in await bed.steady(4)]
    await on_nodes(bed, names)
    await ready(bed, names)
    assert await halved(bed) == old


@case("P24", "before the newest, those on nodes that relatives share")
async def doubled_up_first(bed: Bed) -> None:
    parent = bed.reference(await bed.config_map("parent"), controller=True)
    labels = {"app": "family"}
    await bed.create("rs", 4, labels={**labels, "v": "1"}, owners=[parent])
    await bed.create("relative", 2, labels={**labels, "v": "2"}, owners=[parent])
    names = [pod["metadata"]["name"] for pod in await bed.steady(4)]
    relatives = [pod["metadata"]["name"] for pod in await bed.steady(2, "relative")]
    await on_nodes(bed, names)
    nodes = [f"{bed.namespace}-{index}" for index in (1, 2)]
    await asyncio.gather(*(bed.bind(name, node) for name, node in zip(relatives, nodes, strict=True)))
    since = now()
    await asyncio.gather(*(bed.ready(name, since) for name in [*names, *relatives]))
    for name, count in (("rs", 4), ("relative", 2)):
        await bed.steady(count, name, readyReplicas=count)
    assert await halved(bed) == {names[0], names[3]}
