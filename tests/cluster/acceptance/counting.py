"""P01 to P06, P33, P38: as many pods as asked for, made of the template, whatever becomes of single ones."""

from __future__ import annotations

from tests.cluster.acceptance.bed import Bed, controllers, uids
from tests.cluster.acceptance.catalogue import case


@case("P01", "three pods are made, each of the template and with one complete controller reference")
async def make_three(bed: Bed) -> None:
    labels = {"app": "rs", "tier": "web"}
    template = {
        "metadata": {
            "name": "ignored",
            "labels": labels,
            "annotations": {"example.com/note": "copied"},
            "finalizers": ["example.com/hold"],
        },
        "spec": {
            "schedulerName": "none",
            "terminationGracePeriodSeconds": 7,
            "nodeSelector": {"disk": "fast"},
            "containers": [{"name": "main", "image": "example.com/none:1", "env": [{"name": "A", "value": "b"}]}],
        },
    }
    owner = await bed.create(replicas=3, template=template, selector={"matchLabels": {"app": "rs"}})
    for pod in await bed.steady(3, fullyLabeledReplicas=3):
        meta, spec = pod["metadata"], pod["spec"]
        assert meta["generateName"] == "rs-"
        assert meta["name"].startswith("rs-")
        assert meta["labels"] == labels
        assert meta["annotations"] == {"example.com/note": "copied"}
        assert meta["finalizers"] == ["example.com/hold"]
        assert meta["ownerReferences"] == [bed.reference(owner, controller=True, blockOwnerDeletion=True)]
        assert (spec["schedulerName"], spec["terminationGracePeriodSeconds"]) == ("none", 7)
        assert spec["nodeSelector"] == {"disk": "fast"}
        assert spec["containers"][0]["env"] == [{"name": "A", "value": "b"}]


@case("P02", "scaling by PUT, PATCH and /scale, and the status follows", upstream=("TestRSScaleSubresource",))
async def scale_every_way(bed: Bed) -> None:
    await bed.create(replicas=3)
    await bed.steady(3)
    path = bed.path(bed.target.plural, "rs")
    while True:  # a PUT loses against a status that was written meanwhile
        whole = await bed.api.get(path)
        whole["spec"]["replicas"] = 5
        try:
            await bed.api.put(path, whole)
            break
        except Exception as error:
            if "409" not in str(error):
                raise
    await bed.steady(5)
    await bed.scale(1)
    await bed.steady(1)
    for replicas in (0, 2):
        scale = await bed.api.get(f"{path}/scale")
        assert scale["status"]["selector"] == "app=rs"
        body = {**scale, "spec": {"replicas": replicas}}
        body["metadata"] = {"name": "rs", "namespace": bed.namespace}  # without a version: unconditional
        await bed.api.put(f"{path}/scale", body)
        await bed.steady(replicas)
        assert (await bed.api.get(f"{path}/scale"))["status"]["replicas"] == replicas
    assert bed.status().get("terminatingReplicas") == 0


@case(
    "P03",
    "a change of the template touches no pod and is observed; later pods follow it",
    upstream=("TestSpecReplicasChange",),
)
async def change_the_template(bed: Bed) -> None:
    await bed.create(replicas=2)
    before = uids(await bed.steady(2))
    edited = await bed.edit({"spec": {"template": {"metadata": {"annotations": {"example.com/v": "2"}}}}})
    assert edited["metadata"]["generation"] == 2
    assert uids(await bed.steady(2)) == before
    await bed.scale(3)
    fresh = [pod for pod in await bed.steady(3) if pod["metadata"]["uid"] not in before]
    assert [pod["metadata"]["annotations"] for pod in fresh] == [{"example.com/v": "2"}]


@case("P04", "a deleted pod is replaced by one other", bounded=True)
async def replace_a_deleted_pod(bed: Bed) -> None:
    await bed.create(replicas=3)
    before = await bed.steady(3)
    victim = before[0]["metadata"]["name"]
    await bed.remove_pod(victim)
    await bed.until(lambda: bed.find(victim) is None, "the pod is gone")
    after = await bed.steady(3)
    assert len(uids(after) & uids(before)) == 2
    assert len(bed.created()) == 4
    gone = next(one.at for one in bed.space.history if one.type == "DELETED" and one.name == victim)
    assert bed.created()[-1].at - gone < (2 if bed.strict else 10)


@case(
    "P05",
    "a pod that is going but held is replaced at once and counted as terminating until it is gone",
    upstream=("TestTerminatingReplicas",),
)
async def replace_a_going_pod(bed: Bed) -> None:
    await bed.create(replicas=2)
    victim = (await bed.steady(2, terminatingReplicas=0))[0]["metadata"]["name"]
    await bed.bind(victim, bed.namespace)  # what no node has and is going, Kubernetes soon calls failed
    await bed.edit_pod(victim, {"metadata": {"finalizers": ["example.com/hold"]}})
    await bed.remove_pod(victim)
    await bed.steady(2, terminatingReplicas=1)
    assert bed.find(victim) is not None
    await bed.edit_pod(victim, {"metadata": {"finalizers": None}})
    await bed.steady(2, terminatingReplicas=0)
    assert bed.status()["terminatingReplicas"] == 0, "written, not left out"


@case("P06", "failed and succeeded pods are replaced and kept", upstream=("TestDeletingAndFailedPods",))
async def replace_finished_pods(bed: Bed) -> None:
    owner = await bed.create(replicas=3)
    failed, succeeded, _ = [pod["metadata"]["name"] for pod in await bed.steady(3)]
    await bed.phase(failed, "Failed")
    await bed.phase(succeeded, "Succeeded")
    await bed.steady(3)
    await bed.until(lambda: len(bed.owned()) == 5, "five pods with the two that ended")
    for name in (failed, succeeded):
        pod = bed.find(name)
        assert pod is not None
        assert [ref["uid"] for ref in controllers(pod)] == [owner["metadata"]["uid"]]


@case("P33", "of two changes at once the last one counts")
async def change_twice_at_once(bed: Bed) -> None:
    await bed.create(replicas=5)
    await bed.steady(5)
    await bed.scale(10)
    await bed.scale(3)
    await bed.steady(3)
    assert len(bed.created()) <= 10


@case("P38", "six hundred pods, more than are made in one go", patience=300)
async def cross_the_burst(bed: Bed) -> None:
    await bed.create(replicas=600)
    await bed.steady(600, patience=240)
    assert len(bed.created()) == 600
    await bed.scale(0)
    await bed.steady(0, patience=240)
    assert len(bed.created()) == 600
