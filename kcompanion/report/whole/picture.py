"""The picture of the architecture: the arrangement everybody knows, filled with what was measured.

A line is solid where something arrived lately that can only have come over it (`controlplane.traffic`), dashed where
a flag or an object only says so. What the API cannot show is a dashed box, never a missing one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompanion.controlplane.addons import Addons
from kcompanion.controlplane.components import Component, Instance
from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.controlplane.nodes import Node
from kcompanion.controlplane.traffic import LATELY
from kcompanion.controlplane.traffic import Line as Traffic
from kcompanion.model.finding import Status, worst
from kcompanion.model.message import Message, say
from kcompanion.model.times import human_age
from kcompanion.report.document import Arrow, Box, Cell, Diagram, Frame, Row
from kcompanion.report.nodes import roles_of, runtime
from kcompanion.report.page import Line, Part, Picture
from kcompanion.report.whole.gathered import Infrastructure

CARDS = 12  # nodes drawn; the others are counted
ROWS = 7  # instances drawn in one box
OUTWARD = 8  # webhooks and aggregated APIs
_PLANE = ("kube-scheduler", "kube-controller-manager", "cloud-controller-manager", "etcd", "kube-apiserver")
API = "kube-apiserver"
NODES = "nodes"


def picture(found: Infrastructure) -> Picture:
    """Control plane, nodes, what stands beside them, and who talks to whom."""
    plane = found.plane
    nodes, rest = _cards(found)
    outward, calls = _outward(plane)
    return Picture(
        say("picture.title"),
        [_component(plane, name) for name in _PLANE],
        [*nodes, *rest],
        [*_beside(found.addons), *outward],
        [*_inside(plane), *_to_nodes(found, nodes), *calls],
    )


# ------------------------------------------------------------------------------------- control plane


def _component(plane: ControlPlane, name: str) -> Part:
    component = plane.component(name)
    hidden = component.missing and component.status in (Status.NOT_VISIBLE, Status.OK)
    shown = sorted(component.instances, key=lambda one: one.health.status is Status.OK)[:ROWS]
    rows = [_instance(plane, component, one) for one in component.instances if one in shown]
    left = len(component.instances) - len(rows)
    if left:
        rows.append(Row([say("picture.more_instances", count=left)]))
    return Part(name, name, list(_note(plane, component)), component.status, rows, hidden)


def _note(plane: ControlPlane, component: Component) -> Iterator[Cell]:
    versions = sorted({one.version for one in component.instances if one.version})
    if versions:
        yield ", ".join(versions)
    quorum = plane.etcd.quorum if component.name == "etcd" else None
    if quorum is not None:
        yield say("picture.quorum", alive=quorum.alive, members=quorum.members, needed=quorum.needed)
    if component.missing:
        held = component.leader
        if held is not None and not held.expired:
            yield say("picture.lease_renewed", age=human_age(held.age or 0))
        yield say("picture.unseen") if component.status is Status.NOT_VISIBLE and plane.hosted else component.note


def _instance(plane: ControlPlane, component: Component, one: Instance) -> Row:
    told: list[Cell] = [one.node or one.pod]
    held = component.leader
    if one.role == "leader" and held is not None and held.age is not None:
        told.append(say("picture.leads", age=human_age(held.age)))
    if one.health.status is not Status.OK:
        told.append(one.health.telling.message if one.health.telling else None)
    elif one.role == "standby":
        told.append(say("picture.stands_by"))
    elif component.name == API and (age := _renewed(one)):
        told.append(age)
    told += [say("picture.certificate", days=days) for days in _days(plane, component.name, one.node)]
    return Row(told, one.health.status)


def _renewed(one: Instance) -> Message | None:
    """How long ago an API server renewed its identity Lease."""
    for check in one.health.checks:
        if check.evidence.source.startswith("Lease kube-system/apiserver-"):
            return check.message
    return None


def _days(plane: ControlPlane, component: str, node: str) -> list[int]:
    """The days that the serving certificate of an API server still lasts."""
    if component != API:
        return []
    return [one.days_left for one in plane.certificates if one.use == "serving" and one.owner == node][:1]


# ---------------------------------------------------------------------------------------------- nodes


def _cards(found: Infrastructure) -> tuple[list[Part], list[Part]]:
    """The nodes as boxes: all of a small cluster; else those that are not well, and the control plane's first."""
    ranked = sorted(
        found.nodes, key=lambda node: (node.status is Status.OK, "control-plane" not in node.roles, node.fake)
    )
    kept = {node.name for node in ranked[:CARDS]}
    cards = [_card(node, found.plane, index) for index, node in enumerate(found.nodes) if node.name in kept]
    left = [node for node in found.nodes if node.name not in kept]
    if not left:
        return cards, []
    well = sum(node.status is Status.OK for node in left)
    told = say("picture.more_nodes", count=len(left), well=well)
    return cards, [Part("more", "…", [told], worst(node.status for node in left))]


def _card(node: Node, plane: ControlPlane, index: int) -> Part:
    rows = [Row([f"kubelet {node.kubelet}", _lease(node)], _on(plane, "kubelet", node.name))]
    rows.append(Row([runtime(node) or "container runtime"], _on(plane, "container-runtime", node.name)))
    proxy = _on(plane, "kube-proxy", node.name)
    if proxy is not None:
        rows.append(Row(["kube-proxy", plane.network.kube_proxy.mode or None], proxy))
    rows.append(Row([_room(node)]))
    note = [f"{roles_of(node)}, {node.state}", say("picture.fake") if node.fake else None]
    return Part(f"node{index + 1}", node.name, note, node.status, rows)


def _lease(node: Node) -> Cell:
    age = node.heartbeat.age if node.heartbeat else None
    return None if age is None else say("picture.lease_renewed", age=human_age(age))


def _room(node: Node) -> Message:
    if not node.room.known:
        return say("picture.room_unknown")
    most = "?" if node.room.max_pods is None else node.room.max_pods
    cpu, memory = node.room.used("cpu"), node.room.used("memory")
    return say("picture.room", pods=node.room.pods, most=most, cpu=_percent(cpu), memory=_percent(memory))


def _percent(number: int | None) -> str:
    return "?" if number is None else f"{number}%"


def _on(plane: ControlPlane, component: str, node: str) -> Status | None:
    """The status of a component's instance on a node; None when there is none."""
    return next((one.health.status for one in plane.component(component).instances if one.node == node), None)


# --------------------------------------------------------------------------------------------- beside


def _beside(addons: Addons) -> list[Part]:
    """DNS, the network plugin and whatever add-ons were found."""
    dns, cni = addons.dns, addons.network.cni
    parts = [
        Part("dns", "DNS", [dns.product or None, dns.version or None], dns.status, _ready(dns)),
        Part("cni", "CNI", [cni.name or say("addons.unrecognised"), cni.version or None], cni.status, _ready(cni)),
    ]
    for number, addon in enumerate(one for one in addons.found if one.present):
        title = addon.product
        note: list[Cell] = [say(f"addons.category.{addon.category}"), addon.version or None]
        parts.append(Part(f"addon{number + 1}", title, note, addon.status, _ready(addon)))
    return parts


def _ready(thing: object) -> list[Row]:
    rollout = getattr(thing, "rollout", None)
    return [] if rollout is None else [Row([say("picture.pods_ready", ready=rollout.ready, desired=rollout.desired)])]


# ---------------------------------------------------------------------------------------------- lines


def _inside(plane: ControlPlane) -> list[Line]:
    """Lines within the control plane: one for each pair of components, proved by the freshest sign."""
    pairs: dict[tuple[str, str], list[Traffic]] = {}
    for line in plane.traffic:
        source, target = _end(line.source), _end(line.target)
        if source in _PLANE and target in _PLANE:
            pairs.setdefault((source, target), []).append(line)
    return [_line(source, target, those) for (source, target), those in sorted(pairs.items())]


def _end(text: str) -> str:
    word = text.partition(" ")[0]
    return "etcd" if text.startswith("etcd") else word


def _line(source: str, target: str, those: Sequence[Traffic]) -> Line:
    ages = [line.age for line in those if line.measured and line.age is not None]
    proved = any(line.measured for line in those)
    told = say("picture.seen", age=human_age(min(ages))) if ages else say("picture.configured")
    return Line(source, target, proved, told)


def _to_nodes(found: Infrastructure, cards: Sequence[Part]) -> Iterator[Line]:
    """From each kubelet to the API server, and the API server's own calls to kubelets."""
    ages = {node.name: node.heartbeat.age for node in found.nodes if node.heartbeat}
    for card in cards:
        age = ages.get(card.name)
        proved = age is not None and age <= LATELY
        told = say("picture.seen", age=human_age(age)) if proved and age is not None else say("picture.not_lately")
        yield Line(card.id, API, proved, told)
    if any(line.source == API and line.target.startswith("kubelet") for line in found.plane.traffic):
        yield Line(API, NODES, proved=False, told=say("picture.logs_exec"))


def _outward(plane: ControlPlane) -> tuple[list[Part], list[Line]]:
    """Webhooks and aggregated APIs that the API server calls."""
    parts: list[Part] = []
    lines: list[Line] = []
    calls = [one for one in plane.traffic if one.target.startswith(("webhook ", "aggregated API "))]
    for number, call in enumerate(calls[:OUTWARD]):
        kind, _, name = call.target.rpartition(" ")
        key = f"out{number + 1}"
        parts.append(Part(key, name, [say(f"picture.{'webhook' if kind == 'webhook' else 'aggregated'}")]))
        lines.append(_line(API, key, [call]))
    if len(calls) > OUTWARD:
        parts.append(Part("outmore", "…", [say("picture.more_calls", count=len(calls) - OUTWARD)]))
    return parts, lines


# ------------------------------------------------------------------------------------ as boxes and arrows


def as_diagram(drawn: Picture) -> Diagram:
    """The same as framed boxes and arrows, for Mermaid and DOT: components, API server and nodes from left to right."""
    keys = {part.id: f"n{number + 1}" for number, part in enumerate(drawn.parts)}
    boxes = [_box(keys[part.id], part) for part in drawn.parts]
    # etcd first: Mermaid follows the lines from the first box on, and the API server must not be met before it
    plane = [keys[part.id] for part in sorted(drawn.plane, key=lambda part: part.id != "etcd")]
    nodes = [keys[part.id] for part in drawn.nodes]
    if any(line.target == NODES for line in drawn.lines):  # a line to all nodes ends at the port that each of them has
        keys[NODES] = f"n{len(boxes) + 1}"
        boxes.append(Box(keys[NODES], "", "kubelet :10250"))
        nodes.append(keys[NODES])
    framed = (("plane", plane), (NODES, nodes), ("beside", [keys[part.id] for part in drawn.beside]))
    frames = [Frame(name, say(f"picture.{name}"), those) for name, those in framed if those]
    order = [*((key, keys[API]) for key in plane if key != keys[API]), *((keys[API], key) for key in nodes)]
    arrows = [Arrow(keys[line.source], keys[line.target], line.told, owns=line.proved) for line in drawn.lines]
    return Diagram(drawn.title, boxes, arrows, frames, order, legend())


def _box(key: str, part: Part) -> Box:
    note = [Row(part.note)] if any(cell not in (None, "") for cell in part.note) else []
    return Box(key, "", part.name, part.status, outside=part.hidden, rows=[*note, *part.rows])


def legend() -> list[Message]:
    """What the lines and boxes of the picture mean."""
    return [say(f"picture.legend.{word}") for word in ("solid", "dashed", "hidden")]
