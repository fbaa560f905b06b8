"""Ingresses that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.backends import ready_addresses
from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, dig, map_at, maps_at, name_of, text_at, texts_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_ingress")
_DOCS = "https://kubernetes.io/docs/concepts/services-networking/ingress/"
_OLD = "kubernetes.io/ingress.class"  # the annotation from before IngressClass
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_FRESH = 60  # seconds a controller is given to take up an Ingress


@BOOK.rule("KC5261", kind="Ingress", severity=Severity.CRITICAL, rank=Rank.CONFIG, read=_DOCS + "#ingress-class")
def class_missing(item: Object, world: World) -> Iterator[Cause]:
    """The Ingress names a class that does not exist, or names none where none is the default."""
    ref, named = ref_of(item, "Ingress"), text_at(item, "spec", "ingressClassName")
    if dig(item, "metadata", "deletionTimestamp") or _taken_up(item):
        return
    look = inspect("kubectl get ingressclasses")
    step = change(text=say("rule_ingress.kc5261.do"))
    if named:
        if world.get(r.INGRESSCLASSES, named) is None:
            where = Ref("IngressClass", named)
            evidence = (seen(ref, "spec.ingressClassName", named), seen(where, "metadata.name", "not found"))
            yield Cause({"class": named}, evidence, (look, step), root=where)
        return
    if _OLD in annotations_of(item) or (world.since(text_at(item, "metadata", "creationTimestamp")) or 0) < _FRESH:
        return
    classes = world.all(r.INGRESSCLASSES)
    if not any(annotations_of(one).get(_DEFAULT) == "true" for one in classes):
        names = ", ".join(name_of(one) for one in classes) or "-"
        evidence = (
            seen(ref, "spec.ingressClassName", "-"),
            seen(Ref("IngressClass", "*"), f"annotations[{_DEFAULT}]", "none"),
        )
        yield Cause({"classes": names}, evidence, (look, step), variant="cause_none")


def _taken_up(item: Object) -> bool:
    """Whether some controller has given the Ingress an address."""
    return any(True for _ in maps_at(item, "status", "loadBalancer", "ingress"))


@BOOK.rule("KC5262", kind="Ingress", severity=Severity.WARNING, rank=Rank.SERVICE, read=_DOCS + "#prerequisites")
def no_controller(item: Object, world: World) -> Iterator[Cause]:
    """The class exists, but nobody has taken the Ingress up."""
    ref, named = ref_of(item, "Ingress"), text_at(item, "spec", "ingressClassName")
    age = world.since(text_at(item, "metadata", "creationTimestamp")) or 0
    if not named or _taken_up(item) or age < _FRESH or dig(item, "metadata", "deletionTimestamp"):
        return
    found = world.get(r.INGRESSCLASSES, named)
    # a controller that does not write addresses still reports that it synchronised
    if found is None or any(event.reason in ("Sync", "SuccessfullyReconciled") for event in world.events(ref)):
        return
    controller = text_at(found, "spec", "controller")
    yield Cause(
        {"class": named, "controller": controller, "age": human_age(age)},
        (
            seen(ref, "status.loadBalancer.ingress", "none"),
            seen(Ref("IngressClass", named), "spec.controller", controller),
        ),
        (
            inspect(f"kubectl describe ingress {ref.name} -n {ref.namespace}"),
            inspect(f"kubectl describe ingressclass {named}", say("rule_ingress.kc5262.do")),
        ),
        root=Ref("IngressClass", named),
    )


@BOOK.rule("KC5263", kind="Ingress", severity=Severity.CRITICAL, rank=Rank.CONFIG, read=_DOCS + "#ingress-rules")
def backend_missing(item: Object, world: World) -> Iterator[Cause]:
    """A rule sends to a Service or port that does not exist, or to one without ready pods."""
    ref = ref_of(item, "Ingress")
    told: set[tuple[str, str]] = set()
    for path, field, backend in _backends(item):
        name = text_at(backend, "name")
        port = dig(backend, "port", "name") or dig(backend, "port", "number")
        if not name or (name, str(port)) in told:
            continue
        told.add((name, str(port)))
        service = world.get(r.SERVICES, name, ref.namespace)
        where = Ref("Service", name, ref.namespace)
        values = {"path": path, "service": name, "port": str(port)}
        evidence = (seen(ref, field, f"{name}:{port}"),)
        step = change(text=say("rule_ingress.kc5263.do"))
        look = inspect(f"kubectl get services -n {ref.namespace}")
        if service is None:
            proof = seen(where, "metadata.name", "not found")
            yield Cause(values, (*evidence, proof), (look, step), root=where)
            continue
        ports = list(maps_at(service, "spec", "ports"))
        if port is not None and not any(port in (one.get("name"), one.get("port")) for one in ports):
            known = ", ".join(_port(one) for one in ports)
            proof = seen(where, "spec.ports", known or "none")
            yield Cause(
                {**values, "known": known or "-"}, (*evidence, proof), (look, step), variant="cause_port", root=where
            )
        elif _dead(service, name, ref.namespace, world):
            proof = Evidence(f"EndpointSlices of {where}", "endpoints[].conditions.ready", "0")
            steps = (inspect(f"kcompanion explain service/{name} -n {ref.namespace}"),)
            yield Cause(values, (*evidence, proof), steps, variant="cause_not_ready", root=where)


def _dead(service: Object, name: str, space: str, world: World) -> bool:
    """Whether a Service that should lead to pods leads to none."""
    if not map_at(service, "spec", "selector") or text_at(service, "spec", "type") == "ExternalName":
        return False
    try:
        old = (world.since(text_at(service, "metadata", "creationTimestamp")) or 0) >= _FRESH
        return old and not ready_addresses(world, name, space)
    except NotKnown:
        return False


def _port(one: Mapping[str, Any]) -> str:
    name = text_at(one, "name")
    return f"{name}={one.get('port')}" if name else str(one.get("port"))


def _backends(item: Object) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Host and path, the field, and the Service it sends to; backends that are no Services are left out."""
    default = map_at(item, "spec", "defaultBackend", "service")
    if default:
        yield "*", "spec.defaultBackend.service", default
    for index, rule in enumerate(maps_at(item, "spec", "rules")):
        for number, path in enumerate(maps_at(rule, "http", "paths")):
            backend = map_at(path, "backend", "service")
            if backend:
                words = f"{text_at(rule, 'host') or '*'}{text_at(path, 'path')}"
                yield words, f"spec.rules[{index}].http.paths[{number}].backend.service", backend


@BOOK.rule("KC5264", kind="Ingress", severity=Severity.CRITICAL, rank=Rank.CONFIG, read=_DOCS + "#tls")
def tls_missing(item: Object, world: World) -> Iterator[Cause]:
    """The Secret with the certificate is not there, or lacks what a certificate needs."""
    ref = ref_of(item, "Ingress")
    for index, entry in enumerate(maps_at(item, "spec", "tls")):
        name = text_at(entry, "secretName")
        if not name:
            continue
        where = Ref("Secret", name, ref.namespace)
        secret = world.get(r.SECRETS, name, ref.namespace)
        hosts = ", ".join(texts_at(entry, "hosts")) or "*"
        evidence = (seen(ref, f"spec.tls[{index}].secretName", name),)
        steps = (
            inspect(f"kubectl get secret {name} -n {ref.namespace} -o jsonpath='{{.type}}'"),
            change(text=say("rule_ingress.kc5264.do")),
        )
        values = {"secret": name, "hosts": hosts}
        if secret is None:
            yield Cause(values, (*evidence, seen(where, "metadata.name", "not found")), steps, root=where)
            continue
        keys = map_at(secret, "data")
        lacks = [key for key in ("tls.crt", "tls.key") if key not in keys]
        if lacks:
            proof = seen(where, "data", ", ".join(sorted(map(str, keys))) or "no keys")
            yield Cause(
                {**values, "lacks": ", ".join(lacks)}, (*evidence, proof), steps, variant="cause_keys", root=where
            )
