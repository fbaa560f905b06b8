"""The options every reading command shares, with kubectl's names, as one decorator and one value."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import wraps
from typing import Any

import click

from kcompanion.model import selectors
from kcompanion.model.times import parse_time

FORMATS = ("table", "wide", "json", "yaml", "name")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|)")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
FOREVER = 86400.0


class Duration(click.ParamType[float]):
    """`10`, `10s`, `1m30s`: seconds; 0 is no limit, as for kubectl's requests, unless `zero` says what it is."""

    name = "duration"

    def __init__(self, zero: float = FOREVER) -> None:
        self.zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's signature
        if isinstance(value, int | float):
            return float(value)
        parts = _DURATION.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            self.fail(f"{value!r} is not a duration like 10s or 1m30s", param, ctx)
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        return seconds or self.zero


class Moment(click.ParamType[datetime]):
    """An RFC 3339 time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 - as above
        moment = value if isinstance(value, datetime) else parse_time(value)
        if moment is None:
            self.fail(f"{value!r} is not a time like 2026-11-21T06:30:00Z", param, ctx)
        return moment


@dataclass(frozen=True)
class Options:
    """What the shared options say. A command gets it as its first argument."""

    namespace: str | None
    all_namespaces: bool
    context: str
    kubeconfig: str
    cluster: str
    user: str
    server: str
    as_user: str
    as_group: tuple[str, ...]
    request_timeout: float
    deadline: float
    from_file: str | None
    record: str | None
    now: datetime | None
    output: str
    no_headers: bool
    selector: str
    lang: str | None
    color: str
    fail_on: str | None
    watch: bool
    explain: bool


_NOTHING_READ = Options(
    namespace=None,
    all_namespaces=False,
    context="",
    kubeconfig="",
    cluster="",
    user="",
    server="",
    as_user="",
    as_group=(),
    request_timeout=0.0,
    deadline=0.0,
    from_file=None,
    record=None,
    now=None,
    output="table",
    no_headers=False,
    selector="",
    lang=None,
    color="auto",
    fail_on=None,
    watch=False,
    explain=False,
)
_WAY = (
    click.option("--context", default="", metavar="NAME", help="Kubeconfig context to use."),
    click.option("--kubeconfig", default="", metavar="FILE", help="Kubeconfig to read."),
    click.option("--cluster", default="", metavar="NAME", help="Kubeconfig cluster to use."),
    click.option("--user", default="", metavar="NAME", help="Kubeconfig user to use."),
    click.option("-s", "--server", default="", metavar="URL", help="API server to ask instead."),
    click.option("--as", "as_user", default="", metavar="USER", help="Impersonate a user."),
    click.option("--as-group", multiple=True, metavar="GROUP", help="Impersonate a group."),
)
_CONNECTION = (
    *_WAY,
    click.option("--request-timeout", type=Duration(), default=10.0, metavar="TIME", help="Per request [10s]."),
    click.option("--deadline", type=Duration(), default=30.0, metavar="TIME", help="For everything [30s]."),
)
_RECORDING = (
    click.option("--from", "from_file", metavar="FILE", help="Read a recording, not a cluster."),
    click.option("--record", metavar="FILE", help="Keep exactly what is read in FILE."),
    click.option("--now", type=Moment(), metavar="TIME", help="Judge ages as of this time."),
)
_LANGUAGE = click.option("--lang", type=click.Choice(("en", "ko")), help="Language [locale].")
_SCOPE = (
    click.option("-n", "--namespace", metavar="NAME", help="Namespace [the context's]."),
    click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces."),
    click.option("-l", "--selector", default="", metavar="LABELS", help="Label selector."),
)


def _watch(told: str) -> Callable[..., Any]:
    return click.option("-w", "--watch", is_flag=True, help=told)


_OUTPUT = (
    click.option("--no-headers", is_flag=True, help="Tables without headings."),
    _LANGUAGE,
    click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="[auto]"),
    click.option(
        "--fail-on",
        type=click.Choice(("warning", "critical")),
        help="Exit 1 when a finding is that bad.",
    ),
)
_AGAIN = _watch("Read again every 2 s, until interrupted.")
_EXPLAIN = click.option("--explain", is_flag=True, help="Add what each part is and why.")


def connecting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say to which cluster to go, and as whom."""
    for option in reversed(_WAY):
        function = option(function)
    return function


def reading(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the shared options and passes them as one `Options`."""
    return reading_with()(function)


def reading_with(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`reading` for a command that knows further output formats."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        output = click.option(
            "-o", "--output", type=click.Choice((*FORMATS, *formats)), default="table", help="Output format [table]."
        )
        return _with_shared(function, output)

    return decorate


def whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """For a reading command in which labels select nothing: -l is refused, not passed over in silence."""

    @wraps(function)
    def refusing(options: Options, *words: Any, **values: Any) -> Any:  # noqa: ANN401 - click passes what is declared
        if options.selector:
            raise click.UsageError("-l selects nothing here")
        return function(options, *words, **values)

    return refusing


def printing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that asks no cluster: only how its answer is printed."""
    formats = click.option("-o", "--output", type=click.Choice(FORMATS), default="table", help="Output format [table].")
    return _with_some(function, (formats, *_OUTPUT[:3]))


def serving(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that serves pages: what to read, and in which language; it prints no answer."""
    source, _, now = _RECORDING
    return _with_some(function, (_LANGUAGE, source, now, *_CONNECTION))


def _with_some(function: Callable[..., Any], options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Some of the shared options; the others are as if nobody had given them."""

    @wraps(function)
    def with_options(**values: Any) -> Any:  # noqa: ANN401 - click passes what the command declares
        shared = {field.name: values.pop(field.name) for field in fields(Options) if field.name in values}
        return function(replace(_NOTHING_READ, **shared), **values)

    for option in reversed(options):
        with_options = option(with_options)
    return with_options


def reporting(*formats: str, every: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`reading` for a command that writes a file: its format is told by the file's name unless it is given.

    Args:
        formats: that it knows beside those of all commands.
        every: seconds after which -w writes it anew.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        output = click.option(
            "-o", "--format", "--output", "output", type=click.Choice((*formats, *FORMATS)), help="[html]"
        )
        return _with_shared(function, output, _watch(f"Write the file anew every {every} s, until interrupted."))

    return decorate


def _with_shared(
    function: Callable[..., Any], output: Callable[..., Any], watch: Callable[..., Any] = _AGAIN
) -> Callable[..., Any]:
    @wraps(function)
    def with_options(**values: Any) -> Any:  # noqa: ANN401 - click passes what the command declares
        shared = {field.name: values.pop(field.name) for field in fields(Options)}
        shared["output"] = shared["output"] or ""
        if shared["namespace"] and shared["all_namespaces"]:
            raise click.UsageError("-n and -A exclude each other")
        if shared["from_file"] == "":  # an unset variable; the live cluster was not asked for
            raise click.UsageError("--from has no file: name a recording, or leave it out to read the cluster")
        if shared["from_file"] and shared["record"]:
            raise click.UsageError("--from and --record exclude each other")
        selectors.check(shared["selector"])
        return function(Options(**shared), **values)

    for option in reversed((*_SCOPE, output, *_OUTPUT, watch, _EXPLAIN, *_RECORDING, *_CONNECTION)):
        with_options = option(with_options)
    return with_options
