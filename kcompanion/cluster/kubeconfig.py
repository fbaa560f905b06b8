"""Kubeconfig files merged as kubectl merges them, and the context chosen from them.

Own code, because the official client's merger lets the last `current-context` win where kubectl lets the first, and
only logs the failure of an exec plugin before it goes on without credentials.
Rules: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kcompanion.errors import BadKubeconfig

Entry = Mapping[str, Any]

# libyaml's parser is ten times faster, but not every build of PyYAML has it
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Fields that name files relative to the kubeconfig they stand in.
_PATHS = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
    "contexts": (),
}
_BODY = {"clusters": "cluster", "users": "user", "contexts": "context"}


@dataclass(frozen=True)
class Kubeconfig:
    """The merged files: contexts, clusters and users by name, in the order of the files."""

    files: tuple[Path, ...] = ()
    current: str = ""
    contexts: Mapping[str, Entry] = field(default_factory=dict)
    clusters: Mapping[str, Entry] = field(default_factory=dict)
    users: Mapping[str, Entry] = field(default_factory=dict)


def load(explicit: str | None, environ: Mapping[str, str]) -> Kubeconfig:
    """Reads `--kubeconfig`, else every existing file of $KUBECONFIG, else ~/.kube/config.

    Raises:
        BadKubeconfig: a file that was named does not exist, or one is not a kubeconfig.
    """
    merged: dict[str, dict[str, Entry]] = {"clusters": {}, "users": {}, "contexts": {}}
    current = ""
    files = _files(explicit, environ)
    for path in files:
        document = _read(path)
        current = current or str(document.get("current-context") or "")
        for section, known in merged.items():
            for name, entry in _entries(document, section, path):
                known.setdefault(name, entry)
    return Kubeconfig(files, current, merged["contexts"], merged["clusters"], merged["users"])


def _files(explicit: str | None, environ: Mapping[str, str]) -> tuple[Path, ...]:
    if explicit:
        path = Path(explicit).expanduser()
        if not _readable(path):
            raise BadKubeconfig(f"the kubeconfig {explicit} does not exist", "check --kubeconfig")
        return (path,)
    if listed := environ.get("KUBECONFIG"):
        candidates = [Path(part).expanduser() for part in listed.split(os.pathsep) if part]
    else:
        candidates = [Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"]
    return tuple(path for path in candidates if _readable(path))


def _readable(path: Path) -> bool:
    """Whether there is something to read: also a pipe (`--kubeconfig <(…)`), and a file that turns out forbidden."""
    return os.path.lexists(path) and not os.path.isdir(path)  # Path.is_dir raises on EACCES


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - both are safe loaders
    except OSError as error:
        raise BadKubeconfig(
            f"the kubeconfig {path} cannot be read: {error.strerror}", "check its owner and mode"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, a 13th month
        raise BadKubeconfig(
            f"the kubeconfig {path} is not YAML{_line_of(error)}", "mend it, or name another one with --kubeconfig"
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadKubeconfig(f"the kubeconfig {path} is not a mapping", "name another one with --kubeconfig")
    return document


def _line_of(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark is not None else ""


def _entries(document: Mapping[str, Any], section: str, path: Path) -> list[tuple[str, Entry]]:
    found: list[tuple[str, Entry]] = []
    listed = document.get(section) or []
    if not isinstance(listed, list):
        raise BadKubeconfig(f"`{section}` in the kubeconfig {path} is not a list", "mend the file")
    for item in listed:
        body = item.get(_BODY[section]) if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise BadKubeconfig(f"an entry of `{section}` in the kubeconfig {path} has no name", "mend the file")
        entry = dict(body) if isinstance(body, dict) else {}
        for key in _PATHS[section]:
            if isinstance(entry.get(key), str) and entry[key]:
                entry[key] = str(path.parent.absolute() / entry[key])
        if isinstance(entry.get("exec"), dict):
            entry["exec"] = _with_absolute_command(entry["exec"], path)
        found.append((item["name"], entry))
    return found


def _with_absolute_command(plugin: Mapping[str, Any], path: Path) -> Entry:
    command = str(plugin.get("command") or "")
    if os.sep in command:
        return {**plugin, "command": str(path.parent.absolute() / command)}
    return plugin


@dataclass(frozen=True)
class Choice:
    """One context with its cluster and user, after the overrides of the command line."""

    context: str
    cluster_name: str
    user_name: str
    namespace: str
    cluster: Entry
    user: Entry


def choose(config: Kubeconfig, context: str = "", cluster: str = "", user: str = "") -> Choice:
    """The context to use: `--context`, else the current one; `--cluster` and `--user` replace its parts.

    Raises:
        BadKubeconfig: there is no such context, or it names a cluster or user that is not there.
    """
    name = context or config.current
    if not name and not cluster:
        raise BadKubeconfig(
            "no context is chosen in the kubeconfig",
            "choose one with --context (`kcompanion contexts` lists them)",
        )
    if name and name not in config.contexts:
        raise BadKubeconfig(f"no context named {name!r} in the kubeconfig", _known(config.contexts))
    body = config.contexts.get(name, {})
    cluster_name = cluster or str(body.get("cluster") or "")
    user_name = user or str(body.get("user") or "")
    if cluster_name not in config.clusters:
        raise BadKubeconfig(f"no cluster named {cluster_name!r} in the kubeconfig", _known(config.clusters))
    if user_name and user_name not in config.users:
        raise BadKubeconfig(f"no user named {user_name!r} in the kubeconfig", _known(config.users))
    return Choice(
        context=name,
        cluster_name=cluster_name,
        user_name=user_name,
        namespace=str(body.get("namespace") or "default"),
        cluster=config.clusters[cluster_name],
        user=config.users.get(user_name, {}),
    )


def _known(entries: Mapping[str, Entry]) -> str:
    names = ", ".join(list(entries)[:8])
    return f"it has: {names}" if names else "it has none"
