"""A pod: how its STATUS comes about, its phase, who keeps it, where it runs, and what its containers share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.pod import Pod
from kcompanion.model.fields import dig, map_at, maps_at, text_at
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.report.document import Literal, Section, Table, columns
from kcompanion.report.portraits import containers, events, owners
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, joined, label, lesson

DEFAULT_SCHEDULER = "default-scheduler"
LOG_FEW = 6  # lines of a crashed container's log; -o wide shows all that were read
# How a source of a projected volume is called, and the field with its name.
_PROJECTED = (("configMap", "ConfigMap"), ("secret", "Secret"))
_VOLUMES: Mapping[str, tuple[str, str]] = {
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "hostPath": ("hostPath", "path"),
    "nfs": ("nfs", "path"),
    "csi": ("CSI", "driver"),
    "image": ("image", "reference"),
}


def status(sight: Sight) -> Iterator[Fact]:
    """The STATUS word, and the field it comes from where it is not simply the phase."""
    steps = Pod(sight.item).status_steps
    if len(steps) > 1:
        yield (
            label("status"),
            say("portrait.pod.status", steps=" → ".join(word for word, _ in steps), path=steps[-1][1]),
        )


def phase(sight: Sight) -> Iterator[Fact]:
    """The phase: what it means, what brought the pod there, what comes next."""
    pod = Pod(sight.item)
    if pod.phase not in _PHASES:
        return
    yield label("phase"), say(f"portrait.pod.phase.{_stage(pod)}", phase=pod.phase, node=pod.node, **_counts(pod))
    if sight.more and not pod.deleted_at:
        yield label("next"), say(f"portrait.pod.next.{pod.phase.lower()}")


_PHASES = frozenset({"Pending", "Running", "Succeeded", "Failed", "Unknown"})


def _stage(pod: Pod) -> str:
    """Which sentence fits: Pending is several things, and Running may be a part of it only."""
    if pod.phase == "Pending":
        if not pod.node:
            return "pending_no_node"
        return "pending_init" if pod.status_word.startswith("Init:") else "pending_on_node"
    if pod.phase == "Running" and not pod.is_true("Ready"):
        counts = _counts(pod)
        return "running_not_ready" if counts["ready"] < counts["total"] else "running_pod_not_ready"
    return pod.phase.lower()


def _counts(pod: Pod) -> dict[str, int]:
    ready, total = pod.ready_count
    return {"ready": ready, "total": total}


def node(sight: Sight) -> Iterator[Fact]:
    """Where it runs since when; who is to find a node for it where that is not the usual scheduler."""
    pod = Pod(sight.item)
    scheduler = text_at(sight.item, "spec", "schedulerName")
    if pod.node:
        since = pod.condition("PodScheduled").get("lastTransitionTime")
        yield label("node"), say("portrait.pod.node", node=pod.node, age=sight.age(since)) if since else pod.node
    if scheduler and scheduler != DEFAULT_SCHEDULER:
        yield label("scheduler"), say(f"portrait.pod.scheduler{'' if pod.node else '_waits'}", name=scheduler)
    if dig(sight.item, "metadata", "deletionTimestamp"):
        grace = dig(sight.item, "metadata", "deletionGracePeriodSeconds")
        yield label("deleted"), say("portrait.pod.deleted", end=pod.deleted_at, grace=grace or 0)


def comes_back(sight: Sight) -> Iterator[Fact]:
    """Who repairs it: the kubelet starts containers again, a controller replaces a lost pod; not everything is."""
    pod = Pod(sight.item)
    if pod.phase in ("Succeeded", "Failed") and not sight.more:
        return
    restarts = sum(container.restarts for container in pod.containers)
    word = {"Never": "never", "OnFailure": "on_failure"}.get(pod.restart_policy, "always")
    where = pod.node or say("portrait.pod.its_node")
    told: list[Message | str] = [say(f"portrait.pod.back.{word}", where=where, count=restarts)]
    keeper = owners.nearest(sight.item)
    if text_at(sight.item, "metadata", "annotations", owners.MIRROR):
        told.append(say("portrait.pod.back.mirror", node=pod.node))
    elif keeper.startswith("DaemonSet "):
        told.append(say("portrait.pod.back.daemon", keeper=keeper))
    elif keeper:
        told.append(say("portrait.pod.back.keeper", keeper=keeper))
    else:
        told.append(say("portrait.pod.back.nobody"))
    yield label("comes_back"), joined(told, "sentence")


def address(sight: Sight) -> Iterator[Fact]:
    """The IP that all containers share, and their ports."""
    if not sight.more:
        return
    pod = Pod(sight.item)
    address = text_at(sight.item, "status", "podIP")
    count = len([c for c in pod.containers if c.sort in (c.sort.APP, c.sort.SIDECAR)])
    if address:
        kind = "host" if dig(sight.item, "spec", "hostNetwork") is True else one_or_many("own", count)
        yield label("ip"), say(f"portrait.pod.ip_{kind}", ip=address, count=count)
    ports = [
        f"{container.name} {', '.join(_port(port) for port in maps_at(container.spec, 'ports'))}"
        for container in pod.containers
        if dig(container.spec, "ports")
    ]
    if ports:
        yield label("ports"), "; ".join(ports)


def _port(port: Mapping[str, Any]) -> str:
    return f"{port.get('containerPort')}/{text_at(port, 'protocol') or 'TCP'}"


def quality(sight: Sight) -> Iterator[Fact]:
    """The QoS class, and what it means when the node runs out of memory."""
    qos = text_at(sight.item, "status", "qosClass")
    if sight.more and qos in ("Guaranteed", "Burstable", "BestEffort"):
        yield label("qos"), say(f"portrait.pod.qos.{qos.lower()}", qos=qos)


def account(sight: Sight) -> Iterator[Fact]:
    """The service account, and the token in the pod: where, and how long it is good for."""
    if not sight.more:
        return
    name = text_at(sight.item, "spec", "serviceAccountName") or "default"
    token = next(
        (
            map_at(source, "serviceAccountToken")
            for volume in maps_at(sight.item, "spec", "volumes")
            for source in maps_at(volume, "projected", "sources")
            if dig(source, "serviceAccountToken") is not None
        ),
        None,
    )
    if token is None:
        yield label("account"), say("portrait.pod.account_none", name=name)
        return
    seconds = token.get("expirationSeconds")
    minutes = seconds // 60 if isinstance(seconds, int) else 60
    yield label("account"), say("portrait.pod.account", name=name, minutes=minutes)


def volumes(sight: Sight) -> Iterator[Section]:
    """Each volume, what it is made from, and which containers mount it where."""
    if not sight.more:
        return
    pod = Pod(sight.item)
    mounts: dict[str, list[str]] = {}
    for container in pod.containers:
        for mount in maps_at(container.spec, "volumeMounts"):
            read_only = " (ro)" if mount.get("readOnly") is True else ""
            mounts.setdefault(text_at(mount, "name"), []).append(
                f"{container.name}:{text_at(mount, 'mountPath')}{read_only}"
            )
    rows = []
    for volume in maps_at(sight.item, "spec", "volumes"):
        name = text_at(volume, "name")
        if not name.startswith("kube-api-access-"):  # every pod has it: it is told with the service account
            rows.append((name, _source(volume), ", ".join(mounts.get(name, ())) or None))
    if rows:
        yield Section(say("portrait.section.volumes"), [Table(columns("VOLUME FROM MOUNTED_AT"), rows)])


def _source(volume: Mapping[str, Any]) -> str:
    """`PersistentVolumeClaim data-0`, `ConfigMap settings`, `emptyDir`."""
    for key, (kind, name) in _VOLUMES.items():
        if key in volume:
            return f"{kind} {text_at(volume, key, name)}"
    if "projected" in volume:
        parts = [
            f"{kind} {text_at(source, key, 'name')}"
            for source in maps_at(volume, "projected", "sources")
            for key, kind in _PROJECTED
            if key in source
        ]
        return f"projected ({', '.join(parts)})" if parts else "projected"
    return next((key for key in volume if key != "name"), "-")


def last_words(sight: Sight) -> Iterator[Section]:
    """The last lines that a crashed container wrote."""
    for container in Pod(sight.item).containers:
        if container.exit_code in (None, 0):
            continue
        # once it runs again, or waits to, what it said before it died stands in the log of the run before
        previous = not container.terminated and bool(container.restarts)
        lines = sight.world.log(sight.item, container.name, previous=previous)
        if lines:
            kept = lines if sight.whole else lines[-LOG_FEW:]
            title = say("portrait.section.log", container=container.name, code=container.exit_code)
            yield Section(title, [Literal(tuple(kept))])


def recent(sight: Sight) -> Iterator[Section]:
    """Events, where something is going on; the old ones of a pod that is well say nothing new."""
    if sight.whole or not Pod(sight.item).well:
        yield from events.recent(sight)


POD: tuple[Part, ...] = (
    facts(status, phase, owners.belongs, node, comes_back, address, quality, account),
    containers.table,
    containers.probes,
    containers.resources,
    volumes,
    last_words,
    recent,
    lesson("pod", 3),
)
