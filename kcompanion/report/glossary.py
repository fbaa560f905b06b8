"""`glossary`: the vocabulary of the study notes, each term with the object of this cluster that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import (
    annotations_of,
    dig,
    labels_of,
    map_at,
    maps_at,
    name_of,
    namespace_of,
    text_at,
    texts_at,
)
from kcompanion.model.message import Message, say
from kcompanion.model.resources import Resource
from kcompanion.model.selectors import selector_text
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown
from kcompanion.report.book.look import Look
from kcompanion.report.document import Cell, Facts, Lines, Section

ROLE = "node-role.kubernetes.io/control-plane"
MIRROR, SOURCE = "kubernetes.io/config.mirror", "kubernetes.io/config.source"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLOUDS = ("aws", "gce", "azure", "openstack", "digitalocean", "ibm", "oci", "vsphere")
Shown = str | Message | None
Finder = Callable[[Look], Shown]


@dataclass(frozen=True)
class Term:
    """A term, where it is shown, and the command that shows more of it."""

    key: str
    find: Finder | None = None
    see: str = ""


def _first(look: Look, resource: Resource, test: Callable[[Object], object] = bool) -> Object | None:
    """The first object of a kind, by namespace and name, that passes a test."""
    fitting = (item for item in look.all(resource) if test(item))
    return min(fitting, key=lambda item: (namespace_of(item), name_of(item)), default=None)


def _named(resource: Resource, item: Object | None) -> Shown:
    if item is None:
        return None
    space = namespace_of(item)
    return f"{resource.kind} {space}/{name_of(item)}" if space else f"{resource.kind} {name_of(item)}"


def _any(resource: Resource, test: Callable[[Object], object] = bool) -> Finder:
    return lambda look: _named(resource, _first(look, resource, test))


def _of(resource: Resource, test: Callable[[Object], object], tell: Callable[[Object], str]) -> Finder:
    """An object that passes a test, and what of it shows the term."""

    def find(look: Look) -> Shown:
        item = _first(look, resource, test)
        name = _named(resource, item)
        return None if item is None or name is None else f"{name}: {tell(item)}"

    return find


# ------------------------------------------------------------------------------------------------- finders


def _nodes(look: Look) -> Shown:
    names = sorted(name_of(node) for node in look.all(r.NODES))
    return say("glossary.here.nodes", count=len(names), names=", ".join(names[:3])) if names else None


def _control_plane(look: Look) -> Shown:
    return _named(r.NODES, _first(look, r.NODES, lambda node: ROLE in labels_of(node)))


def _worker(look: Look) -> Shown:
    return _named(r.NODES, _first(look, r.NODES, lambda node: ROLE not in labels_of(node)))


def _provider(node: Object) -> str:
    return text_at(node, "spec", "providerID")


def _cloud(look: Look) -> Shown:
    node = _first(look, r.NODES, lambda one: _provider(one).partition(":")[0] in CLOUDS)
    return None if node is None else f"Node {name_of(node)}: {_provider(node)}"


def _own_machines(look: Look) -> Shown:
    node = _first(look, r.NODES, lambda one: _provider(one).partition(":")[0] not in CLOUDS)
    if node is None:
        return None
    given = _provider(node)
    return f"Node {name_of(node)}: {given}" if given else say("glossary.here.no_provider", name=name_of(node))


def _workloads(look: Look) -> Shown:
    counts = Counter(
        {one.kind: len(look.all(one)) for one in (r.DEPLOYMENTS, r.STATEFULSETS, r.DAEMONSETS, r.JOBS, r.CRONJOBS)}
    )
    told = [f"{count} {kind}" for kind, count in counts.items() if count]
    return ", ".join(told) or None


def _keeps(look: Look) -> Shown:
    item = _first(look, r.DEPLOYMENTS, lambda one: dig(one, "status", "replicas"))
    if item is None:
        return None
    return say(
        "glossary.here.keeps",
        name=f"Deployment {namespace_of(item)}/{name_of(item)}",
        desired=dig(item, "spec", "replicas") or 0,
        current=dig(item, "status", "replicas") or 0,
    )


def _same_name(look: Look) -> Shown:
    spaces = {namespace_of(one) for one in look.all(r.SERVICEACCOUNTS) if name_of(one) == "default"}
    return say("glossary.here.same_name", count=len(spaces)) if len(spaces) > 1 else None


def _lease(look: Look) -> Shown:
    try:
        item = look.world.get(r.LEASES, "kube-scheduler", "kube-system")
    except NotKnown as unknown:
        look.missing[unknown.gap.what] = unknown.gap
        return None
    holder = text_at(item, "spec", "holderIdentity").partition("_")[0]
    return say("glossary.here.lease", holder=holder) if holder else None


def _quorum(look: Look) -> Shown:
    members = [one for one in look.all(r.PODS) if text_at(labels_of(one), "component") == "etcd"]
    count = len(members)
    return say("glossary.here.quorum", count=count, needed=count // 2 + 1, spare=(count - 1) // 2) if count else None


def _forward(look: Look) -> Shown:
    item = _first(look, r.SERVICES, lambda one: map_at(one, "spec", "selector") and dig(one, "spec", "ports"))
    if item is None:
        return None
    port = next(maps_at(item, "spec", "ports"), {}).get("port")
    here = port + 8000 if isinstance(port, int) and port < 1024 else port
    return f"kubectl port-forward -n {namespace_of(item)} svc/{name_of(item)} {here}:{port}"


def _context(look: Look) -> Shown:
    return look.world.snapshot.origin.context or None


def _taints(node: Object) -> str:
    return ", ".join(f"{text_at(one, 'key')}:{text_at(one, 'effect')}" for one in maps_at(node, "spec", "taints"))


def _container(look: Look) -> Shown:
    item = _first(look, r.PODS, lambda one: next(maps_at(one, "status", "containerStatuses"), None))
    if item is None:
        return None
    status = next(maps_at(item, "status", "containerStatuses"))
    runtime = text_at(status, "containerID").partition(":")[0]
    return f"{text_at(status, 'name')} of Pod {namespace_of(item)}/{name_of(item)} ({runtime or '-'})"


def _probed(pod: Object) -> bool:
    return any("readinessProbe" in one or "livenessProbe" in one for one in maps_at(pod, "spec", "containers"))


def _mounts(pod: Object, key: str) -> str:
    return next(
        (
            text_at(one, key, "name") or text_at(one, key, "secretName")
            for one in maps_at(pod, "spec", "volumes")
            if key in one
        ),
        "",
    )


def _controlled(pod: Object) -> str:
    owner = next(maps_at(pod, "metadata", "ownerReferences"), {})
    return f"{text_at(owner, 'kind')} {text_at(owner, 'name')}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(values.items())[:2])


_RUNTIME = _of(
    r.NODES,
    lambda one: text_at(one, "status", "nodeInfo", "containerRuntimeVersion"),
    lambda one: text_at(one, "status", "nodeInfo", "containerRuntimeVersion"),
)

GROUPS: Mapping[str, tuple[Term, ...]] = {
    "cloud": (
        Term("cloud", _cloud),
        Term("iaas", _cloud),
        Term("paas"),
        Term("saas"),
        Term("on_premises", _own_machines),
        Term("off_premises", _cloud),
        Term("provisioning", _any(r.STORAGECLASSES)),
        Term("orchestration", _keeps),
    ),
    "cluster": (
        Term("cluster", _nodes, "kcompanion nodes"),
        Term("node", _any(r.NODES), "kcompanion explain node"),
        Term("control_plane", _control_plane, "kcompanion controlplane"),
        Term("worker", _worker),
        Term("container", _container),
        Term("container_runtime", _RUNTIME),
        Term("cri", _RUNTIME),
        Term("cni", None, "kcompanion controlplane network"),
        Term("add_on", _any(r.DEPLOYMENTS, lambda one: namespace_of(one) == "kube-system"), "kcompanion addons"),
        Term(
            "static_pod",
            _any(r.PODS, lambda one: text_at(annotations_of(one), SOURCE) == "file"),
            "kcompanion controlplane static",
        ),
        Term("mirror_pod", _any(r.PODS, lambda one: text_at(annotations_of(one), MIRROR))),
        Term("lease", _lease, "kcompanion controlplane leaders"),
        Term("leader_election", _lease, "kcompanion controlplane leaders"),
        Term("quorum", _quorum, "kcompanion controlplane etcd"),
        Term("high_availability", _control_plane, "kcompanion controlplane leaders"),
        Term("kubeconfig", _context, "kcompanion contexts"),
        Term("context", _context, "kcompanion contexts"),
    ),
    "workload": (
        Term("pod", _any(r.PODS), "kcompanion explain pod"),
        Term("workload_resource", _workloads),
        Term("deployment", _any(r.DEPLOYMENTS), "kcompanion explain deployment"),
        Term("replicaset", _any(r.REPLICASETS), "kcompanion explain replicaset"),
        Term("statefulset", _any(r.STATEFULSETS)),
        Term("daemonset", _any(r.DAEMONSETS)),
        Term("batch_job", _any(r.JOBS), "kcompanion explain job"),
        Term("cron_job", _of(r.CRONJOBS, bool, lambda one: text_at(one, "spec", "schedule"))),
        Term(
            "rolling_update",
            _any(r.DEPLOYMENTS, lambda one: text_at(one, "spec", "strategy", "type") == "RollingUpdate"),
        ),
        Term("probe", _any(r.PODS, _probed)),
        Term("self_healing", _of(r.PODS, lambda one: dig(one, "metadata", "ownerReferences"), _controlled)),
        Term("naked_pod", _any(r.PODS, lambda one: not dig(one, "metadata", "ownerReferences"))),
        Term(
            "scheduling",
            _of(r.PODS, lambda one: text_at(one, "spec", "nodeName"), lambda one: text_at(one, "spec", "nodeName")),
        ),
        Term(
            "eviction",
            _any(r.PODS, lambda one: text_at(one, "status", "reason") == "Evicted"),
            "kcompanion explain reason Evicted",
        ),
        Term("taint", _of(r.NODES, lambda one: dig(one, "spec", "taints"), _taints)),
        Term("toleration", _any(r.PODS, lambda one: len(list(maps_at(one, "spec", "tolerations"))) > 2)),
        Term("autoscaling", _any(r.HPAS)),
    ),
    "object": (
        Term("manifest", _any(r.DEPLOYMENTS, lambda one: APPLIED in annotations_of(one))),
        Term("declarative", _any(r.DEPLOYMENTS, lambda one: APPLIED in annotations_of(one))),
        Term("imperative"),
        Term("desired_state", _keeps),
        Term(
            "controller",
            _any(r.PODS, lambda one: text_at(labels_of(one), "component") == "kube-controller-manager"),
            "kcompanion controlplane controllers",
        ),
        Term("reconcile", _keeps),
        Term("watch", None, "kcompanion controlplane traffic"),
        Term("namespace", _any(r.NAMESPACES), "kcompanion explain namespace"),
        Term("name_uniqueness", _same_name),
        Term("label", _of(r.PODS, labels_of, lambda one: _pairs(labels_of(one)))),
        Term("selector", _of(r.DEPLOYMENTS, bool, lambda one: selector_text(dig(one, "spec", "selector")))),
        Term("annotation", _of(r.NODES, annotations_of, lambda one: sorted(annotations_of(one))[0])),
        Term("owner_reference", _of(r.PODS, lambda one: dig(one, "metadata", "ownerReferences"), _controlled)),
        Term(
            "finalizer",
            _of(
                r.NAMESPACES,
                lambda one: texts_at(one, "spec", "finalizers"),
                lambda one: ", ".join(texts_at(one, "spec", "finalizers")),
            ),
        ),
        Term("resource_version", _of(r.NODES, bool, lambda one: text_at(one, "metadata", "resourceVersion"))),
    ),
    "use": (
        Term("service", _any(r.SERVICES), "kcompanion explain service"),
        Term("endpointslice", _any(r.ENDPOINTSLICES)),
        Term("port_forward", _forward),
        Term("ingress", _any(r.INGRESSES)),
        Term(
            "configmap",
            _of(r.PODS, lambda one: _mounts(one, "configMap"), lambda one: _mounts(one, "configMap")),
            "kcompanion explain configmap",
        ),
        Term("secret", _of(r.PODS, lambda one: _mounts(one, "secret"), lambda one: _mounts(one, "secret"))),
        Term(
            "service_account",
            _of(r.PODS, bool, lambda one: text_at(one, "spec", "serviceAccountName")),
            "kcompanion explain serviceaccount",
        ),
        Term("rbac", None, "kcompanion doctor --rbac"),
        Term(
            "volume",
            _of(
                r.PODS,
                lambda one: next(maps_at(one, "spec", "volumes"), None),
                lambda one: text_at(next(maps_at(one, "spec", "volumes")), "name"),
            ),
        ),
        Term("claim", _any(r.PERSISTENTVOLUMECLAIMS), "kcompanion explain persistentvolumeclaim"),
        Term("storage_class", _any(r.STORAGECLASSES)),
    ),
}
TERMS: Mapping[str, Term] = {term.key: term for terms in GROUPS.values() for term in terms}


@dataclass(frozen=True)
class Glossary:
    """The terms asked for, each with what shows it here."""

    shown: Mapping[str, Shown]
    look: Look | None

    def to_json(self, words: Callable[[Message], str]) -> dict[str, Any]:
        """`words` says a message in English: JSON is the same in every language."""
        return {
            "terms": [
                {
                    "term": key,
                    "name": words(say(f"glossary.{key}.name")),
                    "means": words(say(f"glossary.{key}.text")),
                    "example": words(here) if isinstance(here, Message) else here,
                    "command": command(TERMS[key], here) or None,
                }
                for key, here in self.shown.items()
            ]
        }


def glossary(keys: Sequence[str], look: Look | None) -> Glossary:
    """The terms with examples from a cluster, or without any where there is none."""
    shown = {}
    for key in keys:
        find = TERMS[key].find
        shown[key] = find(look) if find is not None and look is not None else None
    return Glossary(shown, look)


def sections(found: Glossary) -> list[Section]:
    """The terms by group, each with what shows it here."""
    made = []
    for group, terms in GROUPS.items():
        pairs = [pair for term in terms if term.key in found.shown for pair in _told(term, found.shown[term.key])]
        if pairs:
            made.append(Section(say(f"glossary.section.{group}"), [Facts(pairs)]))
    if found.look is None:
        made.append(Section(say("glossary.section.no_cluster"), [Lines([say("glossary.no_cluster")])]))
    return made


def command(term: Term, here: Shown) -> str:
    """What shows more; where that explains an object of the shown kind, the very object: others may not exist."""
    kind, _, place = here.partition(" ") if isinstance(here, str) else ("", "", "")
    if term.see != f"kcompanion explain {kind.lower()}" or " " in place:
        return term.see
    space, _, name = place.rpartition("/")
    return f"{term.see}/{name}" + (f" -n {space}" if space else "")


def _told(term: Term, here: Shown) -> Iterator[tuple[Message, Cell]]:
    """The sentence, and below it what shows the term here and the command that shows more."""
    yield say(f"glossary.{term.key}.name"), say(f"glossary.{term.key}.text")
    if here and term.see:
        yield say("glossary.below"), say("glossary.both", here=here, command=command(term, here))
    elif here or term.see:
        yield say("glossary.below"), here or term.see
