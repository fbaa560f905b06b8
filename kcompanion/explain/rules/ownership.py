"""Owners that are odd, gone or in a fight: group L of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.memo import per_world
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.shortage import about
from kcompanion.model import resources as r
from kcompanion.model.fields import (
    annotations_of,
    dig,
    labels_of,
    map_at,
    maps_at,
    name_of,
    text_at,
)
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World

BOOK = RuleBook("rule_ownership")
_DOCS = "https://kubernetes.io/docs/"
_MIRROR = "kubernetes.io/config.mirror"  # k8s.io/kubernetes/pkg/kubelet/types/pod_update.go
_SOURCE = "kubernetes.io/config.source"
_HASH = "pod-template-hash"
_FRESH = 30  # seconds controllers and the garbage collector may take


def controller_of(item: Object) -> Mapping[str, Any]:
    """The owner reference of the controller; empty when nobody controls the object."""
    return next((one for one in maps_at(item, "metadata", "ownerReferences") if one.get("controller") is True), {})


# -------------------------------------------------------------------------------------------------------- static pods


@BOOK.rule(
    "KC5163",
    numbers=(163,),
    severity=Severity.INFO,
    rank=Rank.ADVICE,
    read=_DOCS + "tasks/configure-pod-container/static-pod/",
)
def mirror_pod(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """A pod that is not well, and that nobody can mend through the API: only its file on the node counts."""
    notes = annotations_of(pod.raw)
    if _MIRROR not in notes:
        return
    base = pod.name.removesuffix(f"-{pod.node}")
    yield Cause(
        {"node": pod.node, "base": base},
        (
            seen(pod.ref, f"metadata.annotations[{_MIRROR}]", notes[_MIRROR]),
            seen(pod.ref, f"metadata.annotations[{_SOURCE}]", notes.get(_SOURCE, "-")),
        ),
        (
            inspect(f"kubectl get node {pod.node} -o wide"),
            change(text=say("rule_ownership.kc5163.do", node=pod.node, base=base)),
        ),
        variant="cause_deleted" if pod.deleted_at else "cause",
    )


_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_STATIC = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler")  # kubeadm's static pods
_ELECTING = ("kube-controller-manager", "kube-scheduler")


@BOOK.rule(
    "KC5164",
    numbers=(164,),
    kind="Node",
    severity=Severity.CRITICAL,
    rank=Rank.CONTROL_PLANE,
    read=_DOCS + "tasks/configure-pod-container/static-pod/",
)
def mirror_missing(item: Object, world: World) -> Iterator[Cause]:
    """A control plane node lacks the mirror pod of a component that its peers run, or that ran here until lately."""
    if _CONTROL_PLANE not in labels_of(item):
        return
    node = name_of(item)
    age = world.since(text_at(item, "metadata", "creationTimestamp")) or 0
    places = _static_places(world)
    here = {component for component, nodes in places.items() if node in nodes}
    if not here or age < _FRESH * 4:  # its control plane is not made of static pods, or still being made
        return
    for component in _STATIC:
        if component in here:
            continue
        peers = sorted(places.get(component, frozenset()))
        lease = _lease_of(component, node, world) if not peers else None
        if not peers and lease is None:
            continue
        ref = Ref("Pod", f"{component}-{node}", "kube-system")
        proof = lease or seen(Ref("Pod", f"{component}-{peers[0]}", "kube-system"), "spec.nodeName", peers[0])
        yield Cause(
            {"component": component, "peers": ", ".join(peers) or "-"},
            (seen(ref, "metadata.name", "not found"), proof),
            (
                inspect("kubectl get pods -n kube-system -l tier=control-plane -o wide"),
                change(text=say("rule_ownership.kc5164.do", component=component, node=node)),
            ),
            variant="cause" if peers else "cause_lease",
        )


@per_world
def _static_places(world: World) -> Mapping[str, frozenset[str]]:
    """On which nodes each component of the control plane has a mirror pod."""
    places: dict[str, set[str]] = {}
    for pod in world.all(r.PODS, "kube-system"):
        node = text_at(pod, "spec", "nodeName")
        if _MIRROR in annotations_of(pod) and not dig(pod, "metadata", "deletionTimestamp"):
            places.setdefault(name_of(pod).removesuffix(f"-{node}"), set()).add(node)
    return {component: frozenset(nodes) for component, nodes in places.items()}


def _lease_of(component: str, node: str, world: World) -> Evidence | None:
    """The Lease that nobody renews any more since the component of this node held it, or gave it back as it ended."""
    if component not in _ELECTING:
        return None
    lease = world.get(r.LEASES, component, "kube-system")
    holder, renewed = text_at(lease, "spec", "holderIdentity"), text_at(lease, "spec", "renewTime")
    if holder.partition("_")[0] not in ("", node) or not renewed or (world.since(renewed) or 0) < _FRESH:
        return None
    return seen(Ref("Lease", component, "kube-system"), "spec.renewTime", renewed, renewed)


# ------------------------------------------------------------------------------------------------ orphans, naked pods


@BOOK.rule(
    "KC5165",
    numbers=(165,),
    kind=("Pod", "ReplicaSet"),
    severity=Severity.WARNING,
    rank=Rank.OWNERSHIP,
    read=_DOCS + "concepts/workloads/controllers/replicaset/#isolating-pods-from-a-replicaset",
    every=True,
)
def released(item: Pod | Object, world: World) -> Iterator[Cause]:
    """An object that a controller made and that nobody controls any more."""
    raw = item.raw if isinstance(item, Pod) else item
    if controller_of(raw) or dig(raw, "metadata", "deletionTimestamp") or _MIRROR in annotations_of(raw):
        return
    if isinstance(item, Pod):
        yield from _released_pod(item, world)
    elif _HASH in labels_of(raw) and dig(raw, "spec", "replicas") != 0:
        ref = about(raw)
        deployment = ref.name.removesuffix(f"-{labels_of(raw)[_HASH]}")
        yield Cause(
            {"deployment": deployment, "count": dig(raw, "spec", "replicas")},
            (
                seen(ref, "metadata.ownerReferences", "none"),
                seen(ref, f"metadata.labels[{_HASH}]", labels_of(raw)[_HASH]),
            ),
            (
                inspect(f"kubectl get deployment {deployment} -n {ref.namespace}"),
                change(text=say("rule_ownership.kc5165.do_replicaset", deployment=deployment)),
            ),
            variant="cause_replicaset",
        )


def _released_pod(pod: Pod, world: World) -> Iterator[Cause]:
    """A pod that still has the name its controller gave it."""
    origin = text_at(pod.raw, "metadata", "generateName").removesuffix("-")
    if not origin or pod.phase in ("Succeeded", "Failed"):
        return
    for resource in (r.REPLICASETS, r.DAEMONSETS, r.REPLICATIONCONTROLLERS, r.COMPANIONREPLICASETS):
        owner = world.get(resource, origin, pod.namespace)
        if owner is not None:
            break
    else:
        if _HASH not in labels_of(pod.raw):
            return
        ref = Ref("ReplicaSet", origin, pod.namespace)
        evidence = (seen(pod.ref, "metadata.ownerReferences", "none"), seen(ref, "metadata.name", "not found"))
        look = inspect(f"kubectl get replicasets -n {pod.namespace}")
        yield Cause({"owner": str(ref.name), "kind": "ReplicaSet"}, evidence, (look, _end(pod)), variant="cause_gone")
        return
    selector = selector_of(owner, resource)
    wrong = [key for key, value in map_at(selector, "matchLabels").items() if labels_of(pod.raw).get(key) != value]
    if not wrong:
        return
    key = min(wrong, key=str)
    want, have = str(map_at(selector, "matchLabels")[key]), labels_of(pod.raw).get(key)
    ref = ref_of(owner, resource.kind)
    yield Cause(
        {"kind": ref.kind, "owner": ref.name, "label": key, "want": want, "have": str(have)},
        (
            seen(pod.ref, f"metadata.labels[{key}]", "-" if have is None else have),
            seen(ref, f"spec.selector.matchLabels[{key}]", want),
            seen(pod.ref, "metadata.ownerReferences", "none"),
        ),
        (
            inspect(f"kubectl get pod {pod.name} -n {pod.namespace} --show-labels --show-managed-fields -o yaml"),
            _end(pod),
        ),
        variant="cause" if have is not None else "cause_removed",
    )


def _end(pod: Pod) -> Step:
    return change(text=say("rule_ownership.kc5165.do", pod=pod.name))


def selector_of(owner: Object, resource: Resource) -> Mapping[str, Any]:
    """The LabelSelector of a controller; a ReplicationController has a bare map."""
    selector = map_at(owner, "spec", "selector")
    return {"matchLabels": selector} if resource is r.REPLICATIONCONTROLLERS else selector


@BOOK.rule(
    "KC5168",
    numbers=(168,),
    severity=Severity.INFO,
    rank=Rank.ADVICE,
    read=_DOCS + "concepts/configuration/overview/#naked-pods-vs-replicasets-deployments-and-jobs",
    every=True,
)
def naked(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """A pod that nobody would make again."""
    if dig(pod.raw, "metadata", "ownerReferences") or _MIRROR in annotations_of(pod.raw) or pod.deleted_at:
        return
    if pod.phase not in ("Running", "Pending") or pod.restart_policy != "Always":
        return
    if text_at(pod.raw, "metadata", "generateName"):  # a controller made it: `released` knows more
        return
    yield Cause(
        {}, (seen(pod.ref, "metadata.ownerReferences", "none"),), (change(text=say("rule_ownership.kc5168.do")),)
    )
