"""Who made an object: its controller by the owner reference, else whoever wrote its fields first.

managedFields name the last manager of fields, not their first. Only an entry no younger than the object itself, which
wrote the spec, is told as the creator's.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompanion.model.fields import annotations_of, dig, maps_at, name_of, namespace_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.trace.etcdkey import key_of
from kcompanion.trace.steps import Step

MIRROR = "kubernetes.io/config.mirror"
# The name under which the controller of a kind reports its events (pkg/controller/*, 1.36).
CONTROLLERS = {
    "ReplicaSet": "replicaset-controller",
    "Deployment": "deployment-controller",
    "StatefulSet": "statefulset-controller",
    "DaemonSet": "daemonset-controller",
    "Job": "job-controller",
    "CronJob": "cronjob-controller",
    "ReplicationController": "replication-controller",
    "Service": "endpointslice-controller",
    "Node": "kubelet",
    "CompanionReplicaSet": "companionreplicaset-controller",
}


# What is said of pods speaks of replacement, which means nothing for a ConfigMap.
_OF_OBJECTS = {
    "trace.created.owner": "trace.created.object_owner",
    "trace.created.manager": "trace.created.object_manager",
    "trace.created.unknown": "trace.created.object_unknown",
}
_KEEPERS = "kube-controller-manager"  # where the built-in controllers run; all that they make pods for owns them


@dataclass(frozen=True)
class Creator:
    """Who asked for an object: an actor for the table, and the sentence."""

    actor: str
    told: Message
    source: str


def owner_of(item: Object) -> Ref | None:
    """The object named by the controller reference."""
    for reference in maps_at(item, "metadata", "ownerReferences"):
        if reference.get("controller") is True:
            kind = text_at(reference, "kind")
            return Ref(kind, text_at(reference, "name"), "" if kind == "Node" else namespace_of(item))
    return None


def creator_of(item: Object) -> Creator:
    """Who made the object, as far as it tells."""
    owner = owner_of(item)
    if MIRROR in annotations_of(item) and owner is not None:
        return Creator("kubelet", say("trace.created.mirror", node=owner.name), "config.mirror")
    if owner is not None:
        return Creator(actor_of(owner.kind), say("trace.created.owner", owner=str(owner)), "ownerReferences")
    manager = program(_first_writer(item))
    if manager:
        return Creator(manager, say("trace.created.manager", manager=manager), "managedFields")
    return Creator("?", say("trace.created.unknown"), "")


def creation(item: Object, resource: Resource, prefix: str, known: Creator | None = None) -> list[Step]:
    """The first two steps of any object: asked for, and stored under its key; `known` is who is known otherwise."""
    made = known or creator_of(item)
    told = made.told
    if resource.kind != "Pod":
        told = Message(_OF_OBJECTS.get(told.id, told.id), told.values)
    elif known is None and made.actor == _KEEPERS:
        told = say("trace.created.not_owned")
    created = text_at(item, "metadata", "creationTimestamp")
    sources = ", ".join(source for source in ("creationTimestamp", made.source) if source)
    key = key_of(resource, name_of(item), namespace_of(item), prefix)
    version, uid = text_at(item, "metadata", "resourceVersion"), text_at(item, "metadata", "uid")
    return [
        Step("created", made.actor, told, sources, created),
        Step("stored", "kube-apiserver", say("trace.stored", key=key, uid=uid, version=version), "metadata"),
    ]


def program(manager: str) -> str:
    """The command behind a manager's name: kubectl writes `kubectl-run`, and a name of its own for apply."""
    if manager in ("kubectl-client-side-apply", "kubectl-last-applied"):
        return "kubectl apply"
    return manager.replace("kubectl-", "kubectl ", 1) if manager.startswith("kubectl-") else manager


def actor_of(kind: str) -> str:
    """The controller of a kind, as its events name it."""
    return CONTROLLERS.get(kind) or say_kind(kind)


def say_kind(kind: str) -> str:
    """A name for the controller of a kind that we do not know."""
    return f"{kind}'s controller"


def _first_writer(item: Object) -> str:
    """The manager that wrote the spec when the object was made; empty when that cannot be told.

    The API server stamps managedFields just before the object, so an entry may carry the second before it.
    """
    created = text_at(item, "metadata", "creationTimestamp")
    for entry in maps_at(item, "metadata", "managedFields"):
        time = text_at(entry, "time")
        if text_at(entry, "subresource") or not time or time > created:
            continue
        if dig(entry, "fieldsV1", "f:spec") is not None or dig(entry, "fieldsV1", "f:data") is not None:
            return text_at(entry, "manager")
    return ""
