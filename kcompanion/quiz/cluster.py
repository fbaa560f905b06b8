"""Questions about namespaces, API groups, storage and the context: what frames everything else."""

from __future__ import annotations

from collections import Counter
from shlex import quote

from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.fields import annotations_of, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.quiz.question import Choice, Ground, Question, kcompanion, kubectl, place, source, word

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
IMMORTAL = ("", "default", "kube-public", "kube-system")  # the API server refuses to delete these
_KINDS = (
    r.PODS,
    r.DEPLOYMENTS,
    r.REPLICASETS,
    r.DAEMONSETS,
    r.SERVICES,
    r.JOBS,
    r.CRONJOBS,
    r.ENDPOINTSLICES,
    r.INGRESSES,
    r.HPAS,
    r.PDBS,
    r.STORAGECLASSES,
    r.NODES,
    r.PERSISTENTVOLUMES,
)


def _served(ground: Ground, resource: Resource) -> bool:
    """Whether this cluster answered for it under this very group and version."""
    return any(
        ground.world.snapshot.reading(listing(resource, space)).ok
        for space in dict.fromkeys((ground.namespace or None, None))
    )


def _group_version(resource: Resource) -> str:
    return f"{resource.group}/{resource.version}" if resource.group else resource.version


def api_group(ground: Ground) -> Question | None:
    for resource in _KINDS:
        ground.all(resource)
    served = [resource for resource in _KINDS if _served(ground, resource)]
    chosen = ground.one(served)
    if chosen is None:
        return None
    right = _group_version(chosen)
    return ground.asked(
        "api_group",
        [right],
        [_group_version(one) for one in served if _group_version(one) != right],
        values={"kind": chosen.kind, "right": right, "path": chosen.path()},
        proof=[Evidence(chosen.path(), "HTTP", "200")],
        commands=[kcompanion("glossary"), kubectl(f"explain {chosen.plural}")],
    )


def scope(ground: Ground) -> Question | None:
    outside = (r.NODES, r.PERSISTENTVOLUMES, r.STORAGECLASSES, r.NAMESPACES)
    inside = (r.PODS, r.SERVICES, r.DEPLOYMENTS, r.PERSISTENTVOLUMECLAIMS, r.JOBS)
    for resource in (*outside, *inside):
        ground.all(resource)
    known = [one for one in outside if _served(ground, one)]
    chosen = ground.one(known)
    if chosen is None:
        return None
    item = ground.one(ground.all(chosen))
    example = f"{chosen.kind} {name_of(item)}" if item is not None else chosen.kind
    return ground.asked(
        "scope",
        [chosen.kind],
        [one.kind for one in inside if _served(ground, one)],
        values={"kind": chosen.kind, "example": example},
        proof=[Evidence(example, "metadata.namespace", "none")],
        commands=[kcompanion("glossary"), kubectl("api-resources --namespaced=false")],
    )


def same_name(ground: Ground) -> Question | None:
    """How many objects of one kind share a name: one in each namespace at most."""
    counts = Counter(name_of(item) for item in ground.all(r.SERVICEACCOUNTS))
    chosen = ground.one(sorted(name for name, count in counts.items() if count > 1))
    if chosen is None:
        return None
    count, spaces = counts[chosen], len(ground.all(r.NAMESPACES))
    return ground.asked(
        "same_name",
        [count],
        [number for number in (1, 0, count + 1, count - 1, count * 2) if number != count],
        values={"name": chosen, "count": count, "namespaces": spaces},
        proof=[Evidence(f"ServiceAccounts {chosen}", "metadata.namespace", str(count))],
        commands=[
            kcompanion(f"explain serviceaccount {quote(chosen)} -n default"),
            kubectl(f"get serviceaccounts -A --field-selector metadata.name={quote(chosen)}"),
        ],
    )


def default_class(ground: Ground) -> Question | None:
    classes = ground.all(r.STORAGECLASSES)
    marked = [one for one in classes if annotations_of(one).get(DEFAULT_CLASS) == "true"]
    if len(marked) > 1 or not classes:
        return None
    right: Choice = name_of(marked[0]) if marked else word("default_class.none")
    wrong: list[Choice] = [name_of(one) for one in classes if one not in marked]
    wrong += [
        word("default_class.first"),
        word("default_class.node"),
        *([word("default_class.none")] if marked else []),
    ]
    return ground.asked(
        "default_class",
        [right],
        wrong,
        values={"right": right},
        proof=[
            Evidence(
                source("StorageClass", one),
                f"metadata.annotations[{DEFAULT_CLASS}]",
                str(annotations_of(one).get(DEFAULT_CLASS) or "none"),
            )
            for one in (marked or classes[:2])
        ],
        commands=[kcompanion("addons"), kubectl("get storageclasses")],
    )


def volume_left(ground: Ground) -> Question | None:
    bound = [
        one for one in ground.all(r.PERSISTENTVOLUMES) if _policy(one) and text_at(one, "spec", "claimRef", "name")
    ]
    chosen = ground.one([one for one in bound if text_at(one, "status", "phase") == "Bound"])
    if chosen is None:
        return None
    policy = _policy(chosen)
    claim = f"{text_at(chosen, 'spec', 'claimRef', 'namespace')}/{text_at(chosen, 'spec', 'claimRef', 'name')}"
    right = "volume_left.gone" if policy == "Delete" else "volume_left.kept"
    wrong = sorted({"volume_left.gone", "volume_left.kept", "volume_left.pod", "volume_left.free"} - {right})
    return ground.asked(
        "volume_left",
        [word(right)],
        map(word, wrong),
        values={"volume": name_of(chosen), "claim": claim, "policy": policy},
        proof=[Evidence(source("PersistentVolume", chosen), "spec.persistentVolumeReclaimPolicy", policy)],
        commands=[kcompanion("explain persistentvolume", chosen), kubectl("get persistentvolume", chosen)],
    )


def _policy(volume: Object) -> str:
    found = text_at(volume, "spec", "persistentVolumeReclaimPolicy")
    return found if found in ("Delete", "Retain") else ""


def context_namespace(ground: Ground) -> Question | None:
    origin = ground.snapshot.origin
    if not origin.context or origin.anonymized:
        return None
    right = origin.namespace or "default"
    return ground.asked(
        "context_namespace",
        [right],
        [name_of(one) for one in ground.all(r.NAMESPACES) if name_of(one) != right],
        values={"context": origin.context, "namespace": right},
        proof=[Evidence(f"kubeconfig, context {origin.context}", "namespace", right)],
        commands=[kcompanion("contexts"), kubectl("config get-contexts")],
    )


def of_namespace(ground: Ground) -> Question | None:
    """What goes with a namespace when it is deleted."""
    inside = ground.all(r.DEPLOYMENTS)
    chosen = ground.one([item for item in inside if namespace_of(item) not in IMMORTAL])
    if chosen is None:
        return None
    outside = [
        *(f"Node {name_of(one)}" for one in ground.all(r.NODES)),
        *(f"StorageClass {name_of(one)}" for one in ground.all(r.STORAGECLASSES)),
        *(f"Deployment {place(one)}" for one in inside if namespace_of(one) != namespace_of(chosen)),
    ]
    return ground.asked(
        "of_namespace",
        [f"Deployment {place(chosen)}"],
        outside,
        values={"namespace": namespace_of(chosen), "deployment": name_of(chosen)},
        proof=[Evidence(source("Deployment", chosen), "metadata.namespace", namespace_of(chosen))],
        commands=[
            kcompanion(f"explain namespace {quote(namespace_of(chosen))}"),
            kubectl(f"get all -n {quote(namespace_of(chosen))}"),
        ],
    )
