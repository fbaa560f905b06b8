"""`kcompanion contexts [NAME]`: the contexts of the kubeconfig; reads no cluster and runs no exec plugin."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kcompanion.access.contexts import Context, contexts, findings
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer, emit
from kcompanion.cluster import kubeconfig
from kcompanion.errors import NotFound, UsageError
from kcompanion.model.finding import ranked
from kcompanion.model.message import say
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.report import contexts as report
from kcompanion.report.document import Document


@click.command("contexts")
@click.argument("name", required=False)
@reading
@whole
def command(options: Options, name: str | None) -> int:
    """Contexts of the merged kubeconfig: cluster, user, namespace, kind of credential and its end."""
    if options.from_file or options.record:
        raise UsageError("contexts reads your kubeconfig, which no recording holds", "leave out --from and --record")
    if options.watch:
        raise UsageError("contexts has nothing to watch", "leave out -w")
    config = kubeconfig.load(options.kubeconfig, os.environ)
    now = options.now or datetime.now(UTC).replace(microsecond=0)
    current = options.context or config.current
    found = contexts(current, config.contexts, config.clusters, config.users, _read, now)
    chosen = _chosen(found, name)
    return emit(_answer(found, chosen, config, current, options, now), options)


def _chosen(found: Sequence[Context], name: str | None) -> Context | None:
    if name is None:
        return None
    chosen = next((context for context in found if context.name == name), None)
    if chosen is None:
        known = ", ".join(context.name for context in found[:8])
        raise NotFound(f'there is no context "{name}"', f"contexts here: {known}" if known else "")
    return chosen


def _answer(
    found: Sequence[Context],
    chosen: Context | None,
    config: kubeconfig.Kubeconfig,
    current: str,
    options: Options,
    now: datetime,
) -> Answer:
    shown = [chosen] if chosen else list(found)
    files = [str(path) for path in config.files]
    marked = any(context.current for context in found)
    told = ranked(findings(shown, [] if chosen else _open(config.files), any_current=marked or bool(chosen)))
    if chosen:
        sections = report.detail(chosen, explain=options.explain)
    else:
        sections = report.listing(found, files, explain=options.explain)
    body: dict[str, Any] = {
        "current": current or None,
        "files": files,
        "contexts": [context.to_json() for context in shown],
    }
    return Answer(
        "Contexts",
        Snapshot(now, _origin(found)),
        body,
        Document(
            title=say("contexts.title"),
            verdict=None if chosen else report.verdict(found, current if marked else ""),
            sections=sections,
            findings=told,
        ),
        names=[f"context/{context.name}" for context in shown],
        findings=told,
    )


def _origin(found: Sequence[Context]) -> Origin:
    current = next((context for context in found if context.current), None)
    return Origin(current.name, current.cluster, current.server, current.namespace) if current else Origin()


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _open(files: Sequence[Path]) -> list[str]:
    """Files that others than their owner may read; Windows has no such bits."""
    if os.name == "nt":
        return []
    return [str(path) for path in files if path.stat().st_mode & 0o077]
