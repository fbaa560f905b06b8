"""P16, P17, P25, P32 and P34: what status and events tell."""

from __future__ import annotations

import re
import time
from datetime import datetime

from tests.cluster.acceptance.api import Object
from tests.cluster.acceptance.bed import Bed, uids
from tests.cluster.acceptance.catalogue import case, stamp


@case(
    "P16",
    "ready and available are told apart by minReadySeconds",
    upstream=("TestReadyAndAvailableReplicas",),
)
async def tell_ready_from_available(bed: Bed) -> None:
    await bed.create(replicas=3, minReadySeconds=3600)
    long_ready, just_ready, _ = [pod["metadata"]["name"] for pod in await bed.steady(3)]
    await bed.ready(long_ready, stamp(-7200))
    await bed.ready(just_ready)
    await bed.steady(3, readyReplicas=2, availableReplicas=1)


@case("P17", "a pod becomes available by the clock alone", bounded=True)
async def become_available(bed: Bed) -> None:
    seconds, late = (8, 2) if bed.strict else (20, 30)  # a busy machine tells of "ready" many seconds later
    await bed.create(replicas=1, minReadySeconds=seconds)
    (pod,) = await bed.steady(1)
    await bed.ready(pod["metadata"]["name"])
    await bed.until(lambda: bed.status().get("readyReplicas"), "one ready pod")
    assert not bed.status().get("availableReplicas")
    told = len([one for one in bed.space.history if one.resource == "pods"])
    await bed.steady(1, availableReplicas=1)
    (pod,) = bed.active()
    ready = next(one for one in pod["status"]["conditions"] if one["type"] == "Ready")
    age = time.time() - datetime.fromisoformat(ready["lastTransitionTime"]).timestamp()
    assert seconds <= age < seconds + late
    assert told == len([one for one in bed.space.history if one.resource == "pods"]), "no event of the pod woke it"


@case("P25", "a quota that is full shows as a condition, and the condition goes with its cause")
async def meet_a_quota(bed: Bed) -> None:
    await bed.quota(2)
    await bed.create(replicas=3)
    await bed.until(lambda: failure(bed), "the condition ReplicaFailure")
    condition = failure(bed)
    assert (condition["status"], condition["reason"]) == ("True", "FailedCreate")
    said = "exceeded quota: quota, requested: pods=1, used: pods=2, limited: pods=2"
    assert said in condition["message"]
    assert len(bed.active()) == 2

    def complaints(events: list[Object]) -> list[Object]:
        return [one for one in events if one["reason"] == "FailedCreate" and one["type"] == "Warning"]

    events = complaints(await bed.poll(bed.events, lambda events: bool(complaints(events)), "a FailedCreate event"))
    assert re.match(r"Error creating: pods \"rs-\w+\" is forbidden: exceeded quota", events[0]["message"])
    await bed.scale(2)
    await bed.steady(2)
    await bed.until(lambda: not failure(bed), "the condition is gone")


def failure(bed: Bed) -> Object:
    conditions: list[Object] = bed.status().get("conditions") or []
    return next((one for one in conditions if one["type"] == "ReplicaFailure"), {})


@case("P32", "a condition of somebody else stays in the status")
async def keep_a_foreign_condition(bed: Bed) -> None:
    await bed.create(replicas=2)
    pods = await bed.steady(2)
    foreign = {"type": "Weather", "status": "True", "reason": "Sunny", "message": "from elsewhere"}
    await bed.edit({"status": {"conditions": [foreign]}}, sub="status")
    for turn in range(5):
        status = "False" if turn % 2 else "True"
        for pod in pods:
            await bed.ready(pod["metadata"]["name"], status=status)
        await bed.steady(2, readyReplicas=0 if turn % 2 else 2)
    (kept,) = bed.status()["conditions"]
    assert {key: kept[key] for key in foreign} == foreign


@case("P34", "every pod made or deleted is an event of the owner")
async def tell_events(bed: Bed) -> None:
    owner = await bed.create(replicas=2)
    before = await bed.steady(2)
    await bed.scale(1)
    (left,) = await bed.steady(1)
    names = {pod["metadata"]["name"] for pod in before}
    (deleted,) = names - {left["metadata"]["name"]}
    assert uids([left]) < uids(before)
    wanted = {("SuccessfulCreate", f"Created pod: {name}") for name in names}
    wanted |= {("SuccessfulDelete", f"Deleted pod: {deleted}")}

    def told(events: list[Object]) -> set[tuple[str, str]]:
        return {(one["reason"], one["message"]) for one in events}

    events = await bed.poll(bed.events, lambda events: wanted <= told(events), f"the events {wanted}")
    assert told(events) == wanted
    for event in events:
        assert event["type"] == "Normal"
        assert event["source"]["component"] == bed.target.component
        about = event["involvedObject"]
        expected = (bed.target.api_version, bed.target.kind, "rs", owner["metadata"]["uid"])
        assert (about["apiVersion"], about["kind"], about["name"], about["uid"]) == expected
