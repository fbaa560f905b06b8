"""Who the API server takes us for, what our certificate says, and what a new node would need to join.

The API server's own answer (SelfSubjectReview, stable since 1.28) counts; a certificate only says what we claim: its
CN is the user name and each O a group.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kcompanion.access.credentials import days_left
from kcompanion.controlplane import asks
from kcompanion.controlplane.certs import ca_hash
from kcompanion.controlplane.configfile import KUBEADM, KUBELET, embedded, parsed
from kcompanion.controlplane.health import readable
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, getting, review
from kcompanion.model.certificates import facts_of_pem
from kcompanion.model.fields import map_at, maps_at, text_at, texts_at
from kcompanion.model.finding import Evidence, Finding, Severity
from kcompanion.model.message import say
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import parse_time

SELF = review(r.SELF_REVIEW, {})
ROOT_CA = getting(r.CONFIGMAPS, "kube-root-ca.crt", "kube-public")
ASKS: tuple[Ask, ...] = (
    asks.VERSION,
    SELF,
    asks.OWN_CERTIFICATE,
    asks.CLUSTER_INFO,
    asks.CONFIGMAPS,
    ROOT_CA,
    asks.SECRETS,
)
ESSENTIAL: tuple[Ask, ...] = (SELF,)
BOOTSTRAP = "bootstrap.kubernetes.io/token"
SOON = 30  # days
_USAGE = "usage-bootstrap-"
# Rights that no RBAC rule can take away (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
MASTERS = "system:masters"
ANONYMOUS = "system:anonymous"


@dataclass(frozen=True, slots=True)
class Token:
    """A bootstrap token without its id and secret."""

    expiration: str
    seconds: int | None  # until it ends; None: never
    usages: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"expiration": self.expiration or None, "expiresInSeconds": self.seconds, "usages": list(self.usages)}


@dataclass(frozen=True, slots=True)
class Join:
    """What kubeadm left behind for nodes that want to join; `tokens` is None when Secrets could not be listed."""

    hash: str
    root_hash: str  # of the CA that pods are told to trust, to compare
    endpoint: str
    tokens: tuple[Token, ...] | None
    left: Mapping[str, bool | None]  # ConfigMap: is it there (None: could not be read)

    @property
    def by_kubeadm(self) -> bool:
        return bool(self.hash) or self.left.get("kube-system/kubeadm-config") is True

    def to_json(self) -> dict[str, Any]:
        return {
            "caCertHash": self.hash or None,
            "rootCaHash": self.root_hash or None,
            "endpoint": self.endpoint or None,
            "bootstrapTokens": None if self.tokens is None else [token.to_json() for token in self.tokens],
            "configMaps": dict(self.left),
        }


@dataclass(frozen=True, slots=True)
class Identity:
    """`user` is empty when the API server did not say."""

    user: str
    uid: str
    groups: tuple[str, ...]
    extra: tuple[str, ...]  # keys only: the values may be credentials' ids
    certificate: Mapping[str, Any] | None
    days: int | None
    join: Join

    def to_json(self) -> dict[str, Any]:
        return {
            "user": self.user or None,
            "uid": self.uid or None,
            "groups": list(self.groups),
            "extraKeys": list(self.extra),
            "certificate": dict(self.certificate) if self.certificate else None,
            "certificateDaysLeft": self.days,
            "join": self.join.to_json(),
        }


def identity(snapshot: Snapshot) -> Identity:
    """Everything from the answers to ASKS."""
    told = map_at(snapshot.object(SELF), "status", "userInfo")
    certificate = snapshot.object(asks.OWN_CERTIFICATE)
    return Identity(
        text_at(told, "username"),
        text_at(told, "uid"),
        texts_at(told, "groups"),
        tuple(sorted(map_at(told, "extra"))),
        certificate,
        days_left(text_at(certificate, "notAfter"), snapshot.now),
        _join(snapshot),
    )


def _join(snapshot: Snapshot) -> Join:
    tokens: tuple[Token, ...] | None = None
    if readable(snapshot, asks.SECRETS):
        held = [item for item in snapshot.items(asks.SECRETS) if text_at(item, "type") == BOOTSTRAP]
        tokens = tuple(sorted((_token(item, snapshot.now) for item in held), key=lambda t: t.expiration or "~"))
    root = facts_of_pem(text_at(snapshot.object(ROOT_CA), "data", "ca.crt"))
    info = parsed(text_at(snapshot.object(asks.CLUSTER_INFO), "data", "kubeconfig"))
    servers = (text_at(entry, "cluster", "server") for entry in maps_at(info, "clusters"))
    return Join(
        ca_hash(snapshot),
        str(root[0]["publicKeyHash"]) if root else "",
        next((server for server in servers if server), "").removeprefix("https://"),
        tokens,
        _left_behind(snapshot),
    )


def _left_behind(snapshot: Snapshot) -> Mapping[str, bool | None]:
    found: dict[str, bool | None] = {}
    for name, key in (KUBEADM, KUBELET):
        there = embedded(snapshot, name, key) is not None
        found[f"kube-system/{name}"] = there if there or readable(snapshot, asks.CONFIGMAPS) else None
    there = snapshot.object(asks.CLUSTER_INFO) is not None
    found["kube-public/cluster-info"] = there if there or readable(snapshot, asks.CLUSTER_INFO) else None
    return found


def _token(secret: Object, now: datetime) -> Token:
    data = map_at(secret, "data")
    expiration = _plain(data.get("expiration"))
    end = parse_time(expiration)
    usages = [key.removeprefix(_USAGE) for key in data if key.startswith(_USAGE) and _plain(data[key]) == "true"]
    return Token(expiration, None if end is None else int((end - now).total_seconds()), tuple(sorted(usages)))


def _plain(text: object) -> str:
    try:
        return base64.b64decode(str(text or ""), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def findings(found: Identity) -> Iterator[Finding]:
    """KC4010 to KC4016."""
    command = "kcompanion contexts"
    if found.days is not None and found.days < SOON:
        code = "KC4010" if found.days < 0 else "KC4011"
        severity = Severity.CRITICAL if found.days < 0 else Severity.WARNING
        end = text_at(found.certificate, "notAfter")
        evidence = Evidence("client certificate", "notAfter", end)
        yield _finding(code, severity, evidence, command, days=abs(found.days), end=end)
    if found.user == ANONYMOUS:
        evidence = Evidence("SelfSubjectReview", "status.userInfo.username", found.user)
        yield _finding("KC4012", Severity.WARNING, evidence, command)
    if MASTERS in found.groups:
        evidence = Evidence("SelfSubjectReview", "status.userInfo.groups", MASTERS)
        yield _finding("KC4013", Severity.INFO, evidence, "kubectl auth whoami")
    join = found.join
    if join.hash and join.root_hash and join.hash != join.root_hash:
        evidence = Evidence("ConfigMap kube-public/cluster-info", "certificate-authority-data", join.hash)
        other = Evidence("ConfigMap kube-public/kube-root-ca.crt", "ca.crt", join.root_hash)
        yield _finding("KC4014", Severity.WARNING, evidence, "kubectl get cm -n kube-public -o yaml", other)
    yield from _token_findings(join.tokens or ())


def _token_findings(tokens: Sequence[Token]) -> Iterator[Finding]:
    endless = sum(token.seconds is None for token in tokens)
    if endless:
        evidence = Evidence("Secrets kube-system", f"type={BOOTSTRAP}", "no expiration")
        yield _finding("KC4015", Severity.WARNING, evidence, "kubeadm token list", count=endless)


def _finding(
    code: str, severity: Severity, evidence: Evidence, command: str, *more: Evidence, **values: object
) -> Finding:
    return Finding(code, severity, "User", say(f"whoami.finding.{code.lower()}", **values), (evidence, *more), command)
