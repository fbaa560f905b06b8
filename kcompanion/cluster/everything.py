"""`snapshot save`: the questions of every command, in rounds as the answers raise new ones."""

from __future__ import annotations

from collections.abc import Iterable

from kcompanion.access import identity
from kcompanion.cluster.recording import RecordedSource
from kcompanion.cluster.session import Session
from kcompanion.controlplane import apiservers, asks
from kcompanion.model import discovery
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Verb, listing
from kcompanion.model.snapshot import Snapshot

# Read whole. Secrets and ConfigMaps are scrubbed as always.
CLUSTER_WIDE = (
    r.NODES,
    r.NAMESPACES,
    r.PODS,
    r.DEPLOYMENTS,
    r.REPLICASETS,
    r.STATEFULSETS,
    r.DAEMONSETS,
    r.CONTROLLERREVISIONS,
    r.JOBS,
    r.CRONJOBS,
    r.SERVICES,
    r.ENDPOINTSLICES,
    r.INGRESSES,
    r.INGRESSCLASSES,
    r.NETWORKPOLICIES,
    r.CONFIGMAPS,
    r.SECRETS,
    r.SERVICEACCOUNTS,
    r.EVENTS,
    r.PERSISTENTVOLUMES,
    r.PERSISTENTVOLUMECLAIMS,
    r.STORAGECLASSES,
    r.CSIDRIVERS,
    r.RESOURCEQUOTAS,
    r.LIMITRANGES,
    r.HPAS,
    r.PDBS,
    r.LEASES,
    r.APISERVICES,
    r.CRDS,
    r.VALIDATING_WEBHOOKS,
    r.MUTATING_WEBHOOKS,
    r.CSRS,
    r.REPLICATIONCONTROLLERS,
    r.COMPANIONREPLICASETS,
    r.CSINODES,
    r.VOLUMEATTACHMENTS,
    r.PRIORITYCLASSES,
    r.RUNTIMECLASSES,
    r.RESOURCECLAIMS,
    r.DEVICECLASSES,
    r.ROLEBINDINGS,
    r.CLUSTERROLEBINDINGS,
)
# `trace` tells any object's life from its managedFields. Of events, often the most of all objects, nobody asks that.
_WITHOUT_MANAGED_FIELDS = frozenset({r.EVENTS})
# Shown by other resources already (events, Endpoints), or computed when asked and owned by nobody.
_LEFT_OUT_GROUPS = ("events.k8s.io", "metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")


def read(session: Session) -> Snapshot:
    """Asks everything and returns the snapshot; what is forbidden stays in it as a gap."""
    wide = [listing(resource, keep_managed_fields=resource not in _WITHOUT_MANAGED_FIELDS) for resource in CLUSTER_WIDE]
    others = [ask for ask in asks.OVERVIEW if not (ask.verb is Verb.LIST and ask.resource in CLUSTER_WIDE)]
    snapshot = session.read([*others, identity.SELF, *discovery.ROOTS, *wide])
    session.read([*_narrower(snapshot, wide), *discovery.follow_ups(snapshot)])
    # from here on each question is raised by answers; a recording of what there is gives the narrower ones too
    overview = Session(RecordedSource(session.snapshot)).read(asks.OVERVIEW)
    return session.read([*apiservers.further_asks(overview), *_metadata_only(session.snapshot)])


def _narrower(snapshot: Snapshot, wide: Iterable[Ask]) -> list[Ask]:
    """The overview's own questions, where the wider one that answers them too was not answered."""
    missing = {ask.resource for ask in wide if not snapshot.reading(ask).ok}
    return [ask for ask in asks.OVERVIEW if ask.resource in missing]


def _metadata_only(snapshot: Snapshot) -> list[Ask]:
    """Everything else that can be listed, custom resources too: names and owners, nothing of their own."""
    whole = {resource.name for resource in CLUSTER_WIDE}
    return [
        listing(row.resource, metadata_only=True)
        for row in discovery.served(snapshot)
        if "list" in row.verbs and row.resource.name not in whole and row.resource.group not in _LEFT_OUT_GROUPS
    ]
