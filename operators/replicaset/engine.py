"""Puts the parts together and runs them: watches from the start, workers only while we lead.

A standby keeps its caches warm. Whoever becomes the leader first makes sure that it knows all its predecessor wrote:
a cache that is a second old would make pods twice. So what was listed before the Lease was ours is listed again.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from uuid import uuid4

from kcompanion.errors import CompanionError, NotAuthenticated, Unreachable, UsageError
from kcompanion.model.fields import map_at
from kcompanion.model.resources import PODS
from kcompanion.model.snapshot import Object
from kcompanion.reconcile.expectations import Books
from kcompanion.reconcile.owner import ReplicaSet, replicaset_of
from kcompanion.reconcile.pod import Pod, pod_of
from kcompanion.reconcile.target import BUILT_IN, COMPANION, Target
from kcompanion.reconcile.triggers import Triggers, Wake
from operators.replicaset import standin
from operators.replicaset.chronicle import Chronicle
from operators.replicaset.client import Client
from operators.replicaset.controller import Controller
from operators.replicaset.lease import Election
from operators.replicaset.login import Logins
from operators.replicaset.logs import Log
from operators.replicaset.metrics import Registry, labelled
from operators.replicaset.recorder import Recorder
from operators.replicaset.reflector import Reflector
from operators.replicaset.server import Check, Server
from operators.replicaset.settings import Settings
from operators.replicaset.store import OwnerSink, PodSink, Store
from operators.replicaset.witness import Witness

STUCK = 2.5  # of the longest silence: reopening the watch did not help, or did not happen
LIMIT_TO_REACH = 10.0  # seconds for the first answer
LAST_WORDS = 3.0  # seconds for the last ones
# What upstream calls itself in events, and what we do for our own kind.
COMPONENTS = {BUILT_IN: "replicaset-controller", COMPANION: "companionreplicaset-controller"}
NOT_INSTALLED = "the kind is not installed: `kcompanion operator install`, or apply manifests/crd"


class Engine:
    """One run; made inside the loop in which it runs."""

    def __init__(self, settings: Settings, logins: Logins, witness: Witness) -> None:
        self._settings, self._log = settings, Log("operator")
        self._books = Books()
        self._store = Store(settings.target)
        self._witness = witness
        self._client = Client(logins, qps=settings.qps, burst=settings.burst)
        self._registry = Registry(name="replicaset", target=settings.target.name)
        chronicle = Chronicle(time.time_ns)
        self._recorder = Recorder(self._client, COMPONENTS[settings.target], time.time_ns, Log("events"))
        self._controller = Controller(
            self._store, self._books, self._client, self._recorder, chronicle, self._registry, Log("controller")
        )
        self._recorder.busy = lambda: self._controller.queue.processing > 0
        self._pods, self._owners = self._reflectors()
        self._election = self._candidate() if settings.elect else None
        self._working = False
        self._server = Server(
            settings.host, settings.port, alive=self.alive, ready=self._ready, metrics=self._registry.text
        )
        self._server.chronicle = chronicle
        self._measure()

    @property
    def reflectors(self) -> tuple[Reflector[Pod], Reflector[ReplicaSet]]:
        return self._pods, self._owners

    async def run(self) -> None:
        """Until it is cancelled, which ends it well.

        Raises:
            CompanionError: it cannot start.
            LostLease: another instance may lead now.
        """
        try:
            await self._check()
            port = await self._listen()
            self._log.info("serving", address=f"{self._settings.host}:{port}", target=self._settings.target.name)
            if self._election is not None:
                await self._election.attempt()  # before the first list, which then need not be made twice
                self._check_rights(self._election)
            async with asyncio.TaskGroup() as group:
                for reflector in self.reflectors:
                    group.create_task(reflector.run())
                group.create_task(self._watch_the_watch())
                await self._lead()
        finally:
            # What was begun has been cut off by now: nothing is written after the Lease is given away.
            self._controller.queue.stop()
            if self._election is not None:
                await self._election.release()
            await self._server.stop()
            await self._client.close()

    async def finish(self) -> None:
        """Sends nothing more, and waits a little for the answers to what was sent."""
        self._client.lease_left = lambda: 0.0
        ends = time.monotonic() + LAST_WORDS
        while self._client.in_flight and time.monotonic() < ends:
            await asyncio.sleep(0.02)

    async def _check(self) -> None:
        answer = await self._client.ask("GET", "/version", limited=False, timeout=LIMIT_TO_REACH)
        if not answer.code:
            raise Unreachable(f"the API server does not answer: {answer.message}", "check the kubeconfig's server")
        if answer.code == 401:
            raise NotAuthenticated("the API server does not know these credentials (401)", "check the user or token")
        if self._settings.target == BUILT_IN and not self._settings.allow_built_in:
            await standin.check(self._client)

    def _check_rights(self, election: Election) -> None:
        """Whoever has rights in one namespace only would wait for ever for a Lease in the one that all share.

        In the cluster it waits: the rights may be given a moment later.
        """
        settings = self._settings
        if settings.namespace and not settings.lease_namespace and election.forbidden:
            space, name = settings.lease
            raise UsageError(
                f"the Lease {space}/{name} decides who acts, and is out of reach: {election.refused}",
                f"ask for get, create and update of leases in {space}; or, where no other operator runs, "
                f"--lease-namespace {settings.namespace}",
            )

    async def _listen(self) -> int:
        try:
            return await self._server.start()
        except OSError as error:
            where = f"{self._settings.host}:{self._settings.port}"
            raise CompanionError(
                f"cannot listen on {where}: {error.strerror}", "choose another address with --listen"
            ) from error

    async def _lead(self) -> None:
        """Waits for the Lease, then works as long as it lasts."""
        since = 0.0
        if self._election is not None:
            await self._election.acquire()
            since = self._election.since
            self._client.lease_left = self._election.left
        async with asyncio.TaskGroup() as group:
            if self._election is not None:
                group.create_task(self._election.hold())
            await self._client.warm_up()
            for reflector in self.reflectors:
                await reflector.fresh(since)
            self._working = True
            self._log.info("working", pods=len(self._store.all_pods()), owners=len(self._store.all_owners()))
            group.create_task(self._recorder.run())
            group.create_task(self._controller.run())

    async def _watch_the_watch(self) -> None:
        """Kopf's own watch of our kind is a second pair of eyes: what it has seen long ago, ours must know too."""
        while True:
            await asyncio.sleep(5)
            late = self._witness.late(self._store.owner)
            if late:
                self._log.warning("our watch lags behind kopf's: opened anew", object=str(late))
                self._owners.reopen()

    def _reflectors(self) -> tuple[Reflector[Pod], Reflector[ReplicaSet]]:
        settings, namespace = self._settings, self._settings.namespace or None
        triggers = Triggers(settings.target, self._store, self._books)
        make_owner = partial(_slim, settings.target)
        pods = PodSink(self._store, triggers, self._wake)
        owners = OwnerSink(self._store, triggers, self._wake)
        quiet, log = settings.silence, Log("watch")
        return (
            Reflector("pods", self._client, PODS.path(namespace), pod_of, pods, log, silence=quiet),
            Reflector(
                settings.target.plural,
                self._client,
                settings.target.path(namespace),
                make_owner,
                owners,
                log,
                silence=quiet,
            ),
        )

    def _wake(self, wakes: Iterable[Wake]) -> None:
        self._controller.wake(wakes)

    def _candidate(self) -> Election:
        name = os.environ.get("POD_NAME") or platform.node()
        return Election(self._client, *self._settings.lease, f"{name}_{uuid4()}", Log("lease"))

    # ------------------------------------------------------------------ what it says of itself

    def alive(self) -> tuple[Check, ...]:
        limit = self._settings.silence * STUCK
        watches = tuple(
            Check(f"watch-{one.name}", one.silent < limit, f"heard {one.silent:.0f} s ago") for one in self.reflectors
        )
        return (*watches, Check("kopf", ok=True, detail=self._witness.state))

    def _ready(self) -> tuple[Check, ...]:
        checks = [self._synced(one) for one in self.reflectors]
        election = self._election
        if election is not None:
            role = "leader" if election.leading else f"standby; {election.holder} leads"
            known = election.leading or (bool(election.holder) and not election.refused)
            checks.append(Check("lease", known, role if known else election.refused or "not read yet"))
        if election is None or election.leading:
            checks.append(Check("workers", self._working, "working" if self._working else "waiting for the caches"))
        return tuple(checks)

    def _synced(self, reflector: Reflector[Pod] | Reflector[ReplicaSet]) -> Check:
        detail = reflector.trouble
        if reflector is self._owners and detail.startswith("404") and self._settings.target == COMPANION:
            detail = NOT_INSTALLED
        synced = reflector.synced.is_set()
        behind = max(reflector.silent, reflector.troubled)
        if synced and behind > self._settings.silence * STUCK:  # not at once: the API server may be gone for a while
            synced, detail = False, f"its watch has told nothing for {behind:.0f} s: {detail or 'silence'}"
        return Check(f"cache-{reflector.name}", synced, detail or "synced")

    def _measure(self) -> None:
        registry, client, election = self._registry, self._client, self._election
        registry.reading(
            "kcompanion_operator_api_requests_total",
            "Requests, by answer.",
            lambda: labelled(client.counted),
            "counter",
        )
        registry.gauge(
            "kcompanion_operator_client_limit_seconds_total",
            "Seconds for which --kube-api-qps held requests back.",
            lambda: client.waited,
            "counter",
        )
        latency = registry.histogram("kcompanion_operator_api_request_duration_seconds", "How long answers took.")
        client.spent = lambda _, seconds: latency.observe(seconds)
        registry.gauge("kcompanion_operator_leader", "1 while this instance works.", lambda: self._working)
        registry.gauge("kcompanion_operator_pods", "Pods known.", lambda: len(self._store.all_pods()))
        registry.gauge("kcompanion_operator_owners", "ReplicaSets known.", lambda: len(self._store.all_owners()))
        registry.gauge(
            "kcompanion_operator_events_dropped_total", "Events lost.", lambda: self._recorder.dropped, "counter"
        )
        if election is not None:
            registry.gauge("kcompanion_operator_lease_left_seconds", "For how long we may write.", election.left)
        for one in self.reflectors:
            _measure_watch(registry, one)


def _measure_watch(registry: Registry, watch: Reflector[Any]) -> None:
    label = (("resource", watch.name),)
    readings: tuple[tuple[str, str, Callable[[], float], str], ...] = (
        ("lists_total", "Lists of all objects.", lambda: watch.lists, "counter"),
        ("watches_total", "Watches opened.", lambda: watch.watches, "counter"),
        ("events_total", "Events received.", lambda: watch.events, "counter"),
        ("silent_seconds", "Since the server was last heard.", lambda: watch.silent, "gauge"),
    )
    for what, meaning, read, kind in readings:
        registry.gauge(f"kcompanion_operator_watch_{what}", meaning, read, kind, label)


def _slim(target: Target, item: Object) -> ReplicaSet:
    """Without what is the larger part of it: who wrote which field. A status can be written without."""
    metadata = {name: value for name, value in map_at(item, "metadata").items() if name != "managedFields"}
    return replicaset_of(target, {**item, "metadata": metadata})
