"""`why-not POD NODE` and `why POD`: what each scheduling predicate says, in one table and in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model.events import Event
from kcompanion.model.fields import condition, dig, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.snapshot import Gap, Object
from kcompanion.report.document import Block, Cell, Facts, Lesson, Lines, Literal, Section, Table, columns
from kcompanion.scheduling.messages import parse
from kcompanion.scheduling.placement import Placement, Verdict
from kcompanion.scheduling.result import Fit, Miss, Result
from kcompanion.scheduling.telling import by_miss, by_reason

SHOWN = 20  # rows of the table of nodes; more nodes are told in groups
NAMED = 3  # nodes that a group names
CHANGES = 5  # things that would have to change; all of them with `-o wide`
DEFAULT = "default-scheduler"
_STATUS = {Fit.FITS: Status.OK, Fit.NOT: Status.FAIL, Fit.UNKNOWN: Status.UNKNOWN}


def status_of(fit: Fit) -> Status:
    return _STATUS[fit]


@dataclass(frozen=True)
class Binding:
    """How a pod came to its node: what is seen of it, and what could not be read."""

    node: str = ""
    scheduler: str = DEFAULT
    nominated: str = ""
    gates: tuple[str, ...] = ()
    event: Event | None = None
    unread: Gap | None = None  # why there are no events
    told: str = ""  # the scheduler's message, while it has found no node
    told_at: str = ""
    scheduled_at: str = ""
    static: bool = False  # its kubelet made it from a file
    daemon: str = ""  # the DaemonSet that made it for this very node

    def to_json(self) -> dict[str, Any]:
        return {
            "node": self.node or None,
            "schedulerName": self.scheduler,
            "nominatedNode": self.nominated or None,
            "schedulingGates": list(self.gates),
            "event": self.event.message if self.event else None,
            "scheduledAt": self.scheduled_at or None,
            "message": self.told or None,
            "staticPod": self.static,
        }


def binding_of(pod: Object, events: Sequence[Event], unread: Gap | None) -> Binding:
    """What the pod and its events tell of its placing."""
    scheduled = condition(pod, "PodScheduled")
    done = scheduled.get("status") == "True"
    owner = next((o for o in maps_at(pod, "metadata", "ownerReferences") if o.get("controller") is True), {})
    return Binding(
        node=text_at(pod, "spec", "nodeName"),
        scheduler=text_at(pod, "spec", "schedulerName") or DEFAULT,
        nominated=text_at(pod, "status", "nominatedNodeName"),
        gates=tuple(text_at(gate, "name") for gate in maps_at(pod, "spec", "schedulingGates")),
        event=next((event for event in reversed(events) if event.reason == "Scheduled"), None),
        unread=unread,
        told="" if done else text_at(scheduled, "message"),
        told_at="" if done else text_at(scheduled, "lastTransitionTime"),
        scheduled_at=text_at(scheduled, "lastTransitionTime") if done else "",
        static=dig(pod, "metadata", "annotations", "kubernetes.io/config.mirror") is not None,
        daemon=text_at(owner, "name") if owner.get("kind") == "DaemonSet" else "",
    )


# --------------------------------------------------------------------------------------- why-not


def verdict_on_node(pod: Object, verdict: Verdict) -> Message:
    """The sentence on top of `why-not`."""
    values = {"pod": _place(pod), "node": verdict.node}
    if verdict.fit is Fit.NOT:
        return say("why.verdict.not", **values, first=verdict.misses[0].message)
    if verdict.fit is Fit.UNKNOWN:
        return say("why.verdict.unknown", **values, predicates=", ".join(r.predicate for r in verdict.unknown))
    if text_at(pod, "spec", "nodeName") == verdict.node:
        return say("why.verdict.there", **values)
    return say("why.verdict.fits", **values)


def sections_on_node(pod: Object, verdict: Verdict, *, explain: bool) -> list[Section]:
    """The table of predicates, what would have to change, and what this is worth."""
    made = [Section(say("why.section.predicates"), [_predicates(verdict)])]
    if verdict.misses:
        made.append(Section(say("why.section.change"), [Lines(_remedies(verdict.misses))]))
    notes = [_as_if(pod, verdict.node), say("why.line.recomputed")]
    made.append(Section(say("why.section.worth"), [Lines([note for note in notes if note]), *_lesson(explain)]))
    return made


def _predicates(verdict: Verdict) -> Table:
    rows = [(result.predicate, _word(result.fit), _why(result)) for result in verdict.results]
    return Table(columns("PREDICATE FITS WHY"), rows)


def node_json(pod: Object, verdict: Verdict) -> dict[str, Any]:
    """The body of `why-not -o json`."""
    return {
        "pod": name_of(pod),
        "namespace": namespace_of(pod),
        "boundTo": text_at(pod, "spec", "nodeName") or None,
        "recomputed": True,
        **_verdict_json(verdict),
        "predicates": [result.to_json() for result in verdict.results],
    }


def _why(result: Result) -> Cell:
    if result.misses:
        told: Message | None = None
        for miss in reversed(result.misses[:4]):
            told = say("why.also", first=miss.message, rest=told) if told else miss.message
        return told
    if result.gap is not None:
        outcome = say(f"common.outcome.{result.gap.outcome.value}")
        return say("why.unread", verb=result.gap.verb, resource=result.gap.resource, outcome=outcome)
    return result.note


def _remedies(misses: Sequence[Miss]) -> list[Cell]:
    lines: list[Cell] = [_remedy(miss) for miss in misses]
    return list(dict.fromkeys(lines))


def _remedy(miss: Miss) -> Message:
    return say("why.with_command", remedy=miss.remedy, command=miss.command) if miss.command else miss.remedy


def _as_if(pod: Object, node: str) -> Message | None:
    bound = text_at(pod, "spec", "nodeName")
    if not bound:
        return None
    return say("why.line.here" if bound == node else "why.line.elsewhere", node=bound)


# ------------------------------------------------------------------------------------------- why


def verdict_on_all(pod: Object, placement: Placement, binding: Binding) -> tuple[Message, Status]:
    """The sentence on top of `why`, and how bad it is."""
    values: dict[str, Any] = {"pod": _place(pod), "nodes": len(placement.verdicts), "fit": len(placement.fitting)}
    reach = _reach(placement)
    if binding.node:
        there = placement.gap is not None or any(verdict.node == binding.node for verdict in placement.verdicts)
        if not there:
            return say("why.verdict.no_such_node", pod=values["pod"], node=binding.node), Status.FAIL
        return say("why.verdict.bound", pod=values["pod"], node=binding.node, reach=reach), Status.OK
    if binding.gates:
        gates = ", ".join(binding.gates)
        return say("why.verdict.gated", pod=values["pod"], gates=gates, reach=reach), Status.WARN
    if placement.gap is not None:
        return say("why.verdict.unread", pod=values["pod"]), Status.UNKNOWN
    if placement.fitting:
        return say(one_or_many("why.verdict.some", len(placement.fitting)), **values), Status.WARN
    if placement.undecided:
        return say("why.verdict.open", **values), Status.UNKNOWN
    return say("why.verdict.none", **values), Status.FAIL


def _reach(placement: Placement) -> Message:
    """On how many nodes it would fit now, as far as that is known: what is not known counts neither way."""
    if placement.gap is not None:
        return say("why.reach.unread")
    nodes, least, open_ = len(placement.verdicts), len(placement.fitting), len(placement.undecided)
    if not open_:
        return say("why.reach.known", fit=least, nodes=nodes)
    if not least:
        return say("why.reach.most", most=open_, nodes=nodes)
    return say("why.reach.bounds", fit=least, most=least + open_, nodes=nodes)


def sections_on_all(
    pod: Object, placement: Placement, binding: Binding, *, explain: bool, wide: bool = False
) -> list[Section]:
    """Every node, what would have to change, how the pod came to its node, and what this is worth.

    A pod that has its node needs no change: what keeps it off the others is told with `wide` only, and so is every
    predicate of its own node.
    """
    made: list[Section] = []
    if placement.verdicts:
        made.append(Section(say("why.section.nodes"), [_nodes(placement, every=wide), *_pointer(pod, placement)]))
    own = next((v for v in placement.verdicts if v.node == binding.node), None)
    if own is not None and wide:
        made.append(Section(say("why.section.own", node=own.node), [_predicates(own)]))
    if placement.refusing and (own is None or wide):
        made.append(Section(say("why.section.change"), [Lines(_changes(placement, every=wide))]))
    made.append(Section(say("why.section.binding"), _binding(pod, binding)))
    if binding.told:
        made.append(Section(say("why.section.told"), _told(binding)))
    lines: list[Cell] = [say("why.line.as_if")] if binding.node else []
    lines += [say("why.line.recomputed"), say("why.line.scores")]
    made.append(Section(say("why.section.worth"), [Lines(lines), *_lesson(explain)]))
    return made


def all_json(pod: Object, placement: Placement, binding: Binding) -> dict[str, Any]:
    """The body of `why -o json`."""
    return {
        "pod": name_of(pod),
        "namespace": namespace_of(pod),
        "recomputed": True,
        "binding": binding.to_json(),
        "nodes": [
            {
                **_verdict_json(v),
                "misses": [{"predicate": r.predicate, **m.to_json()} for r in v.results for m in r.misses],
            }
            for v in placement.verdicts
        ],
    }


def _pointer(pod: Object, placement: Placement) -> list[Block]:
    """The command that tells one node in full: the pod's own, else one that might have taken it."""
    own = text_at(pod, "spec", "nodeName")
    names = [v.node for v in sorted(placement.verdicts, key=lambda v: any(m.kind == "reserved" for m in v.misses))]
    node = own if own in names else names[0]
    return [Lines([say("why.line.more", command=f"kcompanion why-not {name_of(pod)} {node} -n {namespace_of(pod)}")])]


def _changes(placement: Placement, *, every: bool) -> list[Cell]:
    """What would have to change for which nodes: what helps with most of them first."""
    groups = by_miss(placement.refusing)
    shown = groups if every else groups[:CHANGES]
    lines: list[Cell] = [say("why.line.for_nodes", nodes=_named(nodes), remedy=_remedy(miss)) for miss, nodes in shown]
    if len(groups) > len(shown):
        lines.append(say("why.line.more_remedies", count=len(groups) - len(shown)))
    return lines


def _nodes(placement: Placement, *, every: bool) -> Block:
    if every or len(placement.verdicts) <= SHOWN:
        rows = [(v.node, _word(v.fit), _briefly(v)) for v in placement.verdicts]
        return Table(columns("NODE FITS WHY_NOT"), rows)
    groups: list[tuple[Cell, ...]] = []
    for verdicts in (placement.fitting, placement.undecided):
        if verdicts:
            groups.append((len(verdicts), _named([v.node for v in verdicts]), _word(verdicts[0].fit), None))
    for shorts, nodes in by_reason(placement.refusing):
        groups.append((len(nodes), _named(nodes), _word(Fit.NOT), _joined(shorts)))
    return Table(columns("NODES SUCH_AS FITS WHY_NOT"), groups)


def _briefly(verdict: Verdict) -> Cell:
    if verdict.misses:
        return _joined([miss.message for miss in verdict.misses[:3]])
    if verdict.unknown:
        return _why(verdict.unknown[0])
    return None


def _joined(messages: Sequence[Message]) -> Message:
    told = messages[-1]
    for one in reversed(messages[:-1]):
        told = say("why.also", first=one, rest=told)
    return told


def _binding(pod: Object, binding: Binding) -> list[Block]:
    pairs: list[tuple[Message, Cell]] = [
        (say("why.fact.node"), binding.node or say("why.no_node")),
        (say("why.fact.scheduler"), binding.scheduler),
        (say("why.fact.priority"), _priority(pod)),
    ]
    if binding.scheduled_at:
        pairs.append((say("why.fact.scheduled"), binding.scheduled_at))
    if binding.node:
        pairs.append((say("why.fact.event"), _event(binding)))
    if binding.nominated:
        pairs.append((say("why.fact.nominated"), binding.nominated))
    if binding.gates:
        pairs.append((say("why.fact.gates"), ", ".join(binding.gates)))
    lines = _how(binding)
    return [Facts(pairs), *([Lines(lines)] if lines else [])]


def _how(binding: Binding) -> list[Cell]:
    """Who bound the pod, as far as it can be told."""
    lines: list[Cell] = []
    if binding.static:
        lines.append(say("why.line.static", node=binding.node))
    elif binding.daemon:
        lines.append(say("why.line.daemon", daemon=binding.daemon))
    elif binding.node and binding.event is None and binding.unread is None:
        lines.append(say("why.line.unwitnessed"))
    if binding.scheduler != DEFAULT:
        lines.append(say("why.line.other_scheduler", scheduler=binding.scheduler))
    if binding.gates:
        lines.append(say("why.line.gates"))
    if binding.nominated and not binding.node:
        lines.append(say("why.line.nominated", node=binding.nominated))
    return lines


def _event(binding: Binding) -> Cell:
    if binding.event is not None:
        return say("why.event", reporter=binding.event.reporter or "-", message=binding.event.message)
    if binding.unread is not None:
        return say("why.no_event_read", outcome=say(f"common.outcome.{binding.unread.outcome.value}"))
    return say("why.no_event")


def _told(binding: Binding) -> list[Block]:
    tail = parse(binding.told).preemption.lower()
    kind = next((k for k, words in _TAILS if words in tail), "")
    blocks: list[Block] = [Literal([binding.told])]
    return [*blocks, Lines([say(f"why.line.{kind}")])] if kind else blocks


_TAILS = (
    ("preempt_never", "preemptionpolicy=never"),
    ("preempt_terminating", "terminating pod"),
    ("preempt_no_victims", "no preemption victims"),
    ("preempt_useless", "not helpful"),
)


def _priority(pod: Object) -> Cell:
    value = dig(pod, "spec", "priority")
    name = text_at(pod, "spec", "priorityClassName")
    policy = text_at(pod, "spec", "preemptionPolicy")
    told = str(value if isinstance(value, int) else 0)
    extras = ", ".join(filter(None, (name, f"preemptionPolicy {policy}" if policy == "Never" else "")))
    return f"{told} ({extras})" if extras else told


# ---------------------------------------------------------------------------------------- shared


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "node": verdict.node,
        "fit": verdict.fit.value,
        "status": status_of(verdict.fit).value,
        "unknown": [result.predicate for result in verdict.unknown],
    }


def _word(fit: Fit) -> Message:
    return say(f"why.word.{fit.value}")


def _named(nodes: Sequence[str]) -> str:
    more = len(nodes) - NAMED
    return ", ".join(nodes[:NAMED]) + (" …" if more > 0 else "")


def _place(pod: Object) -> str:
    return f"{namespace_of(pod)}/{name_of(pod)}"


def _lesson(explain: bool) -> list[Block]:
    if not explain:
        return []
    return [Lesson(say("why.lesson.title"), [say(f"why.lesson.{part}") for part in ("filter", "order", "bind")])]
