"""`kcompanion report`: the whole cluster, a namespace, an app or a pod in one document to keep."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import click

from kcompanion import __version__
from kcompanion.cli import gathering
from kcompanion.cli.context import session, talk
from kcompanion.cli.options import Options, reporting
from kcompanion.cli.output import Answer, exit_code, written
from kcompanion.cli.reporting import gathered
from kcompanion.cluster.recording import write_whole
from kcompanion.cluster.session import Session
from kcompanion.errors import NotFound, Unreachable, UsageError
from kcompanion.model.message import say
from kcompanion.model.resources import PERSISTENTVOLUMECLAIMS, PODS, SERVICES
from kcompanion.render.dot import dot
from kcompanion.render.drawing import svg
from kcompanion.render.markdown import markdown
from kcompanion.render.mermaid import mermaid
from kcompanion.report import health
from kcompanion.report.document import Diagram
from kcompanion.report.page import Page, Picture
from kcompanion.report.whole.gathered import Gathered, Scope
from kcompanion.report.whole.page import document, page, to_json
from kcompanion.report.whole.picture import as_diagram
from kcompanion.text.catalog import phrase
from kcompanion.text.language import choose_language

FORMATS = ("html", "md", "svg", "mermaid", "dot")
_SUFFIXES = {
    ".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".json": "json", ".yaml": "yaml", ".yml": "yaml",
    ".svg": "svg", ".mmd": "mermaid", ".dot": "dot", ".gv": "dot", ".txt": "table",
}  # fmt: skip
_AT_A_TERMINAL = "report.html"  # what nobody wants to see on a screen goes there
EVERY = 30  # seconds between two readings with --watch, and after which a browser asks for the page anew


@click.command("report")
@click.option("-O", "--output-file", "file", metavar="FILE", help="Where to write; - is stdout.")
@click.option(
    "--scope",
    type=click.Choice(("cluster", "namespace", "app", "pod")),
    help="What it is about [the cluster; with -n a namespace, with -l an app].",
)
@click.argument("name", required=False)
@reporting(*FORMATS, every=EVERY)
def command(options: Options, file: str | None, scope: str | None, name: str | None) -> int:
    """The architecture and its health in one document: verdict, picture, every part, findings, glossary.

    `--scope namespace NAME`, `--scope app -l app=web` and `--scope pod NAME` are about less. The format is that of
    -o, else of the file's name, else HTML; with -w the file is written anew every 30 s.
    """
    target, form = _target(options, file)
    asked = replace(options, output=form)
    wanted = _scope(options, scope, name)

    def produce(conversation: Session) -> Answer:
        return answer(gathered(conversation, _settled(wanted, conversation, options)), asked)

    if options.watch:
        return _watch(asked, produce, target)
    with session(asked) as conversation:
        told = produce(conversation)
    _write(told, asked, target)
    return exit_code(told, options.fail_on)


def _target(options: Options, file: str | None) -> tuple[str, str]:
    """Where to write (`-` is stdout), and in which format."""
    suffix = _SUFFIXES.get(Path(file).suffix.lower(), "") if file else ""
    form = options.output or suffix or "html"
    if file is None:
        file = _AT_A_TERMINAL if form == "html" and sys.stdout.isatty() else "-"
    if not file:
        raise UsageError("-O names no file", "for example: -O report.html")
    if file != "-" and Path(file).is_dir():
        raise UsageError(f"{file} is a folder", "name a file, for example report.html")
    return file, form


# -------------------------------------------------------------------------------------------------- scope


def _scope(options: Options, kind: str | None, name: str | None) -> Scope:
    """What the words mean, before anything was read."""
    chosen = kind or ("app" if options.selector else "namespace" if options.namespace else "cluster")
    space = "" if options.all_namespaces else options.namespace or ""
    needs_name = {"namespace": not space, "pod": True}.get(chosen, False)
    if needs_name and not name:
        raise UsageError(f"--scope {chosen} needs a name", f"for example: kcompanion report --scope {chosen} NAME")
    if name and chosen not in ("namespace", "pod"):
        raise UsageError(f"--scope {chosen} takes no name", "name one with --scope namespace or --scope pod")
    if (chosen == "app") is not bool(options.selector):
        raise UsageError("-l and --scope app belong together", "kcompanion report --scope app -l app=web")
    if chosen == "pod" and options.all_namespaces:
        raise UsageError("a pod is in one namespace: -A names none", "kcompanion report --scope pod NAME -n NAMESPACE")
    if chosen == "namespace":
        if name and space and name != space:
            raise UsageError(f"two namespaces are named: {name} and {space}", "name one")
        return Scope("namespace", name or space)
    return Scope(chosen, space, name or "", options.selector)


def _settled(scope: Scope, conversation: Session, options: Options) -> Scope:
    """The scope with its namespace: of the context for a pod, and for whoever may not list everything."""
    if scope.kind == "pod" and not scope.namespace:
        conversation.read([])
        return replace(scope, namespace=conversation.snapshot.origin.namespace or "default")
    if scope.kind == "cluster" and not options.namespace:
        space = gathering.namespace(conversation, options)
        return Scope("namespace", space) if space else scope
    return scope


# ------------------------------------------------------------------------------------------------ answer


def answer(found: Gathered, options: Options) -> Answer:
    """The report as an Answer, drawn in whatever format is asked for."""
    _check(found)
    whole = page(found)
    structured = options.output in ("json", "yaml")
    return Answer(
        "Report",
        found.snapshot,
        to_json(found, lambda message: phrase(message, "en")) if structured else {},
        document(whole),
        names=[entry.root for entry in found.entries],
        findings=[replace(entry.finding, affected=()) for entry in found.entries[: health.LISTED]],
        gaps=found.gaps,
        undecided=found.undecided,
        drawn=drawings(whole, choose_language(options.lang, os.environ), refresh=EVERY if options.watch else 0),
    )


def _check(found: Gathered) -> None:
    """Complains if there is surely nothing to report on."""
    scope = found.scope
    if scope.kind == "cluster" or found.grown.forest.roots or not found.read(PODS):
        return
    if scope.kind == "pod":
        raise NotFound(f'there is no pod "{scope.name}" in namespace {scope.namespace}', "kubectl get pods -A")
    if scope.kind == "app":
        raise NotFound(f"nothing has the labels {scope.selector!r}", "kubectl get pods -A --show-labels")
    if not found.objects(SERVICES) and not found.objects(PERSISTENTVOLUMECLAIMS):
        raise NotFound(f"there is nothing in namespace {scope.namespace}", "kubectl get namespaces")


def drawings(whole: Page, language: str, refresh: int = 0) -> Mapping[str, Callable[[], str]]:
    """The formats of this command alone, each made only when it is asked for."""
    drawn = whole.picture

    def as_html() -> str:
        from kcompanion.render.page.html import html  # noqa: PLC0415 - the template engine, for HTML alone

        return html(whole, language, __version__, refresh=refresh)

    def diagram() -> Diagram:
        return as_diagram(drawn) if isinstance(drawn, Picture) else drawn

    return {
        "html": as_html,
        "md": lambda: markdown(whole, diagram(), language, __version__),
        "svg": lambda: svg(drawn, language),
        "mermaid": lambda: mermaid(diagram(), language),
        "dot": lambda: dot(diagram(), language),
    }


def _write(told: Answer, options: Options, target: str) -> None:
    if target == "-":
        click.echo(written(told, options), nl=False, color=True)
        return
    plain = replace(options, color="never") if options.color == "auto" else options
    write_whole(Path(target), written(told, plain).encode())
    talk(phrase(say("report.written", file=target), choose_language(options.lang, os.environ)))


def _watch(options: Options, produce: Callable[[Session], Answer], target: str) -> int:
    """Writes the file anew every EVERY seconds; while the cluster cannot be reached the last one stays."""
    if options.from_file or options.record:
        raise UsageError("-w watches a live cluster", "leave out --from and --record")
    if target == "-":
        raise UsageError("-w writes a file anew", "name it: kcompanion report -w -O report.html")
    while True:
        try:
            with session(options) as conversation:
                told = produce(conversation)
        except Unreachable as error:
            talk(f"error: {error.text}")
        else:
            _write(told, options, target)
        time.sleep(EVERY)
