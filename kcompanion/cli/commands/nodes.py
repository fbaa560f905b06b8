"""`kcompanion nodes [NAME] [--pods]`: every node with its signs of life, what it is and what room is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.session import Session
from kcompanion.controlplane import asks
from kcompanion.controlplane.cgroups import cgroup_driver
from kcompanion.controlplane.grace import grace_period
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.network import network
from kcompanion.controlplane.nodefindings import findings
from kcompanion.controlplane.nodes import ASKS, ESSENTIAL, Node, nodes
from kcompanion.controlplane.survey import kubelet_skews
from kcompanion.controlplane.systempods import system_pods
from kcompanion.errors import NotFound
from kcompanion.model.finding import ranked
from kcompanion.model.message import say
from kcompanion.model.selectors import check, matches
from kcompanion.model.snapshot import Snapshot
from kcompanion.report import bounded, node_detail
from kcompanion.report import nodes as report
from kcompanion.report.document import Document, Section


@click.command("nodes")
@click.argument("name", required=False)
@click.option("--pods", "with_pods", is_flag=True, help="The pods of kube-system by node.")
@reading
def command(options: Options, name: str | None, *, with_pods: bool) -> int:
    """Nodes: signs of life, versions, room and address ranges; NAME for one in depth."""
    check(options.selector)

    def produce(conversation: Session) -> Answer:
        snapshot = conversation.read(ASKS)
        everything = nodes(snapshot)
        chosen = _chosen(everything, snapshot, name, options.selector)
        return _answer(snapshot, everything, chosen, options, name, with_pods=with_pods)

    return run(options, produce)


def _chosen(everything: Sequence[Node], snapshot: Snapshot, name: str | None, selector: str) -> tuple[Node, ...]:
    """The nodes asked for. None at all is an error only when the list could be read."""
    chosen = tuple(node for node in everything if (not name or node.name == name) and matches(selector, node.labels))
    if not chosen and readable(snapshot, asks.NODES):
        if name:
            known = ", ".join(node.name for node in everything[:8])
            raise NotFound(f'there is no node "{name}"', f"nodes here: {known}" if known else "")
        raise NotFound(
            f"no node has the labels {selector!r}" if selector else "this cluster has no nodes",
            "kubectl get nodes --show-labels",
        )
    return chosen


def _answer(
    snapshot: Snapshot,
    everything: Sequence[Node],
    chosen: Sequence[Node],
    options: Options,
    name: str | None,
    *,
    with_pods: bool,
) -> Answer:
    grace = grace_period(snapshot)
    net = network(snapshot)
    driver = cgroup_driver(snapshot, everything)
    found = ranked(findings(chosen, grace, net, kubelet_skews(snapshot, chosen)))
    names = {node.name for node in chosen}
    pods = [row for row in system_pods(snapshot) if row.node in names or not (name or options.selector)]
    gaps = snapshot.gaps(ASKS)
    told, status = report.verdict(chosen)
    if with_pods:
        sections: list[Section] = [report.system_pods(pods, explain=options.explain)]
    elif name and chosen:
        sections = node_detail.one(chosen[0], grace, pods, explain=options.explain)
    else:
        wide = options.output == "wide"
        sections = report.overview(chosen, grace, net, driver, every=wide, explain=options.explain)
    shown = found if options.output == "wide" else bounded.first_of_each(found)
    if len(shown) < len(found):
        sections.append(bounded.more_findings(len(found) - len(shown)))
    body: dict[str, Any] = {
        "status": status.value,
        "nodes": [node.to_json() for node in chosen],
        "systemPods": [row.to_json() for row in pods],
        "nodeMonitorGracePeriod": grace.to_json(),
        "network": net.to_json(),
        "cgroupDriver": driver.to_json(),
    }
    needed = (*ESSENTIAL, asks.PODS) if with_pods else ESSENTIAL
    return Answer(
        "Nodes",
        snapshot,
        body,
        Document(
            title=say("nodes.title"),
            verdict=told,
            status=status,
            sections=sections,
            findings=shown,
            gaps=gaps,
        ),
        names=[f"node/{node.name}" for node in chosen],
        findings=found,
        gaps=gaps,
        undecided=not all(readable(snapshot, ask) for ask in needed),
    )
