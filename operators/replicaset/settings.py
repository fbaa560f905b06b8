"""What the command line says."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

from kcompanion.cluster import connect
from kcompanion.reconcile.target import COMPANION, TARGETS, Target
from operators.replicaset.logs import LEVELS
from operators.replicaset.reflector import SILENCE

SHARED_NAMESPACE = "kube-system"  # exists in every cluster, and is where kube-controller-manager's own Leases are
BURST = 30  # kube-controller-manager's, where only --kube-api-qps was given


@dataclass(frozen=True, slots=True)
class Settings:
    """One run of the operator."""

    target: Target = COMPANION
    connection: connect.Target = field(default_factory=connect.Target)
    namespace: str = ""  # all of them
    host: str = "127.0.0.1"
    port: int = 0
    elect: bool = True
    lease_namespace: str = ""
    qps: float = 0.0
    burst: int = 0
    allow_built_in: bool = False
    silence: float = SILENCE
    log_level: str = "info"

    @property
    def lease(self) -> tuple[str, str]:
        """Namespace and name of the Lease: one for each target, wherever its instances run and for whatever namespace.

        An instance for one namespace would else act beside the one for all, each with its own expectations.
        """
        return self.lease_namespace or SHARED_NAMESPACE, f"kcompanion-{self.target.name}"


def parse(arguments: list[str]) -> Settings:
    """The settings, or the end of the program with usage on stderr and code 2."""
    given = _parser().parse_args(arguments)
    host, _, port = given.listen.rpartition(":")
    host = host.strip("[]")
    if not port.isdecimal() or int(port) > 65535:
        _parser().error(f"--listen {given.listen!r} is not ADDRESS:PORT")
    # all namespaces need no flag in the container; the command line always says one of both
    return Settings(
        target=TARGETS[given.target],
        connection=connect.Target(
            kubeconfig=given.kubeconfig,
            context=given.context,
            cluster=given.cluster,
            user=given.user,
            server=given.server,
            as_user=given.as_user,
            as_groups=tuple(given.as_group),
        ),
        namespace="" if given.all_namespaces else given.namespace,
        host=host or "127.0.0.1",
        port=int(port),
        elect=given.leader_elect == "true",
        lease_namespace=given.lease_namespace,
        qps=given.kube_api_qps,
        burst=given.kube_api_burst or BURST,
        allow_built_in=given.allow_built_in,
        silence=given.watch_silence,
        log_level=given.log_level,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operators.replicaset", allow_abbrev=False)
    parser.add_argument("--target", choices=sorted(TARGETS), default=COMPANION.name)
    parser.add_argument("--kubeconfig", default="", metavar="FILE")
    for flag in ("context", "cluster", "user"):
        parser.add_argument(f"--{flag}", default="", metavar="NAME")
    parser.add_argument("--server", default="", metavar="URL")
    parser.add_argument("--as", dest="as_user", default="", metavar="USER")
    parser.add_argument("--as-group", action="append", default=[], metavar="GROUP")
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("-n", "--namespace", default="", metavar="NAME")
    scope.add_argument("-A", "--all-namespaces", action="store_true")
    parser.add_argument("--listen", default="127.0.0.1:8080", metavar="ADDRESS:PORT")
    parser.add_argument("--leader-elect", choices=("true", "false"), default="true")
    parser.add_argument("--lease-namespace", default="", metavar="NAME")
    parser.add_argument("--kube-api-qps", type=float, default=0.0, metavar="N")
    parser.add_argument("--kube-api-burst", type=int, default=0, metavar="N")
    parser.add_argument("--allow-built-in", action="store_true")
    parser.add_argument("--watch-silence", type=float, default=SILENCE, metavar="SECONDS")
    parser.add_argument("--log-level", choices=tuple(LEVELS), default="info")
    return parser
