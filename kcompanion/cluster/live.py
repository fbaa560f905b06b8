"""A live cluster as a Source: questions become requests, failures become readings, everything is scrubbed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from kcompanion.cluster import metrics, scrub, secrets
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.parallel import Deadline, run_all
from kcompanion.cluster.transport import JSON, RETRIED, Response, Transport, TransportError
from kcompanion.model.ask import Ask, Outcome, Reading, Verb, outcome_of
from kcompanion.model.certificates import facts_of_der
from kcompanion.model.fields import text_at
from kcompanion.model.snapshot import Origin

PAGE = 500
WORKERS = 16  # a control plane without etcd lets every request hang: all of them must hang at once
FRESH_SHARE = 0.4  # of the deadline, for fresh answers; the rest is for the API server's cache and for further rounds
ATTEMPTS = 3
PROBE_TIMEOUT = 2.0  # another API server's own address may not be routed from here at all
# Discovery answers in one document only when asked in these words (aggregated discovery, stable since 1.30).
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# Names, labels and owners of any kind, without the rest of the objects (stable since 1.15).
_METADATA = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
_ACCEPT = {"/api": f"{_DISCOVERY},{JSON}", "/apis": f"{_DISCOVERY},{JSON}"}


class LiveSource:
    """Reads one cluster; safe to reuse for several rounds of questions within one deadline."""

    def __init__(
        self,
        connection: Connection,
        *,
        request_timeout: float,
        deadline: Deadline,
        on_progress: Callable[[str], None] | None = None,
    ) -> None:
        self._transport = Transport(connection)
        self._origin = connection.origin
        self._local = {"client-certificate": connection.client_certificate}
        self._request_timeout = request_timeout
        self._deadline = deadline
        self._on_progress = on_progress
        self._server_time: datetime | None = None
        self.requests = 0
        self.bytes = 0

    @property
    def origin(self) -> Origin:
        return self._origin

    @property
    def now(self) -> datetime:
        return self._server_time or datetime.now(UTC).replace(microsecond=0)

    def read(self, asks: Iterable[Ask]) -> Mapping[str, Reading]:
        wanted = {ask.key: ask for ask in asks}
        tasks = {key: self._task(ask) for key, ask in wanted.items()}
        answers = run_all(tasks, WORKERS, self._deadline)
        late = f"the deadline of {self._deadline.seconds:.0f} s passed"
        return {key: answers.get(key) or Reading(ask, Outcome.TIMEOUT, detail=late) for key, ask in wanted.items()}

    def _task(self, ask: Ask) -> Callable[[], Reading]:
        def answer() -> Reading:
            reading = self._answer(ask)
            if self._on_progress:
                self._on_progress(ask.key)
            return scrub.reading(reading)

        return answer

    def _answer(self, ask: Ask) -> Reading:
        try:
            if ask.verb is Verb.LOCAL:
                known = self._local.get(ask.path)
                return Reading(ask, Outcome.OK if known else Outcome.ABSENT, body=known)
            if ask.server and not self._transport.verified:
                # an address from the cluster's own data gets our credentials only if its certificate is checked
                return Reading(ask, Outcome.UNSUPPORTED, detail="not probed: certificates are not verified here")
            if ask.verb is Verb.LIST:
                return self._list(ask)
            if ask.verb is Verb.GET:
                return self._get(ask)
            return self._one(ask)
        except TransportError as error:
            return Reading(ask, error.outcome, detail=error.detail)
        except (ValueError, RecursionError) as error:  # a cut-off body, or one nested without end
            return Reading(ask, Outcome.ERROR, detail=f"the answer is not JSON: {str(error)[:80]}")

    def _one(self, ask: Ask) -> Reading:
        if ask.verb is Verb.RAW:
            response = self._request(ask.path, ask, accept=_ACCEPT.get(ask.path, "*/*"))
        else:
            response = self._request(_path(ask), ask, body=_review_body(ask))
        peer = facts_of_der(response.peer) if ask.verb is Verb.RAW and response.peer else None
        if ask.verb is Verb.RAW and response.status not in {401, 403, 404, 406}:
            # /readyz answers 500 with the failing checks in its body: that is an answer, not an error
            text = response.body.decode(errors="replace")
            if ask.path == metrics.PATH:
                text = metrics.kept_lines(text)
            return Reading(ask, Outcome.OK, response.status, body=text, peer=peer)
        if response.status >= 300:
            return _failure(ask, response)
        return Reading(ask, Outcome.OK, response.status, body=json.loads(response.body), peer=peer)

    def _get(self, ask: Ask) -> Reading:
        """One object; from the API server's cache, and marked stale, when etcd gives no answer."""
        reading = self._object(ask)
        if _cache_may_help(reading) and self._deadline.remaining > 0:
            cached = self._object(ask, from_cache=True)
            if cached.ok:
                return replace(cached, detail=reading.detail, stale=True)
        return reading

    def _object(self, ask: Ask, *, from_cache: bool = False) -> Reading:
        query = "?resourceVersion=0" if from_cache else ""
        try:
            response = self._request(_path(ask) + query, ask, once=from_cache)
        except TransportError as error:
            return Reading(ask, error.outcome, detail=error.detail)
        if response.status >= 300:
            return _failure(ask, response)
        return Reading(ask, Outcome.OK, response.status, body=json.loads(response.body))

    def _list(self, ask: Ask) -> Reading:
        """Pages through a list; from the API server's cache, and marked stale, when etcd gives no answer."""
        reading = self._pages(ask)
        if _cache_may_help(reading) and self._deadline.remaining > 0:
            cached = self._pages(ask, from_cache=True)
            if cached.ok:
                return replace(cached, detail=reading.detail, stale=True)
        return reading

    def _pages(self, ask: Ask, *, from_cache: bool = False) -> Reading:
        items: list[Any] = []
        accept = _METADATA if ask.metadata_only else JSON
        token, restarts = "", 0
        while True:
            query = _list_query(ask, token, from_cache=from_cache)
            try:
                response = self._request(f"{_path(ask)}?{urlencode(query)}", ask, accept=accept, once=from_cache)
            except TransportError as error:
                return Reading(ask, error.outcome, detail=error.detail, body=items or None)
            if response.status == 410 and token and restarts < 1:
                # the continue token outlived etcd's history: start over, once
                items, token, restarts = [], "", restarts + 1
                continue
            if response.status >= 300:
                failed = _failure(ask, response)
                return Reading(ask, failed.outcome, failed.status, failed.detail, items or None)
            page = json.loads(response.body)
            if not isinstance(page, dict) or not isinstance(page.get("items", []), list | None):
                return Reading(ask, Outcome.ERROR, response.status, "the answer is not a list", items or None)
            found = page.get("items") or []
            items.extend(scrub.objects(ask, _bare(found) if ask.metadata_only else found))
            token = text_at(page, "metadata", "continue")
            if not token:
                return Reading(ask, Outcome.OK, response.status, body=items)

    def _request(
        self,
        path: str,
        ask: Ask,
        *,
        accept: str = JSON,
        body: bytes | None = None,
        once: bool = False,
    ) -> Response:
        """Sends one request, again after transient failures while the deadline and the server's wish allow."""
        limit = PROBE_TIMEOUT if ask.server else self._request_timeout
        attempts = 1 if once or ask.server or ask.verb is Verb.RAW else ATTEMPTS
        budget = Deadline(self._deadline.remaining if once else self._deadline.seconds * FRESH_SHARE)
        for attempt in range(1, attempts + 1):
            timeout = min(limit, self._deadline.remaining, budget.remaining)
            if timeout <= 0:
                break
            last = attempt == attempts
            try:
                self.requests += 1
                response = self._transport.request(path, accept=accept, body=body, server=ask.server, timeout=timeout)
            except TransportError as error:
                if last or not error.transient:
                    raise
                wait = 0.2 * 2**attempt
            else:
                self.bytes += len(response.body)
                self._server_time = response.date or self._server_time
                if last or response.status not in RETRIED:
                    return response
                asked = response.retry_after
                wait = 0.2 * 2**attempt if asked is None else asked
                if wait >= min(self._deadline.remaining, budget.remaining):
                    return response
            time.sleep(min(wait, self._deadline.remaining))
        raise TransportError(Outcome.TIMEOUT, f"no answer within {min(limit, budget.seconds):.0f} s")


def _cache_may_help(reading: Reading) -> bool:
    """Whether etcd may be the reason: not when the API server has too much to do (429, 503) or is not there."""
    return reading.outcome is Outcome.TIMEOUT or (reading.outcome is Outcome.ERROR and reading.status == 500)


def _bare(items: list[Any]) -> list[Any]:
    """Only the metadata, also from a server that sends whole objects whatever it is asked for."""
    return [{"metadata": item["metadata"]} for item in items if isinstance(item, dict) and "metadata" in item]


def _path(ask: Ask) -> str:
    if ask.resource is None:
        return ask.path
    return ask.resource.path(ask.namespace, ask.name)


def _list_query(ask: Ask, token: str, *, from_cache: bool) -> dict[str, str]:
    query = {"resourceVersion": "0"} if from_cache else {"limit": str(PAGE)}
    if token:
        query["continue"] = token
    if ask.selector:
        query["labelSelector"] = ask.selector
    if ask.fields:
        query["fieldSelector"] = ask.fields
    return query


def _review_body(ask: Ask) -> bytes:
    resource = ask.resource
    if resource is None:
        raise ValueError("a review needs its resource")
    spec = json.loads(ask.body)
    kind = {"apiVersion": resource.api_version, "kind": resource.kind}
    return json.dumps({**kind, "spec": spec} if spec else kind).encode()


def _failure(ask: Ask, response: Response) -> Reading:
    try:
        answer = json.loads(response.body)
        detail = str(answer.get("message") or "") if isinstance(answer, dict) else ""
    except ValueError:
        detail = ""
    outcome = outcome_of(response.status)
    detail = detail or f"HTTP {response.status}"
    return Reading(ask, outcome, response.status, secrets.text(" ".join(detail.split())[:300]))
