"""P45, P46 and P48: what the API server holds to for our kind, as it does for ReplicaSets in code."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from tests.cluster.acceptance.api import ApiError, Object
from tests.cluster.acceptance.bed import Bed, pod_spec
from tests.cluster.acceptance.catalogue import OURS_CRS, case
from tests.cluster.acceptance.neighbours import kubectl

Change = Callable[[Object], object]

# What is wrong, and what the API server says of it.
WRONG: dict[str, tuple[Change, str]] = {
    "no selector": (lambda spec: spec.pop("selector"), "spec.selector: Required value"),
    "empty selector": (lambda spec: spec.update(selector={}), "empty selector is invalid"),
    "selector beside the labels": (
        lambda spec: spec["selector"].update(matchLabels={"app": "other"}),
        "`selector` does not match template `labels`",
    ),
    "expression beside the labels": (
        lambda spec: spec["selector"].update(matchExpressions=[{"key": "tier", "operator": "Exists"}]),
        "`selector` does not match template `labels`",
    ),
    "a label value that is none": (
        lambda spec: spec["selector"].update(matchLabels={"app": "not a label"}),
        "spec.selector.matchLabels",
    ),
    "fewer than none": (lambda spec: spec.update(replicas=-1), "spec.replicas"),
    "less than no time": (lambda spec: spec.update(minReadySeconds=-1), "spec.minReadySeconds"),
    "a pod that ends": (lambda spec: spec["template"]["spec"].update(restartPolicy="Never"), "restartPolicy"),
    "a pod with a deadline": (
        lambda spec: spec["template"]["spec"].update(activeDeadlineSeconds=60),
        "activeDeadlineSeconds",
    ),
}


@case("P45", "what is no sensible owner is refused", only=(OURS_CRS,))
async def refuse(bed: Bed) -> None:
    right = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "rs"}},
        "template": {"metadata": {"labels": {"app": "rs"}}, "spec": pod_spec()},
    }
    for name, (spoil, said) in WRONG.items():
        spec = copy.deepcopy(right)
        spoil(spec)
        error = await refused(bed, spec)
        assert said in str(error), f"{name}: {error}"
    created = await bed.create(replicas=1)
    assert created["metadata"]["generation"] == 1
    await bed.steady(1)


async def refused(bed: Bed, spec: Object) -> ApiError:
    about = {"apiVersion": bed.target.api_version, "kind": bed.target.kind, "metadata": {"name": "wrong"}}
    with pytest.raises(ApiError) as caught:
        await bed.make(bed.target.plural, {**about, "spec": spec})
    assert caught.value.code == 422, caught.value
    return caught.value


@case("P46", "our kind scales through its subresource, and its status is written apart", only=(OURS_CRS,))
async def scale_our_kind(bed: Bed) -> None:
    await bed.create(replicas=1, labels={"app": "rs", "tier": "x"}, selector={"matchLabels": {"app": "rs"}})
    await bed.steady(1)
    assert bed.status()["selector"] == "app=rs"
    await kubectl(bed, "scale", "crs/rs", "--replicas=3")
    await bed.steady(3)
    scale = await bed.api.get(bed.path(bed.target.plural, "rs", "scale"))
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (3, 3)
    assert scale["status"]["selector"] == "app=rs"
    before = bed.status()
    whole = await bed.api.get(bed.path(bed.target.plural, "rs"))
    generation = whole["metadata"]["generation"]
    whole["status"]["replicas"] = 99  # a write on the object leaves the status alone, and one on the status the spec
    changed = await bed.api.put(bed.path(bed.target.plural, "rs"), whole)
    assert (changed["status"], changed["metadata"]["generation"]) == (before, generation)
    listed = await kubectl(bed, "get", "crs", "rs", "--no-headers")
    assert listed.split()[:3] == ["rs", "3", "3"]


@case(
    "P48",
    "a selector never changes, and a plain deletion takes the pods along without a finalizer",
    upstream=("TestRSSelectorImmutability", "TestReplicaSetsAppsV1DefaultGCPolicy"),
)
async def keep_to_the_rest(bed: Bed) -> None:
    """What upstream's integration tests ask beyond the other cases."""
    await bed.create(replicas=1)
    with pytest.raises(ApiError, match="field is immutable") as caught:
        await bed.edit({"spec": {"selector": {"matchLabels": {"app": "other"}}}})
    assert caught.value.code == 422
    await bed.steady(1)
    await bed.api.delete(bed.path(bed.target.plural, "rs"))
    await bed.until(lambda: bed.owner() is None and not bed.pods(), "owner and pods are gone")
    seen = [one.object["metadata"] for one in bed.space.history if one.resource == bed.target.plural]
    assert not any(meta.get("finalizers") for meta in seen)
