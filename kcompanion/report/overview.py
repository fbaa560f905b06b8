"""`overview`: the whole cluster on one screen of 80 columns and 24 lines, of whatever size the cluster is.

It judges nothing itself. The verdict and its causes are those of `health`, the control plane is that of
`controlplane`, the nodes are those of `nodes`; here they are only made short.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kcompanion.controlplane.components import Component
from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.controlplane.leaders import Leader
from kcompanion.controlplane.nodes import Node
from kcompanion.explain.accepted import Sorted
from kcompanion.explain.pod import Pod
from kcompanion.explain.sweep import Entry, Sweep
from kcompanion.model import resources as r
from kcompanion.model.fields import maps_at
from kcompanion.model.finding import Finding, Severity, Status, worst
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.times import format_time, human_age
from kcompanion.model.world import NotKnown, World
from kcompanion.report import health
from kcompanion.report import nodes as node_views
from kcompanion.report.controlplane import named, verdict
from kcompanion.report.document import Block, Brief, Cell, Document, Lines, Section, Table, columns
from kcompanion.report.tree_state import short_of_pods
from kcompanion.trace.lately import Moment

CAUSES = 3
CAUSE_LINES = 2  # of the screen, for each cause
NODES = 4
MOMENTS = 4  # fewer where causes need the room
NEXT = 2
WORDS = 5  # different pod states that are named
LISTED = 200  # moments with -o wide; nodes and moments in structured output
_ALWAYS = ("kube-apiserver", "etcd")
UNREAD = say("overview.unread")
WORKLOADS = (r.DEPLOYMENTS, r.STATEFULSETS, r.DAEMONSETS, r.CRONJOBS, r.JOBS)


@dataclass(frozen=True)
class Below:
    """What stands under the workloads; not told of a single namespace."""

    plane: ControlPlane
    findings: tuple[Finding, ...]
    nodes: tuple[Node, ...]
    nodes_known: bool


@dataclass(frozen=True)
class Overview:
    """Everything the screen is told from."""

    world: World
    namespace: str
    below: Below | None
    swept: Sweep
    moments: tuple[Moment, ...]
    events_gap: Gap | None

    @property
    def kept(self) -> Sorted:
        return Sorted(self.swept.entries)

    @cached_property
    def notable(self) -> Sequence[Entry]:
        return [entry for entry in self.swept.entries if entry.finding.severity is not Severity.INFO]

    @cached_property
    def hit(self) -> frozenset[str]:
        """What is the root of a cause or suffers from one."""
        return frozenset(name for entry in self.notable for name in (entry.root, *entry.affected))

    @cached_property
    def states(self) -> Mapping[str, int]:
        """The STATUS column of kubectl, counted."""
        return Counter(Pod(item).status_word for item in seen(self, r.PODS))

    @property
    def status(self) -> Status:
        """The worst of what `health`, `controlplane` and `nodes` say."""
        return worst(state for state, _ in voices(self))

    @property
    def undecided(self) -> bool:
        return bool(self.swept.not_evaluated) or bool(
            self.below
            and (
                not self.below.nodes_known
                or any(component.status is Status.UNKNOWN for component in self.below.plane.components)
            )
        )


def voices(found: Overview) -> list[tuple[Status, Message]]:
    voices = [(health.status(found.kept, found.swept), health.verdict(found.kept, found.swept))]
    if found.below:
        told, state = node_views.verdict(found.below.nodes)
        voices.append((found.below.plane.status, verdict(found.below.plane, found.below.findings)))
        voices.append((state, told))
    return voices


# ------------------------------------------------------------------------------------------------ document


def document(found: Overview, *, every: bool = False) -> Document:
    """The screen; with `every` nothing is cut and every node is listed."""
    state = found.status
    causes = [] if every else found.notable[:CAUSES]
    sections = [
        *_causes(found.notable if every else causes, 0 if every else CAUSE_LINES),
        *(_below(found.below, every=every) if found.below else ()),
        _workloads(found),
        _lately(found, LISTED if every else MOMENTS - max(0, len(causes) - 1), 0 if every else 1),
        Section(None, [Lines([f"→ {command}" for command in next_commands(found)])]),
    ]
    return Document(
        title=_title(found),
        verdict=next(told for one, told in voices(found) if one is state),
        status=state,
        sections=sections,
        gaps=[found.events_gap] if found.events_gap and every else (),
        dense=not every,
    )


def _title(found: Overview) -> Message:
    if found.below is None:
        origin = found.world.snapshot.origin
        name, read = origin.cluster or origin.context or origin.server, format_time(found.world.now)
        return say("overview.title_namespace", namespace=found.namespace, cluster=name, time=read)
    values = named(found.below.plane, found.world.snapshot)
    return say("overview.title_case" if "case" in values else "overview.title", **values)


def _causes(entries: Sequence[Entry], height: int) -> list[Section]:
    """Without a heading of their own: they belong to the verdict above them."""
    if not entries:
        return []
    marks = {Severity.CRITICAL: Status.FAIL, Severity.WARNING: Status.WARN}
    lines = [
        (
            marks.get(entry.finding.severity, Status.OK),
            say("overview.cause", code=entry.finding.code, place=health.place(entry), told=entry.finding.message),
        )
        for entry in entries
    ]
    return [Section(None, [Brief(lines, height)])]


def _below(below: Below, *, every: bool) -> list[Section]:
    plane = below.plane
    if plane.hosted or plane.services:
        lines: list[Cell] = [say(f"controlplane.verdict.{'hosted' if plane.hosted else 'services'}")]
    else:
        lines = [told for told in (_led(plane), _quorum(plane)) if told is not None]
    parts: Cell = ", ".join(_counted(c) for c in plane.components if _shown(c))
    if not parts:
        parts = UNREAD if any(c.status is Status.UNKNOWN for c in plane.components) else "-"
    heading = say("overview.plane", parts=parts)
    return [Section(heading, [Lines(lines)] if lines else [], plane.status), _nodes(below, every=every)]


def _shown(component: Component) -> bool:
    """The hub and its store always; what elects is told by its leader unless something is wrong with it."""
    if component.status in (Status.OK, Status.NOT_VISIBLE):
        return component.name in _ALWAYS and bool(component.instances)
    return bool(component.instances) or component.status is Status.FAIL


def _counted(component: Component) -> str:
    """`etcd 2/3`: how many of its instances are well."""
    well = sum(one.health.status is Status.OK for one in component.instances)
    return f"{component.name} {well}/{len(component.instances)}"


def leaders(plane: ControlPlane) -> list[Leader]:
    return [component.leader for component in plane.components if component.leader is not None]


def _led(plane: ControlPlane) -> Message | None:
    """Who leads, by node; a Lease that nobody renews is told as such."""
    held = leaders(plane)
    if not held:
        return None
    by_node: dict[str, list[str]] = {}
    for leader in held:
        by_node.setdefault(leader.node or leader.holder or "?", []).append(leader.component)
    told = ", ".join(f"{node} ({', '.join(names)})" for node, names in by_node.items())
    late = [leader for leader in held if leader.expired]
    if late:
        age = "?" if late[0].age is None else human_age(late[0].age)
        return say("overview.leaders_late", who=told, component=late[0].component, age=age)
    return say("overview.leaders", who=told)


def _quorum(plane: ControlPlane) -> Message | None:
    quorum = plane.etcd.quorum
    if quorum is None or quorum.members < 2:
        return None
    return say("overview.quorum", members=quorum.members, needed=quorum.needed, spare=max(0, quorum.spare))


def _nodes(below: Below, *, every: bool) -> Section:
    everything = below.nodes
    if not everything:
        return Section(say("overview.nodes_unread"), [], Status.UNKNOWN)
    listed = _chosen(everything, every=every)
    well = sum(node.status is Status.OK for node in everything)
    status = node_views.verdict(everything)[1] if below.nodes_known else Status.UNKNOWN
    rows: list[list[Cell]] = [
        [
            say("nodes.fake", name=node.name) if node.fake else node.name,
            node.status,
            node.state,
            node_views.roles_of(node),
            f"{node.room.pods}/{node.room.max_pods or '?'}" if node.room.known else None,
            node_views.heartbeat(node),
        ]
        for node in listed
    ]
    blocks: list[Block] = [Table(columns("NODE HEALTH STATUS ROLES PODS LEASE"), rows)] if rows else []
    if len(listed) < len(everything):
        blocks.append(Lines([say("overview.more_nodes", count=len(everything) - len(listed))]))
    fake = sum(node.fake for node in everything)
    heading = say("overview.nodes", count=len(everything), well=well)
    return Section(say("overview.nodes_fake", told=heading, fake=fake) if fake else heading, blocks, status)


def _chosen(everything: Sequence[Node], *, every: bool) -> list[Node]:
    """The nodes that are not well first, then the control plane's, in the order of their names."""
    if every or len(everything) <= NODES:
        return list(everything)
    order = sorted(everything, key=lambda n: (n.status is Status.OK, "control-plane" not in n.roles, n.fake, n.name))
    kept = {node.name for node in order[:NODES]}
    return [node for node in everything if node.name in kept]


def _workloads(found: Overview) -> Section:
    kinds = [(resource, seen(found, resource)) for resource in WORKLOADS]
    pods = seen(found, r.PODS)
    subjects = (ref_of(item, one.kind).subject for one, items in [*kinds, (r.PODS, pods)] for item in items)
    whole = all(read(found, resource) for resource in (*WORKLOADS, r.PODS))
    verdicts = [found.swept.verdicts[s].status for s in subjects if s in found.swept.verdicts]
    status = worst([Status.OK if whole else Status.UNKNOWN, *verdicts])
    return Section(say("overview.workloads", kinds=_kinds(kinds, found)), [Lines([_pods(pods, found)])], status)


def _kinds(kinds: Sequence[tuple[Resource, Sequence[Object]]], found: Overview) -> Cell:
    """`3 Deployment, 2/3 DaemonSet`, and which kinds were not read."""
    told = ", ".join(f"{_share(items, one, found)} {one.kind}" for one, items in kinds if items)
    unread = [one.kind for one, _ in kinds if not read(found, one)]
    if not told and len(unread) == len(kinds):
        return UNREAD
    return say("overview.kinds_unread", told=told or "-", kinds=", ".join(unread)) if unread else told or "-"


def _pods(pods: Sequence[Object], found: Overview) -> Message:
    whole = read(found, r.PODS)
    if not pods and not whole:
        return say("overview.pods_unread")
    bad = len(pods) - well_of(pods, r.PODS, found)
    line = say(one_or_many("overview.pods", len(pods)), count=len(pods), states=_states(found.states) or "-")
    line = say("overview.pods_bad", told=line, count=bad) if bad else line
    return line if whole else say("overview.pods_some", told=line)


def read(found: Overview, resource: Resource) -> bool:
    """Whether all objects of a kind were listed; else their number says little."""
    try:
        found.world.all(resource, found.namespace)
    except NotKnown:
        return False
    return True


def seen(found: Overview, resource: Resource) -> list[Object]:
    """The objects of a kind; jobs of cron jobs stand for themselves no more than pods do."""
    items = found.world.seen(resource, found.namespace)
    return [one for one in items if resource is not r.JOBS or not _of_cronjob(one)]


def _of_cronjob(job: Object) -> bool:
    return any(owner.get("kind") == "CronJob" for owner in maps_at(job, "metadata", "ownerReferences"))


def _share(items: Sequence[Object], resource: Resource, found: Overview) -> str:
    well = well_of(items, resource, found)
    return str(well) if well == len(items) else f"{well}/{len(items)}"


def well_of(items: Iterable[Object], resource: Resource, found: Overview) -> int:
    """How many have the pods they want, and are neither the root of a cause nor suffer from one."""
    return sum(
        ref_of(item, resource.kind).subject not in found.hit and not short_of_pods(resource, item) for item in items
    )


def _states(counts: Mapping[str, int]) -> str:
    """`20 Running, 2 Completed`."""
    most = Counter(counts).most_common()
    told = [f"{count} {word}" for word, count in sorted(most[:WORDS], key=lambda pair: (-pair[1], pair[0]))]
    return ", ".join([*told, *([f"… {sum(count for _, count in most[WORDS:])}"] if len(most) > WORDS else [])])


def _lately(found: Overview, most: int, height: int) -> Section:
    if found.events_gap is not None:
        return Section(say("overview.lately"), [Lines([say("overview.events_unread")])], Status.UNKNOWN)
    shown = found.moments[:most]
    if not shown:
        return Section(say("overview.lately"), [Lines([say("overview.quiet")])])
    lines: list[tuple[Status | None, Cell]] = [(None, _moment(one, found.world)) for one in shown]
    return Section(say("overview.lately"), [Brief(lines, height)])


def _moment(one: Moment, world: World) -> Message:
    age = world.since(one.at)
    values = {
        "age": "?" if age is None else human_age(age),
        "actor": one.actor or "?",
        "subject": one.subject,
        "told": one.told,
    }
    return say("overview.moment_more", **values, times=one.more + 1) if one.more else say("overview.moment", **values)


def next_commands(found: Overview) -> list[str]:
    """What to run next: what explains the worst causes, else what shows more."""
    more = len(found.notable) > CAUSES
    worst = found.notable[: NEXT - more]
    told = dict.fromkeys(command for entry in worst if (command := health.explain_command(entry)))
    if more:
        told["kcompanion health"] = None
    if found.undecided:
        told = dict.fromkeys([*list(told)[: NEXT - 1], "kcompanion doctor"])
    for command in ("kcompanion activity", "kcompanion controlplane --explain"):
        if len(told) < NEXT:
            told[command] = None
    return list(told)
