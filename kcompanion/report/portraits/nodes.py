"""A Node: what its kubelet says, the heartbeat, the room that is left, and the pods on it that are not well."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, labels_of, map_at, maps_at, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.quantities import human_bytes, parse_quantity
from kcompanion.model.snapshot import Object
from kcompanion.report.document import Cell, Section, Table, columns
from kcompanion.report.portraits import common, events
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, joined, label, lesson

ROLE = "node-role.kubernetes.io/"
LEASES = "kube-node-lease"


def about(sight: Sight) -> Iterator[Fact]:
    """Roles, readiness, versions."""
    roles = sorted(key.removeprefix(ROLE) for key in labels_of(sight.item) if key.startswith(ROLE))
    yield label("roles"), ", ".join(roles) or "worker"
    ready = condition(sight.item, "Ready")
    word = {"True": "ready", "False": "not_ready"}.get(text_at(ready, "status"), "silent")
    yield label("ready"), say(f"portrait.node.{word}", age=sight.age(ready.get("lastTransitionTime")))
    info = map_at(sight.item, "status", "nodeInfo")
    words = [text_at(info, key) for key in ("kubeletVersion", "containerRuntimeVersion", "osImage", "architecture")]
    yield label("versions"), ", ".join(filter(None, words))


def heartbeat(sight: Sight) -> Iterator[Fact]:
    """The kubelet's Lease: renewed every ten seconds while it lives."""
    lease = sight.world.get(r.LEASES, sight.ref.name, LEASES)
    if lease is None:
        yield label("heartbeat"), say("portrait.node.no_lease")
    else:
        renewed = dig(lease, "spec", "renewTime")
        yield label("heartbeat"), say("portrait.node.lease", age=sight.age(renewed))


def closed(sight: Sight) -> Iterator[Fact]:
    """Cordon and taints: which pods it takes."""
    if dig(sight.item, "spec", "unschedulable") is True:
        yield label("cordoned"), say("portrait.node.cordoned", name=sight.ref.name)
    taints = [
        f"{text_at(one, 'key')}={text_at(one, 'value')}:{text_at(one, 'effect')}".replace("=:", ":")
        for one in maps_at(sight.item, "spec", "taints")
    ]
    if taints:
        yield label("taints"), ", ".join(taints)


def room(sight: Sight) -> Iterator[Section]:
    """What the node has, what it gives to pods, and what they asked for."""
    pods = [pod for pod in sight.world.pods_on(sight.ref.name) if text_at(pod, "status", "phase") not in _ENDED]
    capacity, given = map_at(sight.item, "status", "capacity"), map_at(sight.item, "status", "allocatable")
    rows: list[tuple[Cell, ...]] = []
    for resource in ("cpu", "memory", "pods"):
        has, gives = parse_quantity(capacity.get(resource)), parse_quantity(given.get(resource))
        asked = (
            Decimal(len(pods)) if resource == "pods" else sum((requested(pod, resource) for pod in pods), Decimal(0))
        )
        share = f"{int(asked * 100 / gives)}%" if gives else None
        rows.append((resource, *(_spelt(value, resource) for value in (has, gives, asked)), share))
    yield Section(say("portrait.section.room"), [Table(columns("RESOURCE HAS FOR_PODS REQUESTED SHARE"), rows)])


_ENDED = frozenset({"Succeeded", "Failed"})


def requested(pod: Object, resource: str) -> Decimal:
    """What a pod requests: its containers together, or its largest init container if that is more, and overhead."""
    spec = map_at(pod, "spec")

    def ask(container: object) -> Decimal:
        return parse_quantity(dig(container, "resources", "requests", resource)) or Decimal(0)

    sidecars = Decimal(0)
    peak = Decimal(0)
    for container in maps_at(spec, "initContainers"):
        if text_at(container, "restartPolicy") == "Always":
            sidecars += ask(container)
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + ask(container))
    running = sidecars + sum((ask(one) for one in maps_at(spec, "containers")), Decimal(0))
    whole = parse_quantity(dig(spec, "resources", "requests", resource))  # pod-level requests win
    overhead = parse_quantity(dig(spec, "overhead", resource)) or Decimal(0)
    return (whole if whole is not None else max(running, peak)) + overhead


def _spelt(value: Decimal | None, resource: str) -> Cell:
    if value is None:
        return None
    if resource == "memory":
        return human_bytes(int(value))
    return f"{value.normalize():f}"


def bad_pods(sight: Sight) -> Iterator[Section]:
    """The pods on the node that are not well; all of them with -o wide."""
    found = sight.world.pods_on(sight.ref.name)
    shown = found if sight.whole else [item for item in found if not Pod(item).well]
    yield from common.pods_table(sight, shown, "node_pods" if sight.whole else "bad_pods")


def where_more(sight: Sight) -> Iterator[Fact]:
    """The command that shows a node as a part of the cluster."""
    commands: list[str | Message] = [f"kcompanion nodes {sight.ref.name}"]
    yield label("see_also"), joined(commands)


NODE: tuple[Part, ...] = (
    facts(about, heartbeat, closed, common.created, common.deletion, where_more),
    common.conditions,
    room,
    bad_pods,
    common.when(lambda sight: condition(sight.item, "Ready").get("status") != "True", events.recent),
    lesson("node", 2),
)
