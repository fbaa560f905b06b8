"""`kcompanion operator run`: the operator as a process of its own, in the place of this one.

kcompanion does not import the operator; it becomes it. So signals and the exit code are the operator's own.
"""

from __future__ import annotations

import importlib.util
import os
import sys

import click

from kcompanion.errors import CompanionError, UsageError
from kcompanion.reconcile.target import COMPANION, TARGETS

MODULE = "operators.replicaset"


@click.command("run", short_help="Run the operator here, against the current context.")
@click.option("--target", type=click.Choice(sorted(TARGETS)), default=COMPANION.name, help=f"[{COMPANION.name}]")
@click.option("--kubeconfig", default="", metavar="FILE", help="Kubeconfig to read.")
@click.option("--context", default="", metavar="NAME", help="Kubeconfig context to use.")
@click.option("-n", "--namespace", default="", metavar="NAME", help="Look after this namespace only.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Look after all namespaces.")
@click.option("--listen", default="127.0.0.1:8080", metavar="ADDRESS:PORT", help="[127.0.0.1:8080]")
@click.option("--leader-elect", type=click.Choice(("true", "false")), default="true", help="[true]")
@click.option("--lease-namespace", default="", metavar="NAME", help="[kube-system]")
@click.option("--kube-api-qps", type=click.FloatRange(min=0), default=0.0, metavar="N", help="Requests a second [all].")
@click.option(
    "--kube-api-burst", type=click.IntRange(min=0), default=30, metavar="N", help="At once after a rest [30]."
)
@click.option("--allow-built-in", is_flag=True, help="Stand in although the built-in controller may still run.")
@click.option("--watch-silence", type=click.FloatRange(min=1), default=75.0, metavar="SECONDS", help="[75]")
@click.option("--log-level", type=click.Choice(("debug", "info", "warning", "error")), default="info", help="[info]")
def command(*, namespace: str, all_namespaces: bool, allow_built_in: bool, **flags: object) -> None:
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
    words = ["--all-namespaces"] if all_namespaces else ["--namespace", namespace]
    for name, value in flags.items():
        if value != "":
            words += [f"--{name.replace('_', '-')}", str(value)]
    if allow_built_in:
        words.append("--allow-built-in")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", MODULE, *words])  # noqa: S606 - this very interpreter, no shell
