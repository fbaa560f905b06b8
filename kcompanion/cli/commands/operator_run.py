"""`kcompanion operator run`: the operator as a process of its own, in the place of this one.

kcompanion does not import the operator; it becomes it. So signals and the exit code are the operator's own.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from kcompanion.cli.options import connecting
from kcompanion.errors import CompanionError, UsageError
from kcompanion.reconcile.target import COMPANION, TARGETS

MODULE = "operators.replicaset"


class Address(click.ParamType[str]):
    """Where to listen; looked at here, for the operator's own complaint would name another program."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click's signature
        _, colon, port = str(value).rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is not ADDRESS:PORT, like 127.0.0.1:8080", param, ctx)
        return str(value)


@click.command("run", short_help="Run the operator here, against the current context.")
@click.option("--target", type=click.Choice(sorted(TARGETS)), default=COMPANION.name, help=f"[{COMPANION.name}]")
@connecting
@click.option("-n", "--namespace", default="", metavar="NAME", help="Look after this namespace only.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Look after all namespaces.")
@click.option("--listen", type=Address(), default="127.0.0.1:8080", metavar="ADDRESS:PORT", help="[127.0.0.1:8080]")
@click.option("--leader-elect", type=click.Choice(("true", "false")), default="true", help="[true]")
@click.option("--lease-namespace", default="", metavar="NAME", help="[kube-system]")
@click.option("--kube-api-qps", type=click.FloatRange(min=0), default=0.0, metavar="N", help="Requests a second [all].")
@click.option(
    "--kube-api-burst", type=click.IntRange(min=0), default=30, metavar="N", help="At once after a rest [30]."
)
@click.option("--allow-built-in", is_flag=True, help="Stand in although the built-in controller may still run.")
@click.option("--watch-silence", type=click.FloatRange(min=1), default=75.0, metavar="SECONDS", help="[75]")
@click.option("--log-level", type=click.Choice(("debug", "info", "warning", "error")), default="info", help="[info]")
@click.option("--lang", type=click.Choice(("en", "ko")), help="As elsewhere; but what is logged is English.")
def command(*, namespace: str, all_namespaces: bool, allow_built_in: bool, lang: str | None, **flags: object) -> None:  # noqa: ARG001 - says nothing but logs
    """Runs the operator in this terminal until it is interrupted; logs are JSON lines on stderr.

    It never installs the kind: `kcompanion operator install` does. With --target replicasets.apps it stands in for
    the built-in ReplicaSet controller, and refuses to start beside it.

    A watch that says nothing for --watch-silence is opened anew; the API server speaks at least once a minute.
    """
    if bool(namespace) == all_namespaces:
        raise UsageError("the operator looks after one namespace or all", "say -n NAMESPACE or -A")
    if importlib.util.find_spec("operators") is None:
        raise CompanionError(
            "the operator is not part of this installation", "install the wheel or run from a checkout"
        )
    words = ["--all-namespaces"] if all_namespaces else [f"--namespace={namespace}"]
    if allow_built_in:
        words.append("--allow-built-in")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", MODULE, *words, *_passed_on(flags)])  # noqa: S606 - this very interpreter, no shell


def _passed_on(flags: Mapping[str, object]) -> Iterator[str]:
    """The flags as the operator's own command line has them."""
    for name, value in flags.items():
        flag = "--as" if name == "as_user" else f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, tuple) else (value,):
            if one != "":
                yield f"{flag}={one}"
