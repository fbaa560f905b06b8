"""P07 to P15: which pods an owner takes, leaves alone and lets go."""

from __future__ import annotations

import asyncio

from tests.cluster.acceptance.bed import Bed, controllers, uids
from tests.cluster.acceptance.catalogue import Turn, case


@case("P07", "an orphan that fits is adopted, and none is made in its place")
async def adopt_an_orphan(bed: Bed) -> None:
    orphan = await bed.pod("orphan", {"app": "rs"})
    await bed.noticed()
    owner = await bed.create(replicas=1)
    (pod,) = await bed.steady(1)
    assert pod["metadata"]["uid"] == orphan["metadata"]["uid"]
    assert pod["metadata"]["ownerReferences"] == [bed.reference(owner, controller=True, blockOwnerDeletion=True)]
    assert len(bed.created()) == 1


@case(
    "P08",
    "a pod whose labels no longer fit is let go and replaced",
    upstream=("TestPodOrphaningAndAdoptionWhenLabelsChange",),
)
async def release_a_pod(bed: Bed) -> None:
    await bed.create(replicas=2)
    name = (await bed.steady(2))[0]["metadata"]["name"]
    await bed.edit_pod(name, {"metadata": {"labels": {"app": "elsewhere"}}})
    await bed.until(lambda: not (bed.find(name) or {"metadata": {}})["metadata"].get("ownerReferences"), "it is let go")
    assert bed.find(name) is not None
    after = await bed.steady(2)
    assert name not in {pod["metadata"]["name"] for pod in after}
    assert len(bed.created()) == 3


@case("P09", "a pod that fits again is taken back, and one too many goes")
async def adopt_again(bed: Bed) -> None:
    await bed.create(replicas=2)
    name = (await bed.steady(2))[0]["metadata"]["name"]
    await bed.edit_pod(name, {"metadata": {"labels": {"app": "elsewhere"}}})
    await bed.until(lambda: len(bed.created()) == 3, "a replacement")
    await bed.steady(2)
    await bed.edit_pod(name, {"metadata": {"labels": {"app": "rs"}}})
    await bed.until(lambda: len(bed.pods()) == 2, "one of the three is gone")
    assert all(len(controllers(pod)) == 1 for pod in await bed.steady(2))
    taken = [one for one in bed.space.history if one.name == name and one.type == "MODIFIED"]
    last = taken[-1].object["metadata"]
    assert controllers(taken[-1].object), f"{name} was taken back before anything was deleted: {last}"


@case("P10", "the four kinds of owner reference on a pod that fits", turn=Turn.ALONE, upstream=("TestAdoption",))
async def adopt_by_reference(bed: Bed) -> None:
    """All is there when the controller starts, so that no pod is made before the others are seen."""
    other = await bed.config_map()
    await bed.controller.stop()
    try:
        rs = {name: await bed.create(name) for name in ("upgraded", "orphan", "untouched", "foreign")}
        references = {
            "upgraded": [bed.reference(rs["upgraded"])],
            "orphan": [],
            "untouched": [bed.reference(rs["untouched"], controller=True)],
            "foreign": [bed.reference(other, controller=True)],
        }
        pods = {name: await bed.pod(name, {"app": name}, owners=refs) for name, refs in references.items()}
    finally:
        await bed.controller.start()
    for name in references:
        await bed.steady(1, name)
    whole = {name: bed.reference(rs[name], controller=True, blockOwnerDeletion=True) for name in rs}
    wanted = {
        "upgraded": [whole["upgraded"]],
        "orphan": [whole["orphan"]],
        "untouched": references["untouched"],
        "foreign": references["foreign"],
    }
    for name, expected in wanted.items():
        pod = bed.find(name)
        assert pod is not None
        assert pod["metadata"]["uid"] == pods[name]["metadata"]["uid"]
        assert pod["metadata"]["ownerReferences"] == expected, name
    assert len(bed.created()) == 5, "only beside the foreign one a pod is made"


@case("P11", "an owner that is no controller keeps its reference", upstream=("TestGeneralPodAdoption",))
async def keep_a_foreign_owner(bed: Bed) -> None:
    other = await bed.config_map()
    await bed.pod("shared", {"app": "rs"}, owners=[bed.reference(other)])
    await bed.noticed()
    owner = await bed.create(replicas=1)
    (pod,) = await bed.steady(1)
    wanted = [bed.reference(other), bed.reference(owner, controller=True, blockOwnerDeletion=True)]
    assert sorted(pod["metadata"]["ownerReferences"], key=lambda ref: ref["uid"]) == sorted(
        wanted, key=lambda ref: str(ref["uid"])
    )


@case(
    "P12",
    "of three pods that were there before, two are kept and none is made",
    upstream=("TestExtraPodsAdoptionAndDeletion",),
)
async def adopt_and_delete(bed: Bed) -> None:
    await asyncio.gather(*(bed.pod(f"early-{n}", {"app": "rs"}) for n in range(3)))
    await bed.noticed()
    await bed.create(replicas=2)
    await bed.until(lambda: len(bed.pods()) == 2, "one of three is deleted")
    await bed.steady(2)
    assert {one.name for one in bed.created()} == {"early-0", "early-1", "early-2"}


@case("P13", "two with the same selector count their own only", upstream=("TestOverlappingRSs",))
async def overlap(bed: Bed) -> None:
    labels = {"app": "shared"}
    await asyncio.gather(bed.create("one", 1, labels=labels), bed.create("two", 2, labels=labels))
    one, two = await bed.steady(1, "one"), await bed.steady(2, "two")
    assert len(bed.pods()) == 3
    assert not uids(one) & uids(two)


@case("P14", "selectors with In, NotIn, Exists and DoesNotExist")
async def select_by_expressions(bed: Bed) -> None:
    fits = {"app": "rs", "tier": "b", "env": "test", "zone": ""}
    strangers = {
        "in": {**fits, "tier": "c"},
        "not-in": {**fits, "env": "prod"},
        "exists": {key: value for key, value in fits.items() if key != "zone"},
        "does-not-exist": {**fits, "old": "yes"},
    }
    await asyncio.gather(bed.pod("fits", fits), *(bed.pod(name, labels) for name, labels in strangers.items()))
    await bed.noticed()
    expressions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "env", "operator": "NotIn", "values": ["prod"]},
        {"key": "zone", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    await bed.create(replicas=2, labels=fits, selector={"matchLabels": {"app": "rs"}, "matchExpressions": expressions})
    await bed.steady(2)
    await bed.synced()
    assert "fits" in bed.names()
    for name in strangers:
        assert not (bed.find(name) or {"metadata": {"ownerReferences": "gone"}})["metadata"].get("ownerReferences")


@case("P15", "pods with all labels of the template are counted apart", upstream=("TestFullyLabeledReplicas",))
async def count_fully_labelled(bed: Bed) -> None:
    await bed.pod("plain", {"app": "rs"})
    await bed.noticed()
    await bed.create(replicas=2, labels={"app": "rs", "extra": "yes"}, selector={"matchLabels": {"app": "rs"}})
    await bed.steady(2, fullyLabeledReplicas=1)
    await bed.edit_pod("plain", {"metadata": {"labels": {"extra": "yes"}}})
    await bed.steady(2, fullyLabeledReplicas=2)
