"""The contexts of a kubeconfig with what each leads to, and what is wrong with them: KC40xx."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kcompanion.access.credentials import Credential, Reader, certificate, credential, days_left
from kcompanion.model.fields import text_at
from kcompanion.model.finding import Evidence, Finding, Severity
from kcompanion.model.message import say

Entries = Mapping[str, Mapping[str, Any]]
SOON = 30  # days


@dataclass(frozen=True, slots=True)
class Context:
    """One context; `missing` names the parts it refers to that are not there."""

    name: str
    current: bool
    cluster: str
    server: str
    user: str
    namespace: str
    credential: Credential
    days: int | None  # until the client certificate ends
    authority: Mapping[str, Any] | None
    insecure: bool
    proxy: bool
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "current": self.current,
            "cluster": self.cluster,
            "server": self.server or None,
            "user": self.user,
            "namespace": self.namespace,
            "credential": self.credential.to_json(),
            "certificateDaysLeft": self.days,
            "certificateAuthority": dict(self.authority) if self.authority else None,
            "insecure": self.insecure,
            "proxy": self.proxy,
            "missing": list(self.missing),
        }


def contexts(
    current: str, bodies: Entries, clusters: Entries, users: Entries, read: Reader, now: datetime
) -> tuple[Context, ...]:
    """All contexts in the order of the files."""
    return tuple(_context(name, body, name == current, clusters, users, read, now) for name, body in bodies.items())


def _context(
    name: str, body: Mapping[str, Any], current: bool, clusters: Entries, users: Entries, read: Reader, now: datetime
) -> Context:
    cluster, user = text_at(body, "cluster"), text_at(body, "user")
    target = clusters.get(cluster, {})
    proof = credential(users.get(user, {}), read)
    missing = [f"cluster {cluster!r}"] if cluster not in clusters else []
    if user and user not in users:
        missing.append(f"user {user!r}")
    return Context(
        name,
        current,
        cluster,
        without_login(text_at(target, "server")),
        user,
        text_at(body, "namespace") or "default",
        proof,
        days_left(proof.not_after, now),
        certificate(target, "certificate-authority", read),
        bool(target.get("insecure-skip-tls-verify")),
        bool(target.get("proxy-url")),
        tuple(missing),
    )


def without_login(url: str) -> str:
    """A URL without the user name and password that it may hold."""
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}" if slashes else url


def findings(found: Sequence[Context], open_files: Sequence[str], *, any_current: bool) -> tuple[Finding, ...]:
    """What is wrong with contexts, and which files others can read."""
    result = [item for context in found for item in _of(context)]
    if found and not any_current:
        evidence = Evidence("kubeconfig", "current-context", "none")
        command = f"kubectl config use-context {found[0].name}"
        result.append(_finding("KC4005", Severity.INFO, "kubeconfig", evidence, command))
    for path in open_files:
        evidence = Evidence(path, "mode", "readable by others")
        result.append(_finding("KC4006", Severity.WARNING, path, evidence, f"chmod 600 {path}", path=path))
    return tuple(result)


def _of(context: Context) -> Iterator[Finding]:
    subject = f"Context/{context.name}"
    user = f"users[{context.user}]"
    if context.days is not None and context.days < SOON:
        evidence = Evidence(user, "client-certificate: notAfter", context.credential.not_after)
        code = "KC4001" if context.days < 0 else "KC4002"
        severity = Severity.CRITICAL if context.days < 0 else Severity.WARNING
        values = {"context": context.name, "days": abs(context.days), "end": context.credential.not_after}
        yield _finding(code, severity, subject, evidence, "kubeadm certs check-expiration", **values)
    if context.missing:
        severity = Severity.CRITICAL if context.current else Severity.WARNING
        what = ", ".join(context.missing)
        evidence = Evidence(f"contexts[{context.name}]", "", what)
        command = "kubectl config view"
        yield _finding("KC4003", severity, subject, evidence, command, context=context.name, what=what)
    if context.insecure:
        evidence = Evidence(f"clusters[{context.cluster}]", "insecure-skip-tls-verify", "true")
        command = f"kubectl config set-cluster {context.cluster} --insecure-skip-tls-verify=false"
        yield _finding("KC4004", Severity.WARNING, subject, evidence, command, context=context.name)
    if context.credential.unreadable:
        evidence = Evidence(user, "client-certificate", "unreadable")
        yield _finding("KC4007", Severity.WARNING, subject, evidence, "kubectl config view", context=context.name)
    if "auth-provider" in context.credential.kinds:
        evidence = Evidence(user, "auth-provider", "")
        yield _finding("KC4008", Severity.WARNING, subject, evidence, "kubectl config view", context=context.name)


def _finding(
    code: str, severity: Severity, subject: str, evidence: Evidence, command: str, **values: object
) -> Finding:
    return Finding(code, severity, subject, say(f"contexts.finding.{code.lower()}", **values), (evidence,), command)
