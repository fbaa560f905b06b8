"""What `controlplane`, `nodes` and `addons` judge, put together, for whoever tells of the whole cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kcompanion.controlplane import addonfindings, asks, nodefindings, versions
from kcompanion.controlplane import addons as inventory
from kcompanion.controlplane import findings as planefindings
from kcompanion.controlplane import nodes as machines
from kcompanion.controlplane.addons import Addons
from kcompanion.controlplane.grace import Grace, grace_period
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.inspect import ControlPlane, inspect
from kcompanion.controlplane.nodes import Node
from kcompanion.model.ask import Ask
from kcompanion.model.finding import Finding, Status
from kcompanion.model.snapshot import Snapshot

# What warnings and worse of all three rest on. Beside what is swept these are few.
ASKS: tuple[Ask, ...] = (*asks.OVERVIEW, asks.API_SERVICES, inventory.POLICIES)


@dataclass(frozen=True)
class Survey:
    """Control plane, nodes and add-ons with what was found about them."""

    plane: ControlPlane
    nodes: tuple[Node, ...]
    grace: Grace
    addons: Addons
    of_plane: tuple[Finding, ...]
    of_nodes: tuple[Finding, ...]
    of_addons: tuple[Finding, ...]
    nodes_known: bool
    addons_known: bool

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.of_plane, *self.of_nodes, *self.of_addons)

    @property
    def undecided(self) -> bool:
        """Whether one of the three commands would call its question open."""
        open_ones = any(component.status is Status.UNKNOWN for component in self.plane.components)
        return open_ones or not (self.nodes_known and self.addons_known)


def survey(snapshot: Snapshot) -> Survey:
    """Judges a snapshot that holds the answers to ASKS, as far as they could be had."""
    plane, found, installed = inspect(snapshot), machines.nodes(snapshot), inventory.addons(snapshot)
    grace = grace_period(snapshot)
    known = _known(snapshot, (*inventory.ESSENTIAL, *inventory.WORKLOADS))
    return Survey(
        plane,
        found,
        grace,
        installed,
        planefindings.findings(plane),
        nodefindings.findings(found, grace, plane.network, kubelet_skews(snapshot, found)),
        addonfindings.findings(installed, everything_read=known),
        _known(snapshot, machines.ESSENTIAL),
        known and not installed.unsure,
    )


def kubelet_skews(snapshot: Snapshot, nodes: Iterable[Node]) -> Sequence[versions.Skew]:
    """The nodes' kubelets against the API server that answered."""
    minor = versions.effective_minor(
        versions.server_info(snapshot), versions.minor_of(versions.server_version(snapshot))
    )
    return [versions.skew("kubelet", node.name, node.kubelet, minor, minor) for node in nodes if not node.fake]


def _known(snapshot: Snapshot, questions: Iterable[Ask]) -> bool:
    return all(readable(snapshot, ask) for ask in questions)
