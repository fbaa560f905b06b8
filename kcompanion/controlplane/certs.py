"""Certificates that can be seen without a shell on a node, and how long they last.

Seen: the serving certificates of the API servers that answered, our own client certificate, the CAs in ConfigMaps and
cluster-info, the CA bundles of webhooks and aggregated APIs. Not seen: the files under /etc/kubernetes/pki; for those
the command to run on each control-plane node is given, and when kubeadm would let them end is only estimated.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.apiservers import endpoints
from kcompanion.controlplane.components import component_pods
from kcompanion.controlplane.flags import flags_of
from kcompanion.controlplane.pods import node_of
from kcompanion.model.ask import Ask, raw
from kcompanion.model.certificates import facts_of_pem
from kcompanion.model.fields import map_at, maps_at, name_of, text_at, texts_at
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.times import parse_time

SOON = 30  # days: kubeadm's own advice is to renew well before
CONFIGMAP_KEYS = (
    ("kube-root-ca.crt", "ca.crt", "cluster-ca"),
    ("extension-apiserver-authentication", "client-ca-file", "client-ca"),
    ("extension-apiserver-authentication", "requestheader-client-ca-file", "front-proxy-ca"),
)
# Flags whose files are certificates no API shows.
_FILE_FLAGS = {
    "kube-apiserver": ("etcd-certfile", "kubelet-client-certificate", "proxy-client-cert-file"),
    "etcd": ("cert-file", "peer-cert-file"),
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate and where it was seen."""

    use: str  # serving, own, cluster-ca, client-ca, front-proxy-ca, bundle
    owner: str  # node, user, webhook …
    subject: str
    issuer: str
    not_after: str
    days_left: int
    evidence: Evidence
    public_key_hash: str = ""

    @property
    def status(self) -> Status:
        if self.days_left < 0:
            return Status.FAIL
        return Status.WARN if self.days_left < SOON else Status.OK

    def to_json(self) -> dict[str, Any]:
        return {
            "use": self.use,
            "owner": self.owner or None,
            "subject": self.subject,
            "issuer": self.issuer,
            "notAfter": self.not_after,
            "daysLeft": self.days_left,
            "status": self.status.value,
            "publicKeyHash": self.public_key_hash or None,
            "evidence": self.evidence.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Unseen:
    """A certificate file on a node, known from a flag, whose dates the API does not show."""

    component: str
    node: str
    path: str

    def to_json(self) -> dict[str, Any]:
        return {"component": self.component, "node": self.node, "path": self.path}


def certificates(snapshot: Snapshot) -> tuple[Certificate, ...]:
    """Everything seen, the soonest to end first."""
    found = [*_serving(snapshot), *_own(snapshot), *_configmaps(snapshot), *_bundles(snapshot)]
    return tuple(sorted(found, key=lambda c: (c.days_left, c.use, c.owner, c.subject)))


def unseen(snapshot: Snapshot) -> tuple[Unseen, ...]:
    """Certificate files that flags name."""
    return tuple(
        Unseen(component, node_of(pod), flags_of(pod, component)[flag])
        for component, flags in _FILE_FLAGS.items()
        for pod in component_pods(snapshot, component)
        for flag in flags
        if flag in flags_of(pod, component)
    )


def _serving(snapshot: Snapshot) -> Iterator[Certificate]:
    asked: list[Ask] = [asks.READYZ, asks.LIVEZ]
    asked += [raw(asks.READYZ.path, e.url) for e in endpoints(snapshot)]
    nodes = {name_of(node) for node in snapshot.items(asks.NODES)}
    seen: set[str] = set()
    for ask in asked:
        peer = snapshot.reading(ask).peer
        if not peer or peer.get("publicKeyHash") in seen:
            continue
        seen.add(str(peer.get("publicKeyHash")))
        owner = next((name for name in sorted(texts_at(peer, "names")) if name in nodes), "")
        source = Evidence(f"TLS {ask.server or snapshot.origin.server}", "peer certificate")
        yield from _made(snapshot, peer, "serving", owner, source)


def _own(snapshot: Snapshot) -> Iterator[Certificate]:
    facts = snapshot.object(asks.OWN_CERTIFICATE)
    if facts:
        source = Evidence("kubeconfig", "users[].user.client-certificate")
        yield from _made(snapshot, facts, "own", snapshot.origin.user, source)


def _configmaps(snapshot: Snapshot) -> Iterator[Certificate]:
    held = {name_of(item): item for item in snapshot.items(asks.CONFIGMAPS)}
    for name, key, use in CONFIGMAP_KEYS:
        pem = text_at(held.get(name), "data", key)
        source = Evidence(f"ConfigMap {asks.SYSTEM}/{name}", f"data[{key}]")
        for facts in facts_of_pem(pem):
            yield from _made(snapshot, facts, use, "", source)


def _bundles(snapshot: Snapshot) -> Iterator[Certificate]:
    for ask in (asks.VALIDATING, asks.MUTATING):
        for item in snapshot.items(ask):
            for hook in maps_at(item, "webhooks"):
                bundle = text_at(hook, "clientConfig", "caBundle")
                kind = ask.resource.kind if ask.resource else ""
                yield from _bundle(snapshot, bundle, f"{kind}/{name_of(item)}", str(hook.get("name")))
    for item in snapshot.items(asks.API_SERVICES):
        yield from _bundle(snapshot, text_at(item, "spec", "caBundle"), f"APIService/{name_of(item)}", "")


def _bundle(snapshot: Snapshot, bundle: str, owner: str, part: str) -> Iterator[Certificate]:
    try:
        pem = base64.b64decode(bundle, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return
    for facts in facts_of_pem(pem):
        yield from _made(snapshot, facts, "bundle", owner, Evidence(owner, f"{part} caBundle".strip()))


def _made(
    snapshot: Snapshot, facts: Mapping[str, Any], use: str, owner: str, source: Evidence
) -> Iterator[Certificate]:
    end = parse_time(facts.get("notAfter"))
    if end is None:
        return
    yield Certificate(
        use=use,
        owner=owner,
        subject=str(facts.get("subject") or ""),
        issuer=str(facts.get("issuer") or ""),
        not_after=str(facts.get("notAfter")),
        days_left=(end - snapshot.now) // timedelta(days=1),
        evidence=Evidence(source.source, source.path, str(facts.get("notAfter"))),
        public_key_hash=str(facts.get("publicKeyHash") or ""),
    )


def ca_hash(snapshot: Snapshot) -> str:
    """The hash for `kubeadm join --discovery-token-ca-cert-hash`, from cluster-info; empty when it is not readable."""
    import yaml  # noqa: PLC0415 - 20 ms, only for this view

    text = text_at(snapshot.object(asks.CLUSTER_INFO), "data", "kubeconfig")
    try:
        document = yaml.safe_load(text) if text else None
    except (yaml.YAMLError, ValueError):  # ValueError: a scalar that looks like a date and is none
        return ""
    for entry in maps_at(document, "clusters"):
        data = map_at(entry, "cluster").get("certificate-authority-data")
        try:
            found = facts_of_pem(base64.b64decode(str(data)).decode(errors="replace"))
        except (binascii.Error, ValueError):
            continue
        if found:
            return str(found[0]["publicKeyHash"])
    return ""
