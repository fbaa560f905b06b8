"""`python3 -m lab`: real Kubernetes clusters for tests and lessons. See lab/README.md."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Sequence

from lab import cluster, e2e, engine, gobuild, host, images, recover, workloads
from lab.shell import LabError, say


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, action: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(action=action)
        return added

    command("cluster", "1 control plane and 2 workers", lambda _: _up(cluster.SMALL))
    command("cluster-ha", "3 control planes and 1 worker", lambda _: _up(cluster.HA))
    command("cluster-conformance", "2 workers, and no ReplicaSet controller", lambda _: _up(cluster.CONFORMANCE))
    command("down", "remove the clusters", lambda _: _down())
    command("images", "make the images of the clusters, without a cluster", lambda _: _images())
    command("e2e-binary", "build upstream's e2e.test and print its path", lambda _: _e2e())
    against = command(
        "conformance", "upstream's end-to-end tests of ReplicaSets", lambda it: e2e.conformance(it.against)
    )
    against.add_argument("--controller", dest="against", choices=e2e.CONTROLLERS, default="ours")
    command("python-image", f"make {workloads.PYTHON}", lambda _: _python())
    load = command("load", "put images of the local engine on the nodes of a cluster", _load)
    load.add_argument("--cluster", choices=[one.name for one in cluster.ALL], help="only this one")
    load.add_argument("image", nargs="+")

    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options.action(options)
    except LabError as error:
        say(f"missing: {error.missing}")
        say(f"do: {error.do}")
        return 1
    except KeyboardInterrupt:
        say("lab: interrupted; the next run picks up from here")
        return 130
    except OSError as error:
        say(f"missing: {error.filename or 'a working system call'} ({error.strerror})")
        say("do: repair that and run the same command again")
        return 1
    return 0


def _up(wanted: cluster.Cluster) -> None:
    engine.ensure()
    host.allow_many_watchers()
    recover.up(wanted)
    print(f"export KUBECONFIG={shlex.quote(str(wanted.kubeconfig))}", flush=True)


def _down() -> None:
    if not engine.answers():
        say("lab: no Docker engine answers, so no cluster runs")
        return
    for one in cluster.ALL:
        if cluster.present(one):
            recover.remove(one)
            say(f"lab: cluster {one.name} removed")
        one.kubeconfig.unlink(missing_ok=True)


def _images() -> None:
    engine.ensure()
    print(images.node())
    print(images.balancer())


def _e2e() -> None:
    print(gobuild.e2e_binary())


def _conformance(options: argparse.Namespace) -> None:
    e2e.conformance(options.controller)


def _python() -> None:
    engine.ensure()
    print(workloads.python())


def _load(options: argparse.Namespace) -> None:
    engine.ensure()
    chosen = [one for one in cluster.ALL if options.cluster in (None, one.name)]
    workloads.load([one for one in chosen if cluster.present(one)], options.image)


if __name__ == "__main__":
    sys.exit(main())
