"""metrics.k8s.io as far as an autoscaler asks for it: what the pods use follows from how many there are."""

from __future__ import annotations

import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from lab import docker
from tests.cluster.acceptance.api import Api, ApiError, Object
from tests.cluster.acceptance.observed import Observer, Space
from tests.pki import Authority

REQUEST = 100  # thousandths of a processor that a pod of the cases requests
GROUP = "metrics.k8s.io"
_PREFIX = f"/apis/{GROUP}/v1beta1"
_NAME = {"name": "acceptance-metrics", "namespace": "kube-system"}


class Metrics:
    """A server of the group on this machine, known to the API server for as long as it is open."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._spaces: dict[str, Space] = {}
        self._runner: web.AppRunner | None = None
        self.load: dict[str, float] = {}  # by namespace: what all pods use, in units of what one requests

    async def open(self, observer: Observer) -> None:
        self._spaces = observer.spaces
        app = web.Application()
        app.router.add_get(_PREFIX, _discovery)
        app.router.add_get(_PREFIX + "/namespaces/{namespace}/pods", self._pods)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        address = _gateway()
        site = web.TCPSite(self._runner, address, 0, ssl_context=_tls(address))
        await site.start()
        port = self._runner.addresses[0][1]
        for path, body in _objects(address, port):
            await self._replace(path, body)

    async def close(self) -> None:
        """Takes the group away before its server: a group that nobody serves keeps namespaces from going."""
        for path, body in reversed(_objects("192.0.2.1", 1)):
            await self._remove(f"{path}/{body['metadata']['name']}")
        if self._runner:
            await self._runner.cleanup()

    async def _pods(self, request: web.Request) -> web.Response:
        space = self._spaces.get(request.match_info["namespace"])
        running = [] if space is None else [pod for pod in space.objects["pods"].values() if _runs(pod)]
        used = self.load.get(request.match_info["namespace"], 0.0) * REQUEST / max(len(running), 1)
        return web.json_response(
            {
                "kind": "PodMetricsList",
                "apiVersion": f"{GROUP}/v1beta1",
                "metadata": {},
                "items": [_sample(pod, used) for pod in running],
            }
        )

    async def _replace(self, path: str, body: Object) -> None:
        await self._remove(f"{path}/{body['metadata']['name']}")
        await self._api.post(path, body)

    async def _remove(self, path: str) -> None:
        try:
            await self._api.delete(path)
        except ApiError as error:
            if error.code != 404:
                raise


def _runs(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def _sample(pod: Object, used: float) -> Object:
    meta = pod["metadata"]
    return {
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "labels": meta["labels"]},
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1)),
        "window": "1s",
        "containers": [{"name": "main", "usage": {"cpu": f"{used:.0f}m", "memory": "1Mi"}}],
    }


async def _discovery(_: web.Request) -> web.Response:
    pods = {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}
    return web.json_response(
        {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/v1beta1", "resources": [pods]}
    )


def _objects(address: str, port: int) -> list[tuple[str, Object]]:
    """A Service without pods, where it leads, and the group behind it."""
    namespace = f"/namespaces/{_NAME['namespace']}"
    ports: list[Any] = [{"name": "https", "port": 443, "targetPort": port, "protocol": "TCP"}]
    labels = {"kubernetes.io/service-name": _NAME["name"]}
    return [
        (f"/api/v1{namespace}/services", {"kind": "Service", "metadata": _NAME, "spec": {"ports": ports}}),
        (
            f"/apis/discovery.k8s.io/v1{namespace}/endpointslices",
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {**_NAME, "labels": labels},
                "addressType": "IPv4",
                "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
                "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            },
        ),
        (
            "/apis/apiregistration.k8s.io/v1/apiservices",
            {
                "apiVersion": "apiregistration.k8s.io/v1",
                "kind": "APIService",
                "metadata": {"name": f"v1beta1.{GROUP}"},
                "spec": {
                    "group": GROUP,
                    "version": "v1beta1",
                    "service": {**_NAME, "port": 443},
                    "insecureSkipTLSVerify": True,
                    "groupPriorityMinimum": 100,
                    "versionPriority": 100,
                },
            },
        ),
    ]


def _gateway() -> str:
    """This machine's address as the nodes see it."""
    (network,) = docker.inspect("network", ["kind"])
    configs = network["IPAM"]["Config"]
    return next(str(one["Gateway"]) for one in configs if "." in one.get("Gateway", ""))


def _tls(address: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*Authority(Path(folder)).issue("metrics", address))
    return context
