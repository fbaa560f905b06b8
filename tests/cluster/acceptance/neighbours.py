"""P41 to P44 and P47: what builds on ReplicaSets notices no difference.

Pods become ready because the case says so, except in P47: upstream's tests start real containers.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lab import e2e, gobuild
from tests.cluster.acceptance.api import ApiError, Object
from tests.cluster.acceptance.bed import Bed, pod_spec
from tests.cluster.acceptance.catalogue import APPS, case
from tests.cluster.acceptance.metrics import REQUEST


async def deployment(bed: Bed, replicas: int, **spec: Any) -> Object:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }
    return await bed.make("deployments", body)


async def change(bed: Bed, patch: Object) -> Object:
    return await bed.api.patch(bed.path("deployments", "web"), patch)


async def image(bed: Bed, name: str) -> None:
    spec = {"containers": [{"name": "main", "image": name}]}
    await bed.api.patch(
        bed.path("deployments", "web"), {"spec": {"template": {"spec": spec}}}, "application/strategic-merge-patch+json"
    )


async def rolled_out(bed: Bed, replicas: int) -> None:
    """As `kubectl rollout status` judges it."""

    def fits(found: Object) -> bool:
        status = found["status"]
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        return status.get("observedGeneration", 0) >= found["metadata"]["generation"] and counts == [replicas] * 3

    await bed.poll(lambda: bed.api.get(bed.path("deployments", "web")), fits, "the rollout complete", 120)


def revisions(bed: Bed) -> dict[str, list[str]]:
    """The images of active pods by ReplicaSet."""
    found = {}
    for owner in bed.space.objects[bed.target.plural].values():
        name = owner["metadata"]["name"]
        found[name] = [pod["spec"]["containers"][0]["image"] for pod in bed.active(name)]
    return found


def images(bed: Bed) -> list[str]:
    return sorted(image for every in revisions(bed).values() for image in every)


@case("P41", "a Deployment rolls out, back, pauses, scales and recreates", only=APPS, patience=300)
async def deploy(bed: Bed) -> None:
    async with bed.kubelet():
        await deployment(bed, 3)
        await rolled_out(bed, 3)
        first = set(images(bed))
        await image(bed, "example.com/web:2")
        await rolled_out(bed, 3)
        assert images(bed) == ["example.com/web:2"] * 3
        await image(bed, *first)  # a rollback is the old template once more, and the old ReplicaSet
        await rolled_out(bed, 3)
        assert len(revisions(bed)) == 2
        await change(bed, {"spec": {"paused": True}})
        await image(bed, "example.com/web:3")
        await change(bed, {"spec": {"replicas": 5}})
        await bed.until(lambda: images(bed) == [*first] * 5, "five pods of the old template while it is paused")
        await change(bed, {"spec": {"paused": False}})
        await rolled_out(bed, 5)
        assert images(bed) == ["example.com/web:3"] * 5
        await change(bed, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}})
        before = len(bed.space.history)
        await image(bed, "example.com/web:4")
        await rolled_out(bed, 5)
        later = [one for one in bed.space.history[before:] if one.resource == "pods"]
        born = [n for n, one in enumerate(later) if one.type == "ADDED"]
        died = [n for n, one in enumerate(later) if one.type == "DELETED"]
        assert max(died) < min(born), "the old ones went before the new ones came"


@case("P42", "kubectl scales, waits and follows a rollout", only=APPS, patience=300)
async def command(bed: Bed) -> None:
    async with bed.kubelet():
        await deployment(bed, 2)
        await kubectl(bed, "rollout", "status", "deployment/web", "--timeout=100s")
        await kubectl(bed, "scale", "deployment/web", "--replicas=4")
        await kubectl(bed, "wait", "deployment/web", "--for=jsonpath={.status.availableReplicas}=4", "--timeout=100s")
        await kubectl(bed, "rollout", "restart", "deployment/web")
        await kubectl(bed, "rollout", "status", "deployment/web", "--timeout=100s")
        await kubectl(bed, "rollout", "undo", "deployment/web")
        await kubectl(bed, "rollout", "status", "deployment/web", "--timeout=100s")
        await bed.create("alone", 1)
        await kubectl(bed, "scale", f"{bed.target.plural}/alone", "--replicas=3")
        target = f"{bed.target.plural}/alone"
        await kubectl(bed, "wait", target, "--for=jsonpath={.status.readyReplicas}=3", "--timeout=100s")
    assert len(bed.active("alone")) == 3


async def kubectl(bed: Bed, *words: str) -> str:
    """What it prints; the case fails if it does."""
    process = await asyncio.create_subprocess_exec(
        str(bed.world.kubectl),
        f"--kubeconfig={bed.world.kubeconfig}",
        f"--namespace={bed.namespace}",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, f"kubectl {' '.join(words)}: {out.decode()}"
    return out.decode()


@case("P43", "a disruption budget in per cent lets one go and keeps the rest")
async def budget(bed: Bed) -> None:
    async with bed.kubelet():
        await bed.create(replicas=4)
        await bed.steady(4, readyReplicas=4)
        spec = {"minAvailable": "75%", "selector": {"matchLabels": {"app": "rs"}}}
        body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec}
        await bed.make("poddisruptionbudgets", body)
        path = bed.path("poddisruptionbudgets", "b")

        def one_may_go(found: Object) -> bool:
            status = found.get("status") or {}
            wanted = {"expectedPods": 4, "currentHealthy": 4, "desiredHealthy": 3, "disruptionsAllowed": 1}
            return wanted.items() <= status.items()

        await bed.poll(lambda: bed.api.get(path), one_may_go, "a budget of one")
        await evict(bed, bed.names()[0])
        await bed.until(lambda: len(bed.created()) == 5, "a replacement")
        await bed.steady(4, readyReplicas=4)
        await bed.poll(lambda: bed.api.get(path), one_may_go, "a budget of one again")
        await bed.api.patch(path, {"spec": {"minAvailable": "100%"}})
        await bed.poll(lambda: bed.api.get(path), lambda found: not found["status"]["disruptionsAllowed"], "none")
        with pytest.raises(ApiError) as caught:
            await evict(bed, bed.names()[0])
        assert caught.value.code == 429
    await bed.steady(4)


async def evict(bed: Bed, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    await bed.make_under("pods", name, "eviction", body)


@case("P44", "an autoscaler follows the load of the pods from one to three and back", patience=400)
async def autoscale(bed: Bed) -> None:
    """One pod uses 225 % of its request, three use 75 %, which is near enough to 80 %; then the load goes."""
    container = {**pod_spec()["containers"][0], "resources": {"requests": {"cpu": f"{REQUEST}m"}}}
    about = {"apiVersion": bed.target.api_version, "kind": bed.target.kind, "name": "rs"}
    target = {"type": "Utilization", "averageUtilization": 80}
    body = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "rs"},
        "spec": {
            "scaleTargetRef": about,
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }
    async with bed.kubelet():
        await bed.create(replicas=1, pod={"containers": [container]})
        await bed.steady(1, readyReplicas=1)
        bed.load(2.25)
        await bed.make("horizontalpodautoscalers", body)
        await bed.steady(3, readyReplicas=3, patience=150)
        bed.load(0.1)
        await bed.steady(1, readyReplicas=1, patience=150)
        asked = [one.object["spec"]["replicas"] for one in bed.space.history if one.resource == bed.target.plural]
        assert max(asked) == 3
        await bed.api.delete(bed.path("horizontalpodautoscalers", "rs"))


@case("P47", "upstream's own end-to-end tests of ReplicaSets pass", only=APPS, patience=600)
async def satisfy_upstream(bed: Bed) -> None:
    program = await asyncio.to_thread(gobuild.e2e_binary)
    folder = bed.world.folder / f"e2e-{bed.target}"
    assert await asyncio.to_thread(e2e.run, program, bed.world.kubeconfig, e2e.REPLICASET, folder) == []
