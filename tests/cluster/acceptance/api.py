"""The API server as the cases speak to it: plain JSON over one connection pool, errors with their status."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import yaml

Object = dict[str, Any]
MANAGER = "acceptance"  # the field manager of everything that the tests write
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, status: Object) -> None:
        super().__init__(f"{code}: {status.get('message', status)}")
        self.code = code
        self.status = status


class Api:
    """One API server, asked as the administrator whose kubeconfig the lab wrote."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._server: str = cluster["server"]
        self._tls = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        with tempfile.NamedTemporaryFile("w") as pair:
            pair.write(_decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"]))
            pair.flush()
            self._tls.load_cert_chain(pair.name)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Api:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        self._session = aiohttp.ClientSession(self._server, connector=connector, headers={"User-Agent": MANAGER})
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def get(self, path: str, **params: str) -> Object:
        return await self._ask("GET", path, params)

    async def text(self, path: str, since: int = 0) -> bytes:
        """Whatever lies at the path, from a byte on: logs are no JSON."""
        assert self._session is not None
        async with self._session.get(path, headers={"Range": f"bytes={since}-"}) as answer:
            body = await answer.read()
            if answer.status == 416:  # nothing was added since
                return b""
            return body[since:] if answer.status == 200 else body

    async def post(self, path: str, body: Object) -> Object:
        return await self._ask("POST", path, {"fieldManager": MANAGER}, body)

    async def put(self, path: str, body: Object) -> Object:
        return await self._ask("PUT", path, {"fieldManager": MANAGER}, body)

    async def patch(self, path: str, body: object, kind: str = MERGE) -> Object:
        return await self._ask("PATCH", path, {"fieldManager": MANAGER}, body, kind)

    async def delete(self, path: str, body: Object | None = None, **params: str) -> Object:
        return await self._ask("DELETE", path, params, body)

    async def _ask(
        self, method: str, path: str, params: dict[str, str], body: object = None, kind: str = "application/json"
    ) -> Object:
        assert self._session is not None
        data = None if body is None else json.dumps(body).encode()
        async with self._session.request(
            method,
            path,
            params=params,
            data=data,
            headers={"Content-Type": kind},
            timeout=aiohttp.ClientTimeout(total=60),
        ) as answer:
            text = await answer.text()
            found: Object = json.loads(text) if text.startswith("{") else {"message": text}
            if answer.status >= 300:
                raise ApiError(answer.status, found)
            return found

    def watch(self, path: str, version: str) -> Any:
        """The open answer of a watch; its lines are JSON."""
        assert self._session is not None
        params = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
        return self._session.get(path, params=params, timeout=aiohttp.ClientTimeout(total=None, sock_read=120))


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode()
