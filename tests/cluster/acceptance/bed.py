"""One case's namespace: what it makes there, what it waits for, and what must hold when it is done."""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lab.controllers import Controller
from tests.cluster.acceptance.api import JSON, MANAGER, STRATEGIC, Api, ApiError, Object
from tests.cluster.acceptance.catalogue import Target, now
from tests.cluster.acceptance.metrics import Metrics
from tests.cluster.acceptance.observed import PATIENCE, Change, Observer, Space

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
_Found = TypeVar("_Found")


class Handle(Protocol):
    """What cases that stop the controller do to it."""

    account: Path

    def own(self, bed: Bed, kubeconfig: Path, name: str, *flags: str) -> Controller: ...
    async def stop(self) -> None: ...
    async def kill(self) -> None: ...
    async def start(self) -> None: ...
    def elected(self) -> AbstractAsyncContextManager[tuple[Controller, Controller]]: ...


@dataclass(frozen=True)
class World:
    """What all cases share."""

    api: Api
    observer: Observer
    metrics: Metrics
    kubeconfig: Path
    kubectl: Path
    folder: Path  # for what cases leave behind


class Bed:
    """The means of a case; objects come from the observer's watch, not from requests."""

    def __init__(self, world: World, target: Target, controller: Handle, *, strict: bool = False) -> None:
        self.world = world
        self.api = world.api
        self.target = target
        self.controller = controller
        self.namespace = f"p-{secrets.token_hex(4)}"
        self.space: Space = world.observer.spaces[self.namespace]
        self.strict = strict  # whether bounds are those of a machine that has nothing else to do
        self.exact = True  # whether in the end every owner has as many pods as it asks for

    # ------------------------------------------------------------------------------ making

    def path(self, resource: str, name: str = "", sub: str = "") -> str:
        group = self.target.path if resource == self.target.plural else _GROUPS.get(resource, "/api/v1")
        return "/".join(part for part in (group, "namespaces", self.namespace, resource, name, sub) if part)

    async def make(self, resource: str, body: Object) -> Object:
        return await self.api.post(self.path(resource), body)

    async def create(self, name: str = "rs", replicas: int = 1, *, finalizers: Any = None, **spec: Any) -> Object:
        """An owner. `labels` of the template and its `pod` spec may be given in short."""
        labels = spec.pop("labels", {"app": name})
        pod = spec.pop("pod", {})
        owners = spec.pop("owners", [])
        metadata = {"name": name, "namespace": self.namespace, "ownerReferences": owners}
        template = {"metadata": {"labels": labels}, "spec": {**pod_spec(), **pod}}
        body = {
            "apiVersion": self.target.api_version,
            "kind": self.target.kind,
            "metadata": {**metadata, "finalizers": finalizers or []},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
        }
        return await self.make(self.target.plural, body)

    async def pod(self, name: str, labels: dict[str, str], owners: list[Object] | None = None, **spec: Any) -> Object:
        """A pod that nobody asked the controller for."""
        metadata = {"name": name, "labels": labels, "ownerReferences": owners or []}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**pod_spec(), **spec}}
        return await self.make("pods", body)

    async def config_map(self, name: str = "other") -> Object:
        """Something that may own pods and never does anything about it."""
        return await self.make("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})

    def reference(self, owner: Object, **more: Any) -> Object:
        """A reference to one of our owners, or to a ConfigMap."""
        ours = owner.get("spec") is not None
        kind = (self.target.api_version, self.target.kind) if ours else ("v1", "ConfigMap")
        meta = owner["metadata"]
        return {"apiVersion": kind[0], "kind": kind[1], "name": meta["name"], "uid": meta["uid"], **more}

    async def quota(self, pods: int) -> None:
        """A quota, in force when this returns."""
        spec = {"hard": {"pods": str(pods)}}
        body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": spec}
        await self.make("resourcequotas", body)
        await self.poll(lambda: self.api.get(self.path("resourcequotas", "quota")), _in_force, "the quota in force")

    # ---------------------------------------------------------------------------- changing

    async def scale(self, replicas: int, name: str = "rs") -> Object:
        return await self.edit({"spec": {"replicas": replicas}}, name)

    async def edit(self, patch: Object, name: str = "rs", sub: str = "") -> Object:
        return await self.api.patch(self.path(self.target.plural, name, sub), patch)

    async def remove(self, name: str = "rs", policy: str = "Background") -> None:
        await self.api.delete(self.path(self.target.plural, name), {"propagationPolicy": policy})

    async def edit_pod(self, name: str, patch: Object, sub: str = "") -> Object:
        return await self.api.patch(self.path("pods", name, sub), patch, STRATEGIC)

    async def edit_pod_json(self, name: str, *operations: Object) -> Object:
        return await self.api.patch(self.path("pods", name), list(operations), JSON)

    async def remove_pod(self, name: str) -> None:
        await self.api.delete(self.path("pods", name))

    async def bind(self, name: str, node: str) -> None:
        """Puts a pod on a node as the scheduler does; the node need not exist."""
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        await self.make_under("pods", name, "binding", body)

    async def make_under(self, resource: str, name: str, sub: str, body: Object) -> Object:
        return await self.api.post(self.path(resource, name, sub), body)

    async def phase(self, name: str, phase: str) -> None:
        await self.edit_pod(name, {"status": {"phase": phase}}, "status")

    async def ready(
        self, name: str, since: str = "", *, status: str = "True", restarts: int = 0, phase: str = "Running"
    ) -> None:
        """Says of a pod what a kubelet would: it runs, and whether it is ready since when."""
        condition = {"type": "Ready", "status": status, "lastTransitionTime": since or now()}
        container = {"name": "main", "image": IMAGE, "imageID": "", "ready": status == "True", "restartCount": restarts}
        change = {"phase": phase, "startTime": now(), "conditions": [condition], "containerStatuses": [container]}
        await self.edit_pod(name, {"status": change}, "status")

    def load(self, requests: float) -> None:
        """What all pods of the namespace together use, in units of what one requests."""
        self.world.metrics.load[self.namespace] = requests

    @asynccontextmanager
    async def kubelet(self) -> AsyncIterator[None]:
        """Somebody who reports every pod ready, for the time of a `with` block."""
        task = asyncio.create_task(self._report())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _report(self) -> None:
        told: set[str] = set()
        while True:
            fresh = [pod for pod in self.pods() if pod["metadata"]["uid"] not in told and active(pod)]
            told |= {pod["metadata"]["uid"] for pod in fresh}
            reports = (self.ready(pod["metadata"]["name"]) for pod in fresh)
            await asyncio.gather(*reports, return_exceptions=True)  # a pod that went meanwhile needs none
            if not fresh:
                self.space.changed.clear()
                await self.space.changed.wait()

    # ----------------------------------------------------------------------------- looking

    def owner(self, name: str = "rs") -> Object | None:
        owners = self.space.objects[self.target.plural].values()
        return next((one for one in owners if one["metadata"]["name"] == name), None)

    def status(self, name: str = "rs") -> Object:
        """The owner's status, empty if there is none."""
        return dict((self.owner(name) or {}).get("status") or {})

    def pods(self) -> list[Object]:
        """Every pod of the namespace, the oldest first."""
        return sorted(self.space.objects["pods"].values(), key=lambda pod: pod["metadata"]["creationTimestamp"])

    def find(self, name: str) -> Object | None:
        return next((pod for pod in self.pods() if pod["metadata"]["name"] == name), None)

    def owned(self, name: str = "rs") -> list[Object]:
        """The pods whose controller is this owner."""
        owner = self.owner(name)
        return [pod for pod in self.pods() if owner and controller_uid(pod) == owner["metadata"]["uid"]]

    def active(self, name: str = "rs") -> list[Object]:
        return [pod for pod in self.owned(name) if active(pod)]

    def names(self, name: str = "rs") -> list[str]:
        return [pod["metadata"]["name"] for pod in self.active(name)]

    def created(self) -> list[Change]:
        """Every pod that ever came into being here."""
        return [one for one in self.space.history if one.resource == "pods" and one.type == "ADDED"]

    async def events(self) -> list[Object]:
        found: list[Object] = (await self.api.get(self.path("events")))["items"]
        return found

    # ----------------------------------------------------------------------------- waiting

    async def until(self, look: Callable[[], _Found], what: str, patience: float = PATIENCE) -> _Found:
        return await self.space.until(look, what, patience)

    async def poll(
        self, ask: Callable[[], Any], fits: Callable[[Any], bool], what: str, patience: float = PATIENCE
    ) -> Any:
        """For what no watch of the observer shows: asks four times a second."""
        found: Any = None
        for _ in range(int(patience * 4)):
            try:
                if fits(found := await ask()):
                    return found
            except ApiError as error:
                found = error
            await asyncio.sleep(0.25)
        raise AssertionError(f"not within {patience:.0f} s: {what}; there is {found}")

    async def steady(self, replicas: int, name: str = "rs", patience: float = PATIENCE, **status: int) -> list[Object]:
        """Waits until there are as many pods as that, and the status says so (and what else is given); the pods."""

        def look() -> bool:
            owner, told = self.owner(name), self.status(name)
            return (
                owner is not None
                and len(self.active(name)) == replicas
                and told.get("replicas", 0) == replicas
                and told.get("observedGeneration", 0) >= owner["metadata"]["generation"]
                and all(told.get(key, 0) == value for key, value in status.items())
            )

        await self.until(look, f"{name} with {replicas} pods and the status {status}", patience)
        return self.active(name)

    async def noticed(self) -> None:
        """Waits until the controller knows the pods made so far.

        An owner's event may overtake that of an older pod, for they come by two watches; then a pod is made in its
        place, by upstream's controller too, whose tests wait for its informer. A pod that is made elsewhere later, and
        counted, came by the same watch behind the others.
        """
        elsewhere = Bed(self.world, self.target, self.controller)
        await elsewhere.begin()
        await elsewhere.create()
        await elsewhere.steady(1)
        await elsewhere.end()

    async def synced(self, name: str = "rs") -> None:
        """Has the controller look once more, and waits until it has: what has not happened by then, does not."""
        mark = {"test.kcompanion.dev/nudge": secrets.token_hex(4)}
        edited = await self.edit({"spec": {"template": {"metadata": {"annotations": mark}}}}, name)
        generation = edited["metadata"]["generation"]
        await self.until(lambda: self.status(name).get("observedGeneration", 0) >= generation, f"{name} synced again")

    # ------------------------------------------------------------------- beginning and end

    async def begin(self) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        await self.api.post("/api/v1/namespaces", body)
        account = self.path("serviceaccounts", "default")
        await self.poll(lambda: self.api.get(account), lambda _: True, "a ServiceAccount for pods")

    async def end(self) -> None:
        """Lets go of everything; the namespace goes by itself."""
        for name in [one["metadata"]["name"] for one in self.space.objects[self.target.plural].values()]:
            await _gone(self.edit({"metadata": {"finalizers": None}}, name))
            await _gone(self.remove(name))
        for pod in self.pods():
            if pod["metadata"].get("finalizers"):
                await _gone(self.edit_pod(pod["metadata"]["name"], {"metadata": {"finalizers": None}}))
        await _gone(self.api.delete(f"/api/v1/namespaces/{self.namespace}"))

    def check(self) -> None:
        """What holds at the end of every case."""
        for owner in self.space.objects[self.target.plural].values():
            name, spec = owner["metadata"]["name"], owner["spec"]
            if self.exact and "deletionTimestamp" not in owner["metadata"]:
                assert len(self.active(name)) == spec["replicas"], f"{name} has {self.names(name)}"
            writers = {
                entry["manager"]
                for entry in owner["metadata"].get("managedFields", [])
                if entry.get("subresource") != "status" and entry["manager"] not in _OTHERS
            }
            assert not writers, f"{name} itself was written by {writers}"
            allowed = set(spec["template"]["metadata"].get("annotations", {}))
            for pod in self.owned(name):
                extra = set(pod["metadata"].get("annotations", {})) - allowed - _TOLD
                assert not extra, f"{pod['metadata']['name']} carries {extra}"


# Managers of fields that are not ours: the tests, and what makes Deployments, scales and collects garbage.
_OTHERS = {MANAGER, "kubectl", "kubectl-create", "kubectl-scale", "kube-controller-manager"}
_TOLD = {"test.kcompanion.dev/nudge", "controller.kubernetes.io/pod-deletion-cost"}
_GROUPS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
}


def pod_spec() -> Object:
    """A pod that stays Pending, since no scheduler takes it, and is gone at once when it is deleted."""
    container = {"name": "main", "image": IMAGE}
    return {"schedulerName": "none", "terminationGracePeriodSeconds": 0, "containers": [copy.deepcopy(container)]}


def active(pod: Object) -> bool:
    """Whether a pod counts: neither finished nor going."""
    finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not finished and "deletionTimestamp" not in pod["metadata"]


def controllers(pod: Object) -> list[Object]:
    return [ref for ref in pod["metadata"].get("ownerReferences", []) if ref.get("controller")]


def controller_uid(pod: Object) -> str:
    return next((str(ref["uid"]) for ref in controllers(pod)), "")


def uids(pods: list[Object]) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods}


def _in_force(quota: Object) -> bool:
    return bool((quota.get("status") or {}).get("used"))


async def _gone(request: Any) -> None:
    """Waits for a request on something that may be gone already."""
    try:
        await request
    except ApiError as error:
        if error.code not in (404, 409):
            raise
