"""Room on a node: NodeResourcesFit (what is requested, not what is used) and NodePorts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.message import Message, say
from kcompanion.model.podresources import ZERO, Amounts, requests, shown
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.result import NOTHING_ASKED, Miss, Result, missed
from kcompanion.scheduling.state import State

Port = tuple[str, str, int]  # address, protocol, number
ANY = "0.0.0.0"  # noqa: S104 - what a host port without an address means, nothing listens here
_NATIVE = ("cpu", "memory", "ephemeral-storage", "pods")
_UNITS = (("Ti", 4), ("Gi", 3), ("Mi", 2), ("Ki", 1))


def readable(resource: str, amount: Decimal) -> str:
    """The amount in Kubernetes' spelling, with bytes rounded down to the largest sensible unit: `23.5Gi`."""
    if not resource.startswith(("memory", "ephemeral-storage", "hugepages-")) or abs(amount) < 1024:
        return shown(resource, amount)
    unit, power = next((u, p) for u, p in _UNITS if abs(amount) >= 1024**p)
    return f"{(amount / 1024**power).quantize(Decimal('0.1')).normalize():f}{unit}"


def resources_fit(pod: Object, state: State) -> Callable[[Object], Result]:
    """NodeResourcesFit: each resource the pod requests against allocatable less what other pods request."""
    wanted = {name: amount for name, amount in requests(pod).items() if amount > 0}

    def on(node: Object) -> Result:
        name = name_of(node)
        free_for = state.room(node)
        used, count = state.used(name, pod)
        misses = list(_short_of(wanted, free_for, used, name))
        places = free_for.get("pods", ZERO)
        if count + 1 > places:
            misses.append(_full(name, count, places))
        delegated = [miss for miss in misses if miss.kind == "no_resource" and _by_device(miss, state)]
        if delegated and len(delegated) == len(misses):
            return Result(note=say("why.note.device_class", resource=delegated[0].values["resource"]), open=True)
        left = [miss for miss in misses if miss not in delegated]
        return missed(*left) if left else Result(note=_fits(wanted, free_for, used))

    return on


def ports_free(pod: Object, state: State) -> Callable[[Object], Result]:
    """NodePorts: the host ports of containers and sidecars, by address and protocol."""
    wanted = list(host_ports(pod))

    def on(node: Object) -> Result:
        if not wanted:
            return NOTHING_ASKED
        name = name_of(node)
        others = [*state.pods_on(name, pod), *state.waiting_for(name, pod)]
        taken = [(port, other) for other in others for port in host_ports(other)]
        return missed(*(_taken(port, holder, name) for port, holder in _clashes(wanted, taken)))

    return on


def host_ports(pod: Object) -> Iterator[Port]:
    """The host ports a pod takes; ordinary init containers' do not count."""
    sidecars = [c for c in maps_at(pod, "spec", "initContainers") if c.get("restartPolicy") == "Always"]
    for container in (*sidecars, *maps_at(pod, "spec", "containers")):
        for port in maps_at(container, "ports"):
            number = port.get("hostPort")
            if isinstance(number, int) and number > 0:
                yield text_at(port, "hostIP") or ANY, text_at(port, "protocol") or "TCP", number


def clash(one: Port, other: Port) -> bool:
    """Whether two host ports exclude each other: same number and protocol, on one address or on all."""
    return one[1:] == other[1:] and (one[0] == other[0] or ANY in (one[0], other[0]))


def _clashes(wanted: list[Port], taken: list[tuple[Port, Object]]) -> Iterator[tuple[Port, Object]]:
    for port in wanted:
        holder = next((other for theirs, other in taken if clash(port, theirs)), None)
        if holder is not None:
            yield port, holder


def _taken(port: Port, holder: Object, node: str) -> Miss:
    other = Ref("Pod", name_of(holder), namespace_of(holder))
    evidence = Evidence(str(other), "spec.containers[].ports[].hostPort", f"{port[2]} (node {node})")
    values = {"port": f"{port[2]}/{port[1]}", "holder": other.place, "node": node}
    return Miss("port", 66, values, (evidence,))


def _short_of(wanted: Amounts, whole: Amounts, used: Amounts, node: str) -> Iterator[Miss]:
    for name in sorted(wanted, key=lambda n: (n not in _NATIVE, n)):
        total, held = whole.get(name, ZERO), used.get(name, ZERO)
        if wanted[name] <= total - held:
            continue
        kind = "no_resource" if not total and name not in _NATIVE else "too_big" if wanted[name] > total else "room"
        values: dict[str, Any] = {
            "resource": name,
            "need": readable(name, wanted[name]),
            "free": readable(name, max(total - held, ZERO)),
            "total": readable(name, total),
            "used": readable(name, held),
            "node": node,
        }
        told = f"{values['total']} ({values['used']} requested by pods, {values['free']} free)"
        evidence = Evidence(str(Ref("Node", node)), f"status.allocatable.{name}", told)
        yield Miss(kind, 61, values, (evidence,))


def _full(node: str, count: int, places: Decimal) -> Miss:
    values = {"resource": "pods", "used": count, "total": int(places), "node": node, "need": 1, "free": 0}
    evidence = Evidence(str(Ref("Node", node)), "status.allocatable.pods", str(int(places)))
    return Miss("pods", 61, values, (evidence,))


def _fits(wanted: Amounts, whole: Mapping[str, Decimal], used: Amounts) -> Message:
    if not wanted:
        return say("why.note.no_requests")
    told = [f"{readable(n, wanted[n])} {n}" for n in sorted(wanted)]
    free = [f"{readable(n, whole.get(n, ZERO) - used.get(n, ZERO))} {n}" for n in sorted(wanted)]
    return say("why.note.room", need=", ".join(told), free=", ".join(free))


def _by_device(miss: Miss, state: State) -> bool:
    """Whether a DeviceClass stands for the resource, so that DRA allocates it (DRAExtendedResource, beta in 1.36)."""
    name = str(miss.values["resource"])
    if "/" not in name:
        return False
    implied = name.startswith("deviceclass.resource.kubernetes.io/")
    return implied or any(
        text_at(one, "spec", "extendedResourceName") == name for one in state.world.all(r.DEVICECLASSES)
    )
