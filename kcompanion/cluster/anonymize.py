"""`snapshot save --anonymize`: a recording to show to others, with own names and addresses replaced.

Two passes. The first collects what is the owner's (namespaces, nodes, objects, hosts, users, images); the second
writes every answer anew. Joins survive: pod to node, owner to object, lease holder to node, certificate to node,
Service to Pod. What names nobody stays: components, roles, conditions, versions, numbers, times, uids.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from kcompanion.cluster.addresses import Addresses, found_in
from kcompanion.cluster.pseudonyms import Pseudonyms, is_public_domain
from kcompanion.cluster.rewrite import Rewriter
from kcompanion.model import resources as r
from kcompanion.model.ask import Reading
from kcompanion.model.fields import labels_of, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.snapshot import Origin, Snapshot

_SYSTEM_NAMESPACE = re.compile(r"kube-\w[\w-]*")
# Cluster-wide kinds whose names are a project's, not the owner's.
_PUBLIC_KINDS = frozenset({"APIService", "CSIDriver", "FlowSchema", "PriorityLevelConfiguration", "ComponentStatus"})
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")
_SUBJECT = re.compile(r"(?:CN|O)=((?:[^,\\]|\\.)+)")


def anonymized(snapshot: Snapshot, key: bytes | None = None) -> Snapshot:
    """The snapshot without own names and addresses; another key (random by default) gives other addresses."""
    names = Pseudonyms()
    _collect(snapshot, names)
    known = [pair for text in _all_texts(snapshot) for pair in found_in(text)]
    rewriter = Rewriter(names, Addresses(set(known), key or secrets.token_bytes(16)), _is_own_namespace)
    readings = [_reading(reading, rewriter) for reading in snapshot.readings.values()]
    return Snapshot(
        snapshot.now,
        _origin(snapshot.origin, rewriter),
        {reading.ask.key: reading for reading in readings},
    )


def _is_own_namespace(name: str) -> bool:
    return bool(name) and not _SYSTEM_NAMESPACE.fullmatch(name)


def _reading(reading: Reading, rewriter: Rewriter) -> Reading:
    ask = reading.ask
    resource = ask.resource and replace(
        ask.resource,
        group=rewriter.text(ask.resource.group),
        plural=rewriter.word(ask.resource.plural),
        kind=rewriter.word(ask.resource.kind),
    )
    new = replace(
        ask,
        resource=resource,
        namespace=ask.namespace and rewriter.text(ask.namespace),
        name=ask.name and rewriter.text(ask.name),
        selector=rewriter.text(ask.selector),
        path=rewriter.text(ask.path),
        server=rewriter.text(ask.server),
        body=rewriter.text(ask.body),
    )
    kind = ask.resource.kind if ask.resource else ""
    return replace(
        reading,
        ask=new,
        detail=rewriter.text(reading.detail),
        body=rewriter.answer(reading.body, kind),
        peer=None if reading.peer is None else rewriter.facts(reading.peer),
    )


def _origin(origin: Origin, rewriter: Rewriter) -> Origin:
    return replace(
        origin,
        context=rewriter.text(origin.context),
        cluster=rewriter.text(origin.cluster),
        server=rewriter.text(origin.server),
        namespace=rewriter.text(origin.namespace),
        user=rewriter.text(origin.user),
        anonymized=True,
    )


def _collect(snapshot: Snapshot, names: Pseudonyms) -> None:
    """Gives every own name its pseudonym; most telling sorts first, since a name keeps the first it gets."""
    readings = list(snapshot.readings.values())
    for node in _objects(readings, r.NODES.kind):
        names.name(name_of(node), "node")
    for node in _objects(readings, r.NODES.kind):
        for address in maps_at(node, "status", "addresses"):
            if not found_in(text := text_at(address, "address")):
                names.name(text, "host")
    for namespace in sorted({namespace_of(item) for _, item in _all_objects(readings)}):
        if _is_own_namespace(namespace):
            names.name(namespace, "namespace")
    nodes = {name_of(node) for node in _objects(readings, r.NODES.kind)}
    for _, item in _all_objects(readings):
        if _SYSTEM_NAMESPACE.fullmatch(namespace_of(item)):
            if not any(node in name_of(item) for node in nodes):
                names.keep(name_of(item))
            for key in labels_of(item):  # `k8s-app` beside a container `app`
                names.keep(key)
            for found in _images(item):
                names.image(found, of_the_system=True)
    for kind, item in sorted(_all_objects(readings), key=lambda pair: (pair[0], name_of(pair[1]))):
        _collect_object(kind, item, names)
    origin = snapshot.origin
    for text, sort in ((origin.context, "context"), (origin.cluster, "cluster"), (origin.user, "user")):
        names.name(text, sort)
    _host(origin.server, names)


def _collect_object(kind: str, item: Mapping[str, Any], names: Pseudonyms) -> None:
    namespace = namespace_of(item)
    if kind == r.NAMESPACES.kind and _is_own_namespace(name_of(item)):
        names.name(name_of(item), "namespace")
    elif _is_own_namespace(namespace) or (not namespace and _is_own_cluster_wide(kind, name_of(item))):
        names.name(name_of(item), kind.lower() or "object")
        for container in _containers(item):
            names.name(container, "container")
    if kind == r.CRDS.kind and not is_public_domain(group := text_at(item, "spec", "group")):
        names.name(group, "domain")
        for part in ("kind", "listKind", "plural", "singular"):
            names.value(text_at(item, "spec", "names", part), "kind")
    for found in _images(item):
        names.image(found)
    for host in _hosts(item):
        names.name(host, "host")
    for user in _users(item):
        names.name(user, "user")


def _is_own_cluster_wide(kind: str, name: str) -> bool:
    if kind in _PUBLIC_KINDS or kind == r.NODES.kind or name.startswith(("system:", "system-", "kubeadm:", "kube-")):
        return False
    return not (kind == r.CRDS.kind and is_public_domain(name))


def _containers(node: object) -> Iterator[str]:
    """The names of the containers of a pod or of a template, however deep."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("containers", "initContainers", "ephemeralContainers"):
                yield from (text_at(container, "name") for container in maps_at(node, key))
            else:
                yield from _containers(value)
    elif isinstance(node, list):
        for entry in node:
            yield from _containers(entry)


def _images(node: object) -> Iterator[str]:
    """Every image reference below a node."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("image", "imageID") and isinstance(value, str):
                yield value
            elif key == "names" and isinstance(value, list) and "sizeBytes" in node:
                yield from (name for name in value if isinstance(name, str))
            else:
                yield from _images(value)
    elif isinstance(node, list):
        for entry in node:
            yield from _images(entry)


def _hosts(item: Mapping[str, Any]) -> Iterator[str]:
    """Host names that objects carry: Ingress rules, ExternalName, load balancers, webhooks."""
    spec = map_at(item, "spec")
    candidates = [text_at(rule, "host") for rule in maps_at(spec, "rules")]
    candidates += [host for tls in maps_at(spec, "tls") for host in texts_at(tls, "hosts")]
    candidates.append(text_at(spec, "externalName"))
    candidates += [text_at(entry, "hostname") for entry in maps_at(item, "status", "loadBalancer", "ingress")]
    for webhook in maps_at(item, "webhooks"):
        candidates.append(urlsplit(text_at(webhook, "clientConfig", "url")).hostname or "")
    for host in candidates:
        bare = host.removeprefix("*.")
        if _DOMAIN.fullmatch(bare) and not is_public_domain(bare):
            yield bare


def _users(item: Mapping[str, Any]) -> Iterator[str]:
    """People that objects name: who signed a request, the subject of a certificate, who the server takes us for."""
    yield text_at(item, "spec", "username")
    yield text_at(item, "status", "userInfo", "username")
    yield from (*texts_at(item, "spec", "groups"), *texts_at(item, "status", "userInfo", "groups"))
    for found in _SUBJECT.finditer(text_at(item, "subject")):
        yield found[1]


def _host(server: str, names: Pseudonyms) -> None:
    host = urlsplit(server).hostname or ""
    if not found_in(host):
        names.name(host, "host")


def _objects(readings: Iterable[Reading], kind: str) -> Iterator[Mapping[str, Any]]:
    return (item for found, item in _all_objects(readings) if found == kind)


def _all_objects(readings: Iterable[Reading]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for reading in readings:
        kind = reading.ask.resource.kind if reading.ask.resource else ""
        for item in reading.body if isinstance(reading.body, list) else [reading.body]:
            if isinstance(item, dict):
                yield kind, item


def _all_texts(snapshot: Snapshot) -> Iterator[str]:
    """Every text of a snapshot, for the addresses in it."""
    yield snapshot.origin.server
    for reading in snapshot.readings.values():
        yield f"{reading.ask.server} {reading.ask.path} {reading.detail}"
        yield from _texts(reading.body)
        yield from _texts(reading.peer)


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(node, list):
        for entry in node:
            yield from _texts(entry)
