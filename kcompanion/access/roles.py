"""The least roles that make every command complete, as manifests to apply.

Reading rights only. What the commands read in one namespace is granted there and nowhere else; names that are known
are named. Reviews of oneself need no rule: system:basic-user grants them to everybody who is authenticated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kcompanion.access.rights import Need, Right, rights

NAME = "kcompanion"
_API = "rbac.authorization.k8s.io"
Manifest = dict[str, Any]


def manifests(needs: Sequence[Need], namespace: str) -> list[Manifest]:
    """A ServiceAccount in `namespace`, a ClusterRole, a Role per namespace read, and their bindings."""
    wanted = rights(needs)
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
    found: list[Manifest] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": namespace}}
    ]
    for where in sorted({right.namespace for right in wanted}):
        metadata = {"name": NAME, "namespace": where} if where else {"name": NAME}
        prefix = "" if where else "Cluster"
        found.append(
            {
                "apiVersion": f"{_API}/v1",
                "kind": f"{prefix}Role",
                "metadata": metadata,
                "rules": _rules(right for right in wanted if right.namespace == where),
            }
        )
        found.append(
            {
                "apiVersion": f"{_API}/v1",
                "kind": f"{prefix}RoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": _API, "kind": f"{prefix}Role", "name": NAME},
                "subjects": [account],
            }
        )
    return found


def reads_secrets(needs: Sequence[Need]) -> tuple[str, ...]:
    """The commands whose rights include reading Secrets: RBAC cannot grant their names without their values."""
    return tuple(need.command for need in needs if any(right.resource == "secrets" for right in rights([need])))


def _rules(wanted: Iterable[Right]) -> list[dict[str, Any]]:
    """One rule per API group, verb and name, with all resources that share them; one for all URL paths."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    paths: list[str] = []
    for right in wanted:
        if right.path:
            paths.append(right.path)
        else:
            grouped.setdefault((right.group, right.name, right.verb), []).append(right.resource)
    rules: list[dict[str, Any]] = []
    for (group, name, verb), resources in sorted(grouped.items()):
        rule: dict[str, Any] = {"apiGroups": [group], "resources": sorted(set(resources)), "verbs": [verb]}
        if name:
            rule["resourceNames"] = [name]
        rules.append(rule)
    if paths:
        rules.append({"nonResourceURLs": sorted(set(paths)), "verbs": ["get"]})
    return rules
