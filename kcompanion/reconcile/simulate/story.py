"""A story: what happens in a made-up cluster, and what the controller makes of it, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kcompanion.model.message import Message, say
from kcompanion.reconcile.decision import Decision
from kcompanion.reconcile.moments import SECOND
from kcompanion.reconcile.pod import Pod, pod_of
from kcompanion.reconcile.simulate.cluster import Cluster, Serve
from kcompanion.reconcile.target import COMPANION, Key
from kcompanion.reconcile.victims import Rule, Standing, deciding, ranked

NAMESPACE = "demo"
BEGIN = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z: the same story every time


@dataclass(slots=True)
class Scene:
    """What happens, what the controller did about it, and how the pods stand then."""

    what: Message
    turns: list[Decision] = field(default_factory=list)
    remarks: list[Message] = field(default_factory=list)
    pods: tuple[Pod, ...] = ()
    ranking: Sequence[tuple[Standing, Rule | None]] = ()  # with what puts each before the next


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario as it went."""

    name: str
    scenes: Sequence[Scene]


class Director:
    """Lets things happen in a cluster and keeps what comes of them."""

    def __init__(self) -> None:
        self.cluster = Cluster.of(COMPANION, BEGIN)
        self.scenes: list[Scene] = []

    @property
    def now(self) -> int:
        return self.cluster.now

    def pods(self, owner: str = "") -> list[Key]:
        """The pods, in the order in which they were made; of one ReplicaSet if it is named."""
        every = {key: pod_of(item) for key, item in self.cluster.server.pods.items()}
        return [k for k, p in every.items() if not owner or (p.controller is not None and p.controller.name == owner)]

    def replicaset(self, name: str, replicas: int, **more: Any) -> Key:  # noqa: ANN401 - JSON
        key = Key(NAMESPACE, name)
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        self.cluster.server.add_owner(key, spec, **more)
        return key

    def happens(self, id: str, /, **values: Any) -> Scene:  # noqa: ANN401 - a placeholder takes anything printable
        """Begins a scene."""
        scene = Scene(say(f"simulate.{id}", **values))
        self.scenes.append(scene)
        return scene

    def remark(self, id: str, /, **values: Any) -> None:  # noqa: ANN401 - as above
        self.scenes[-1].remarks.append(say(f"simulate.{id}", **values))

    def turn(self, key: Key, serve: Serve | None = None) -> Decision:
        """One sync, told."""
        decision = self.cluster.sync(key, serve).decision
        self.scenes[-1].turns.append(decision)
        return decision

    def work(self) -> None:
        """Delivers what the watch has and syncs until nothing is left; idle looks are not told."""
        scene = self.scenes[-1]
        while True:
            self.cluster.deliver_all()
            if not self.cluster.queue:
                break
            decision = self.cluster.sync(next(iter(self.cluster.queue))).decision
            if not decision.idle or not scene.turns:
                scene.turns.append(decision)
        self.show()

    def show(self) -> None:
        """Keeps how the pods stand."""
        self.scenes[-1].pods = tuple(pod_of(item) for item in self.cluster.server.pods.values())

    def rank(self, key: Key) -> None:
        """Keeps the order in which the pods would be deleted now."""
        owner = self.cluster.store.known_owners[key]
        pods = self.cluster.store.pods_of(owner)
        order = ranked(pods, pods if owner.controller_uid else (), self.now)
        rules = [deciding(one, other)[0] for one, other in pairwise(order)]
        self.scenes[-1].ranking = tuple(zip(order, (*rules, None), strict=True))

    def run_pods(self, *nodes: str) -> None:
        """Scheduler and kubelets do their part, and the controller takes note; not told."""
        self.cluster.server.now += 3 * SECOND
        for i, (key, item) in enumerate(self.cluster.server.pods.items()):
            if pod_of(item).active and not pod_of(item).ready:
                self.cluster.run_pod(key, nodes[i % len(nodes)] if nodes else f"worker-{i % 2 + 1}")
        self.cluster.settle()

    def told(self, name: str) -> Story:
        return Story(name, tuple(self.scenes))
