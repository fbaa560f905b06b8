"""ReplicaSets (ours too), ReplicationControllers, StatefulSets and DaemonSets: desired, current, and their pods."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.model.fields import dig, map_at, maps_at, name_of, text_at
from kcompanion.model.message import say
from kcompanion.model.selectors import selector_text
from kcompanion.report.document import Cell
from kcompanion.report.portraits import common, events, owners
from kcompanion.report.portraits.common import count_at
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson, named


def counts(sight: Sight) -> Iterator[Fact]:
    """Desired, current, ready, available, and the difference the controller works on."""
    wanted = dig(sight.item, "spec", "replicas")
    desired = wanted if isinstance(wanted, int) else 1
    current = count_at(sight.item, "status", "replicas")
    yield (
        label("replicas"),
        say(
            "portrait.set.replicas",
            desired=desired,
            current=current,
            ready=count_at(sight.item, "status", "readyReplicas"),
            available=count_at(sight.item, "status", "availableReplicas"),
        ),
    )
    if current != desired:
        word = "create" if current < desired else "delete"
        yield label("gap"), say(f"portrait.set.{word}", count=abs(desired - current))


def selector(sight: Sight) -> Iterator[Fact]:
    """The selector, also the bare map of a ReplicationController."""
    spelt = selector_text(dig(sight.item, "spec", "selector"))
    if not spelt:
        bare = map_at(sight.item, "spec", "selector")
        spelt = ",".join(f"{key}={value}" for key, value in sorted(bare.items()) if isinstance(value, str))
    if spelt:
        command = f"kubectl get pods -n {sight.space} -l '{spelt}'"
        yield label("selector"), say("portrait.set.selector", selector=spelt, command=command)


def ordered(sight: Sight) -> Iterator[Fact]:
    """What makes a StatefulSet different: order, names, claims, the service that names its pods."""
    parallel = text_at(sight.item, "spec", "podManagementPolicy") == "Parallel"
    yield label("order"), say(f"portrait.stateful.{'parallel' if parallel else 'ordered'}")
    service = text_at(sight.item, "spec", "serviceName")
    if service:
        yield label("names"), say("portrait.stateful.names", name=sight.ref.name, service=service)
    claims = [name_of(claim) for claim in maps_at(sight.item, "spec", "volumeClaimTemplates")]
    if claims:
        kept = text_at(sight.item, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted") or "Retain"
        yield label("claims"), say("portrait.stateful.claims", names=named(claims), policy=kept)
    old, new = text_at(sight.item, "status", "currentRevision"), text_at(sight.item, "status", "updateRevision")
    if old and new and old != new:
        updated = count_at(sight.item, "status", "updatedReplicas")
        yield label("rollout"), say("portrait.stateful.updating", old=old, new=new, updated=updated)
    partition = dig(sight.item, "spec", "updateStrategy", "rollingUpdate", "partition")
    if isinstance(partition, int) and partition:
        yield label("partition"), say("portrait.stateful.partition", partition=partition)


def daemons(sight: Sight) -> Iterator[Fact]:
    """One pod on each fitting node: how many those are, and how many are served."""
    item = sight.item
    yield (
        label("nodes"),
        say(
            "portrait.daemon.counts",
            desired=count_at(item, "status", "desiredNumberScheduled"),
            current=count_at(item, "status", "currentNumberScheduled"),
            ready=count_at(item, "status", "numberReady"),
            updated=count_at(item, "status", "updatedNumberScheduled"),
        ),
    )
    if wrong := count_at(item, "status", "numberMisscheduled"):
        yield label("misscheduled"), say("portrait.daemon.misscheduled", count=wrong)
    wanted = map_at(item, "spec", "template", "spec", "nodeSelector")
    if wanted:
        yield label("node_selector"), ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))
    kind = text_at(item, "spec", "updateStrategy", "type")
    if kind == "OnDelete":
        yield label("strategy"), say("portrait.daemon.on_delete")
    elif sight.more:
        most: Cell = str(dig(item, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable") or 1)
        yield label("strategy"), say("portrait.daemon.rolling", most=most)


def _not_ready(sight: Sight) -> bool:
    item = sight.item
    wanted = dig(item, "spec", "replicas")
    desired = wanted if isinstance(wanted, int) else count_at(item, "status", "desiredNumberScheduled")
    ready = count_at(item, "status", "readyReplicas") + count_at(item, "status", "numberReady")
    return ready < desired


_REST: tuple[Part, ...] = (
    common.owned_pods,
    common.conditions,
    common.when(_not_ready, events.recent),
)
REPLICASET: tuple[Part, ...] = (
    facts(owners.belongs, counts, selector, common.created, common.deletion),
    *_REST,
    lesson("replicaset", 2),
)
STATEFULSET: tuple[Part, ...] = (
    facts(counts, ordered, selector, common.created, common.deletion),
    *_REST,
    lesson("statefulset"),
)
DAEMONSET: tuple[Part, ...] = (
    facts(daemons, selector, common.created, common.deletion),
    *_REST,
    lesson("daemonset"),
)
