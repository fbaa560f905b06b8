"""A Namespace: what lives in it, what quotas and limits allow, and what keeps it when it is to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kcompanion.explain.pod import Pod
from kcompanion.model import discovery
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.message import say
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.resources import Resource
from kcompanion.report.document import Cell, Lines, Section, Table, columns
from kcompanion.report.portraits import common, events
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson, named

LIVING: tuple[Resource, ...] = (
    r.PODS,
    r.DEPLOYMENTS,
    r.STATEFULSETS,
    r.DAEMONSETS,
    r.JOBS,
    r.CRONJOBS,
    r.SERVICES,
    r.INGRESSES,
    r.PERSISTENTVOLUMECLAIMS,
    r.CONFIGMAPS,
    r.SECRETS,
    r.SERVICEACCOUNTS,
)
EVERYWHERE = "kube-root-ca.crt"  # a ConfigMap of that name is published into every namespace


def state(sight: Sight) -> Iterator[Fact]:
    """Active or Terminating, and which finalizers of the spec still stand."""
    phase = text_at(sight.item, "status", "phase")
    yield label("phase"), phase
    if phase == "Terminating":
        waiting = named(texts_at(sight.item, "spec", "finalizers")) or "-"
        since = dig(sight.item, "metadata", "deletionTimestamp")
        yield label("deleted"), say("portrait.namespace.terminating", age=sight.age(since), finalizers=waiting)


def living(sight: Sight) -> Iterator[Section]:
    """How many of each kind; kinds that may not be listed are left out and named as not shown."""
    rows: list[tuple[Cell, ...]] = []
    for resource in LIVING:
        for count in sight.attempt(lambda s, one=resource: _count(s, one)):  # type: ignore[misc] # a default binds it
            if count[0] or sight.whole:
                rows.append((resource.kind, *count))
    if rows:
        yield Section(say("portrait.section.living"), [Table(columns("KIND COUNT REMARK"), rows)])
    elif not sight.missing:
        yield Section(say("portrait.section.living"), [Lines([say("portrait.namespace.empty")])])


def _count(sight: Sight, resource: Resource) -> Iterator[tuple[int, Cell]]:
    items = sight.world.all(resource, sight.ref.name)
    remark: Cell = None
    if resource is r.PODS:
        words = Counter(Pod(item).status_word for item in items)
        remark = ", ".join(
            f"{count} {word}" for word, count in sorted(words.items(), key=lambda one: (-one[1], one[0]))
        )
    yield len(items), remark


def quotas(sight: Sight) -> Iterator[Section]:
    """Each quota: used of how much, the fullest first."""
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    for quota in sight.world.all(r.RESOURCEQUOTAS, sight.ref.name):
        used = map_at(quota, "status", "used")
        for key, hard in map_at(quota, "status", "hard").items():
            have, most = parse_quantity(used.get(key)), parse_quantity(hard)
            share = int(have * 100 / most) if have is not None and most else 0
            rows.append((share, (name_of(quota), key, str(used.get(key, "-")), str(hard), f"{share}%")))
    ordered = [row for _, row in sorted(rows, key=lambda one: (-one[0], str(one[1][1])))]
    yield from common.bounded(sight, "quotas", "QUOTA RESOURCE USED HARD FULL", ordered)


def limits(sight: Sight) -> Iterator[Section]:
    """What LimitRanges set for containers that say nothing, and forbid to others."""
    rows: list[tuple[Cell, ...]] = []
    for one in sight.world.all(r.LIMITRANGES, sight.ref.name):
        for entry in maps_at(one, "spec", "limits"):
            columns_of = [map_at(entry, key) for key in ("min", "max", "defaultRequest", "default")]
            for resource in sorted({key for column in columns_of for key in column}):
                values = (str(column.get(resource, "-")) for column in columns_of)
                rows.append((name_of(one), text_at(entry, "type"), resource, *values))
    yield from common.bounded(sight, "limits", "LIMITRANGE FOR RESOURCE MIN MAX DEFAULT_REQUEST DEFAULT_LIMIT", rows)


def same_names(sight: Sight) -> Iterator[Section]:
    """Two objects of one name in two namespaces, and the kinds that live outside of namespaces."""
    if not sight.lessons:
        return
    maps = [item for item in sight.world.all(r.CONFIGMAPS) if name_of(item) == EVERYWHERE]
    spaces = sorted({namespace_of(item) for item in maps})
    lines: list[Cell] = []
    if len(spaces) > 1:
        lines.append(say("portrait.namespace.same_name", name=EVERYWHERE, count=len(spaces), spaces=named(spaces, 3)))
    outside = sight.attempt(_outside)
    if outside:
        lines.append(say("portrait.namespace.outside", kinds=named(outside, 12)))
    if lines:
        yield Section(say("portrait.section.names"), [Lines(lines)])


def _outside(sight: Sight) -> Iterator[str]:
    """Kinds of this cluster without a namespace, by discovery."""
    for root in discovery.ROOTS:
        sight.world.ask(root)
    for ask in discovery.follow_ups(sight.world.snapshot):
        sight.world.ask(ask)
    rows = discovery.served(sight.world.snapshot)
    yield from sorted({row.resource.kind for row in rows if not row.resource.namespaced and "list" in row.verbs})


def _terminating(sight: Sight) -> bool:
    return text_at(sight.item, "status", "phase") == "Terminating"


NAMESPACE: tuple[Part, ...] = (
    facts(state, common.created),
    living,
    quotas,
    limits,
    common.conditions,
    common.when(_terminating, events.recent),
    same_names,
    lesson("namespace", 2),
)
