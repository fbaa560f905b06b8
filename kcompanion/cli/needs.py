"""One table: what each command asks. `doctor` judges rights by it, and `doctor --rbac` grants what they read.

`snapshot` also records the names of whatever other resources a cluster serves; those depend on the cluster and are
not counted here.
"""

from __future__ import annotations

from kcompanion.access import identity
from kcompanion.access.rights import Need
from kcompanion.cluster.everything import CLUSTER_WIDE
from kcompanion.controlplane import addons, asks, nodes, survey
from kcompanion.errors import UsageError
from kcompanion.explain import sweep
from kcompanion.installation import state as operator
from kcompanion.learn.lessons import LESSONS
from kcompanion.learn.needs import rights_of_all
from kcompanion.model import resources as r
from kcompanion.model.ask import listing, watching
from kcompanion.ownership import pool
from kcompanion.ownership.claim import CLAIMS
from kcompanion.ownership.orphans import EXAMINED
from kcompanion.practice.faults import BY_KIND
from kcompanion.practice.goals import GOALS
from kcompanion.quiz import makers as quiz
from kcompanion.trace.live import LEADERS, WATCHED

# What rules look into beside the object that is explained.
_LOOKED_INTO = (
    r.PODS,
    r.EVENTS,
    r.NODES,
    r.LEASES,
    r.REPLICASETS,
    r.DEPLOYMENTS,
    r.SERVICES,
    r.ENDPOINTSLICES,
    r.CONFIGMAPS,
    r.PERSISTENTVOLUMECLAIMS,
    r.PERSISTENTVOLUMES,
    r.STORAGECLASSES,
    r.RESOURCEQUOTAS,
)
# What an exercise of `practice` is judged by. What it creates, the API server says itself when it refuses.
_JUDGED = (r.NAMESPACES, r.PODS, r.EVENTS, *(BY_KIND[kind] for kind in GOALS if kind != "Pod"))
# What `tree --with` and `orphans` look at beside controllers and what these control.
_CHOOSING = (r.SERVICES, r.NETWORKPOLICIES, r.PDBS, r.HPAS, r.EVENTS)
_TIED_TO = (
    *_CHOOSING,
    r.CONFIGMAPS,
    r.SECRETS,
    r.SERVICEACCOUNTS,
    r.ROLEBINDINGS,
    r.CLUSTERROLEBINDINGS,
    r.PERSISTENTVOLUMES,
    r.STORAGECLASSES,
    r.NODES,
)

# What the scheduling predicates read besides nodes and pods, for pods with volumes, devices or namespace selectors.
_PLACED_BY = tuple(
    listing(resource)
    for resource in (
        r.PERSISTENTVOLUMECLAIMS,
        r.PERSISTENTVOLUMES,
        r.STORAGECLASSES,
        r.CSINODES,
        r.CSIDRIVERS,
        r.CSISTORAGECAPACITIES,
        r.VOLUMEATTACHMENTS,
        r.NAMESPACES,
        r.RESOURCECLAIMS,
        r.DEVICECLASSES,
    )
)

# What the life of an object is told from beside itself.
_TOLD_FROM = (
    r.SERVICES,
    r.ENDPOINTSLICES,
    r.DEPLOYMENTS,
    r.REPLICASETS,
    r.STATEFULSETS,
    r.DAEMONSETS,
    r.CONTROLLERREVISIONS,
)

_SWEPT = tuple(listing(resource) for resource in sweep.resources(""))
_REPORTED = (*asks.OVERVIEW, *asks.CERTIFICATES, *nodes.ASKS, *addons.ASKS, listing(r.EVENTS))

NEEDS: tuple[Need, ...] = (
    Need("overview", tuple(listing(resource) for resource in sweep.resources("")), (*survey.ASKS, listing(r.EVENTS))),
    Need("explain", (listing(r.PODS), listing(r.EVENTS)), tuple(listing(resource) for resource in _LOOKED_INTO)),
    Need("health", tuple(listing(resource) for resource in sweep.resources("")), (*survey.ASKS, listing(r.EVENTS))),
    # a tree also lists the names of whatever else the namespace holds; that depends on the cluster
    Need("tree", tuple(listing(resource) for resource in pool.WHOLE), tuple(listing(one) for one in _TIED_TO)),
    Need("owners", (), tuple(listing(resource) for resource in pool.WHOLE)),
    Need("orphans", tuple(listing(one) for one in (*EXAMINED, *CLAIMS)), tuple(listing(one) for one in _CHOOSING)),
    Need("why", (listing(r.NODES), listing(r.PODS)), (listing(r.EVENTS), *_PLACED_BY)),
    Need("why-not", (listing(r.NODES), listing(r.PODS)), _PLACED_BY),
    Need("trace", (listing(r.PODS), listing(r.EVENTS)), tuple(listing(resource) for resource in _TOLD_FROM)),
    Need(
        "activity",
        tuple(ask(one) for one in (r.PODS, r.EVENTS) for ask in (listing, watching)),
        (
            *(ask(one) for one in WATCHED for ask in (listing, watching)),
            listing(r.LEASES, LEADERS),
            watching(r.LEASES, LEADERS),
        ),
    ),
    Need("key", (), (asks.PODS, listing(r.APISERVICES))),
    Need("version", (asks.VERSION,)),
    Need("practice", tuple(listing(resource) for resource in _JUDGED), tuple(listing(one) for one in _LOOKED_INTO)),
    Need(
        "controlplane",
        (asks.PODS, asks.NODES, asks.LEASES, asks.HEARTBEATS, asks.READYZ),
        (*asks.OVERVIEW, *asks.CERTIFICATES),
    ),
    Need("nodes", nodes.ESSENTIAL, nodes.ASKS),
    Need("addons", addons.ESSENTIAL, (*addons.ASKS, asks.ALL_PODS)),
    Need("report", _SWEPT, _REPORTED),
    Need("diff", _SWEPT, _REPORTED),
    Need("serve", _SWEPT, _REPORTED),
    Need("quiz", (), (*(listing(resource) for resource in quiz.RESOURCES), *asks.OVERVIEW)),
    Need("whoami", identity.ESSENTIAL, identity.ASKS),
    Need("reconcile", (listing(r.REPLICASETS), listing(r.PODS), listing(r.EVENTS)), operator.ASKS),
    Need("operator", operator.ESSENTIAL, operator.ASKS),
    Need("snapshot", (), tuple(listing(resource) for resource in CLUSTER_WIDE)),
)
# Judged only by name, and granted by nobody but the cluster's owner: lessons change things.
_CHANGING = (Need("learn", (), acts=rights_of_all(LESSONS), closer="kcompanion learn --check"),)
BY_NAME = {need.command: need for need in (*NEEDS, *_CHANGING)}


def chosen(names: tuple[str, ...]) -> tuple[Need, ...]:
    """The needs of the named commands, of all without names.

    Raises:
        UsageError: a name is not that of a command that reads a cluster.
    """
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no command that reads a cluster", f"choose from: {', '.join(BY_NAME)}")
    return tuple(BY_NAME[name] for name in dict.fromkeys(names)) or NEEDS
