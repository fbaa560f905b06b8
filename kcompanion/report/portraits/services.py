"""A Service: from its address over EndpointSlices to the pods, ready or not and why; and an Ingress in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.nodelife import Life, life_of
from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, maps_at, text_at, texts_at
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report.document import Cell, Lines, Section
from kcompanion.report.portraits import common, events, owners
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, joined, label, lesson, yes_or_no

OF_SERVICE = "kubernetes.io/service-name"
PRIVILEGED = 1024  # ports below need rights on most machines


def address(sight: Sight) -> Iterator[Fact]:
    """How it is reached: its type, its addresses, and which port leads where."""
    item = sight.item
    kind = text_at(item, "spec", "type") or "ClusterIP"
    ip = text_at(item, "spec", "clusterIP")
    if kind == "ExternalName":
        yield label("type"), say("portrait.service.external", name=text_at(item, "spec", "externalName"))
        return
    yield (
        label("type"),
        say("portrait.service.headless")
        if ip == "None"
        else say(
            f"portrait.service.{kind.lower() if kind in ('NodePort', 'LoadBalancer') else 'clusterip'}", ip=ip or "-"
        ),
    )
    for entry in maps_at(item, "status", "loadBalancer", "ingress"):
        yield label("external"), text_at(entry, "ip") or text_at(entry, "hostname")
    dns = f"{sight.ref.name}.{sight.space}.svc"
    ports = ", ".join(_port(port) for port in maps_at(item, "spec", "ports"))
    yield label("dns"), dns
    if ports:
        yield label("ports"), ports
    spelt = ",".join(f"{key}={value}" for key, value in sorted(map_at(item, "spec", "selector").items()))
    yield label("selector"), spelt or say("portrait.service.no_selector")


def _port(port: Mapping[str, Any]) -> str:
    """`http 80 → 8080/TCP (node port 30080)`."""
    name = f"{text_at(port, 'name')} " if text_at(port, "name") else ""
    outside = f" (NodePort {port['nodePort']})" if port.get("nodePort") else ""
    protocol = text_at(port, "protocol") or "TCP"
    return f"{name}{port.get('port')} → {port.get('targetPort', port.get('port'))}/{protocol}{outside}"


def forward(sight: Sight) -> Iterator[Fact]:
    """The command that brings the Service to the reader's own machine."""
    if not map_at(sight.item, "spec", "selector"):
        return  # kubectl looks for a pod by the selector
    port = next((p for p in maps_at(sight.item, "spec", "ports") if (text_at(p, "protocol") or "TCP") == "TCP"), {})
    number = port.get("port")
    if isinstance(number, int):
        here = number + 8000 if number < PRIVILEGED else number
        yield label("try"), f"kubectl port-forward -n {sight.space} svc/{sight.ref.name} {here}:{number}"


@dataclass(frozen=True)
class Backend:
    """One address behind a Service, and the pod it belongs to."""

    address: str
    pod: str
    ready: bool
    serving: bool
    terminating: bool
    node: str = ""


def slices(world: World, space: str, service: str) -> list[Object]:
    """The EndpointSlices of a Service.

    Raises:
        NotKnown: they could not be listed.
    """
    return [one for one in world.all(r.ENDPOINTSLICES, space) if text_at(labels_of(one), OF_SERVICE) == service]


def backends(world: World, space: str, service: str) -> list[Backend]:
    """The addresses in a Service's EndpointSlices, each once.

    Raises:
        NotKnown: the slices could not be listed.
    """
    found: dict[str, Backend] = {}
    for one in slices(world, space, service):
        for endpoint in maps_at(one, "endpoints"):
            told = map_at(endpoint, "conditions")
            ready = told.get("ready") is not False  # nil stands for true
            for address in texts_at(endpoint, "addresses"):
                target = text_at(endpoint, "targetRef", "name")
                serving = told.get("serving", ready) is not False
                ending = told.get("terminating") is True
                node = text_at(endpoint, "nodeName")
                found[target or address] = Backend(address, target, ready, serving, ending, node)
    return sorted(found.values(), key=lambda one: (one.ready, one.pod, one.address))


def endpoints(sight: Sight) -> Iterator[Section]:
    """Service → EndpointSlice → pods: each address, whether it gets traffic, and why not."""
    if text_at(sight.item, "spec", "type") == "ExternalName":
        return
    found = backends(sight.world, sight.space, sight.ref.name)
    rows: list[tuple[Cell, ...]] = [
        (one.pod or "-", one.address, yes_or_no(one.ready), _why(sight, one)) for one in found
    ]
    listed = {one.pod for one in found}
    selector = map_at(sight.item, "spec", "selector")
    if selector:
        rows += [
            (pod.name, None, yes_or_no(False), _absent(pod))
            for pod in map(Pod, sight.world.all(r.PODS, sight.space))
            if pod.name not in listed and _selected(selector, pod.raw) and pod.phase in ("Pending", "Running")
        ]
    names = ", ".join(text_at(one, "metadata", "name") for one in slices(sight.world, sight.space, sight.ref.name))
    title = say("portrait.section.endpoints", slices=names or "-")
    made = list(common.bounded(sight, "pods", "POD ADDRESS TRAFFIC WHY", rows))
    blocks = [block for section in made for block in section.blocks] or [Lines([say("portrait.service.nobody")])]
    yield Section(title, blocks)


def _selected(selector: Mapping[str, Any], item: Object) -> bool:
    labels = labels_of(item)
    return all(labels.get(key) == value for key, value in selector.items())


def _why(sight: Sight, backend: Backend) -> Message | str:
    """Why an address gets traffic or not, from its pod."""
    if backend.terminating:
        return say("portrait.service.terminating")
    if backend.ready and (silent := _silent(sight.world, backend)):
        return say("portrait.service.silent", node=silent.name, age=silent.told_age)
    if backend.ready or not backend.pod:
        return say("portrait.service.ready") if backend.ready else say("portrait.service.unready")
    item = sight.world.get(r.PODS, backend.pod, sight.space)
    return _absent(Pod(item)) if item is not None else say("portrait.service.pod_gone")


def _silent(world: World, backend: Backend) -> Life | None:
    """The node of an address, if nothing is heard of it any more."""
    try:
        life = life_of(backend.node, world) if backend.node else None
    except NotKnown:  # the rules say that this could not be told
        return None
    return life if life is not None and life.unheard else None


def _absent(pod: Pod) -> Message | str:
    if pod.deleted_at:
        return say("portrait.service.terminating")
    if pod.status_word != "Running":
        return say("portrait.service.pod_is", word=pod.status_word)
    waiting = [c.name for c in pod.containers if c.sort in (c.sort.APP, c.sort.SIDECAR) and not c.ready]
    return say("portrait.service.not_ready", names=", ".join(waiting) or "-")


def ingress_class(sight: Sight) -> Iterator[Fact]:
    """The class, whether it exists, and the address it was given."""
    name = text_at(sight.item, "spec", "ingressClassName")
    if name:
        there = sight.world.get(r.INGRESSCLASSES, name) is not None
        yield label("class"), name if there else owners.gone(name)
    else:
        yield label("class"), say("portrait.ingress.no_class")
    given = [
        text_at(one, "ip") or text_at(one, "hostname")
        for one in maps_at(sight.item, "status", "loadBalancer", "ingress")
    ]
    yield label("external"), ", ".join(given) or say("portrait.ingress.no_address")


def ingress_tls(sight: Sight) -> Iterator[Fact]:
    """The Secrets with certificates, and whether they are there."""
    told: list[str | Message] = []
    for entry in maps_at(sight.item, "spec", "tls"):
        name = text_at(entry, "secretName")
        if name:
            there = sight.world.get(r.SECRETS, name, sight.space) is not None
            told.append(name if there else owners.gone(name))
    if told:
        yield label("tls"), joined(told)


def ingress_paths(sight: Sight) -> Iterator[Section]:
    """Host and path to Service and port, and how many pods are ready behind it."""
    rows: list[tuple[Cell, ...]] = []
    for rule in maps_at(sight.item, "spec", "rules"):
        for path in maps_at(rule, "http", "paths"):
            service = map_at(path, "backend", "service")
            rows.append(
                (
                    text_at(rule, "host") or "*",
                    text_at(path, "path") or "/",
                    _backend(service),
                    _behind(sight, text_at(service, "name")),
                )
            )
    if default := map_at(sight.item, "spec", "defaultBackend", "service"):
        rows.append(("*", "*", _backend(default), _behind(sight, text_at(default, "name"))))
    yield from common.bounded(sight, "paths", "HOST PATH SERVICE BEHIND_IT", rows)


def _backend(service: Mapping[str, Any]) -> str:
    port = dig(service, "port", "name") or dig(service, "port", "number") or "-"
    return f"{text_at(service, 'name') or '-'}:{port}"


def _behind(sight: Sight, service: str) -> Message:
    if sight.world.get(r.SERVICES, service, sight.space) is None:
        return say("portrait.ingress.no_service")
    found = backends(sight.world, sight.space, service)
    ready = [one for one in found if one.ready and not _silent(sight.world, one)]
    return say("portrait.ingress.behind", ready=len(ready), total=len(found))


SERVICE: tuple[Part, ...] = (
    facts(address, forward, common.created, common.deletion),
    endpoints,
    common.only_whole(events.recent),
    lesson("service", 2),
)
INGRESS: tuple[Part, ...] = (
    facts(ingress_class, ingress_tls, common.created, common.deletion),
    ingress_paths,
    common.only_whole(events.recent),
    lesson("ingress"),
)
