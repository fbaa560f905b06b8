"""P27 to P31 and P39: owners that go, and what becomes of their pods."""

from __future__ import annotations

from tests.cluster.acceptance.api import Object
from tests.cluster.acceptance.bed import Bed, uids
from tests.cluster.acceptance.catalogue import case


def none_in_vain(bed: Bed, wanted: int) -> None:
    """So many pods were made and no more, but for one round on a busy machine.

    Owners and pods come by watches of their own. If that of the owners lags behind for as long as garbage collection
    takes, the pods of an owner seem to be missing, and are made once more; the built-in controller does the same.
    """
    assert wanted <= len(bed.created()) <= wanted + (0 if bed.strict else 3)


def known_to_go(bed: Bed) -> int:
    """The first version of an owner in which the controller had told that it knows it to be going; 0 until then."""
    owners = (one.object for one in bed.space.history if one.resource == bed.target.plural)
    return next((_version(owner) for owner in owners if _told(owner) and "deletionTimestamp" in owner["metadata"]), 0)


def _told(owner: Object) -> bool:
    return int((owner.get("status") or {}).get("observedGeneration", 0)) >= int(owner["metadata"]["generation"])


def _version(found: Object) -> int:
    """Its resourceVersion: one order for all kinds."""
    return int(found["metadata"]["resourceVersion"])


@case("P27", "deleted in the background, the owner goes first and its pods after it", bounded=True)
async def delete_in_the_background(bed: Bed) -> None:
    await bed.create(replicas=3)
    await bed.steady(3)
    await bed.remove()
    await bed.until(lambda: bed.owner() is None and not bed.pods(), "owner and pods are gone")
    none_in_vain(bed, 3)


@case("P28", "deleted in the foreground, the owner waits for its pods and replaces none", bounded=True)
async def delete_in_the_foreground(bed: Bed) -> None:
    await bed.create(replicas=3)
    held = (await bed.steady(3))[0]["metadata"]["name"]
    await bed.edit_pod(held, {"metadata": {"finalizers": ["example.com/hold"]}})
    await bed.remove(policy="Foreground")
    await bed.until(lambda: len(bed.pods()) == 1, "all pods but the held one are gone")
    owner = bed.owner()
    assert owner is not None
    assert owner["metadata"]["finalizers"] == ["foregroundDeletion"]
    await bed.until(lambda: bed.status().get("replicas") == 0, "the status of an owner that is going")
    knows = await bed.until(lambda: known_to_go(bed), "the controller knows that the owner is going")
    await bed.edit_pod(held, {"metadata": {"finalizers": None}})
    await bed.until(lambda: bed.owner() is None and not bed.pods(), "owner and pods are gone")
    assert [one.name for one in bed.created() if _version(one.object) > knows] == []
    none_in_vain(bed, 3)


@case("P29", "deleted alone, the owner leaves its pods without a reference")
async def delete_alone(bed: Bed) -> None:
    await bed.create(replicas=3)
    before = uids(await bed.steady(3))
    await bed.remove(policy="Orphan")
    await bed.until(lambda: bed.owner() is None, "the owner is gone")
    await bed.until(lambda: not any(pod["metadata"].get("ownerReferences") for pod in bed.pods()), "orphans")
    assert uids(bed.pods()) == before
    assert len(bed.created()) == 3


@case("P30", "orphans of one that is gone are adopted by the next with the same selector")
async def adopt_from_the_dead(bed: Bed) -> None:
    await bed.create(replicas=3)
    before = uids(await bed.steady(3))
    await bed.remove(policy="Orphan")
    await bed.until(lambda: bed.owner() is None, "the owner is gone")
    await bed.create(replicas=3)
    assert uids(await bed.steady(3)) == before
    assert len(bed.created()) == 3


@case("P31", "deleted and made again under its name, it has new pods only", bounded=True)
async def make_again(bed: Bed) -> None:
    first = await bed.create(replicas=3)
    await bed.steady(3)
    await bed.remove()
    second = await bed.create(replicas=3)
    assert first["metadata"]["uid"] != second["metadata"]["uid"]
    await bed.until(lambda: (bed.owner() or first)["metadata"]["uid"] == second["metadata"]["uid"], "the second one")
    await bed.steady(3)
    await bed.until(lambda: len(bed.pods()) == 3, "the pods of the first one are gone")
    none_in_vain(bed, 6)


@case("P39", "a namespace that goes takes all along, and nobody complains", patience=400)
async def delete_the_namespace(bed: Bed) -> None:
    await bed.create(replicas=5)
    await bed.steady(5)
    path = f"/api/v1/namespaces/{bed.namespace}"
    await bed.api.delete(path)

    async def phase() -> str:
        events = await bed.events()  # they go with the rest, so look while there are any
        assert not [one["message"] for one in events if one["reason"] == "FailedCreate"]
        listed = await bed.api.get("/api/v1/namespaces", fieldSelector=f"metadata.name={bed.namespace}")
        return listed["items"][0]["status"]["phase"] if listed["items"] else "gone"

    await bed.poll(phase, lambda phase: phase == "gone", "the namespace is gone", 300)
    assert len(bed.created()) == 5
