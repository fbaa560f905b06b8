"""`snapshot save`: the questions of every command, in rounds as the answers raise new ones."""

from __future__ import annotations

from kcompanion.cluster.session import Session
from kcompanion.controlplane import asks
from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.snapshot import Snapshot

# Read with managedFields: the life of an object is told from them. Secrets and ConfigMaps are scrubbed as always.
CLUSTER_WIDE = (
    r.NODES,
    r.NAMESPACES,
    r.PODS,
    r.DEPLOYMENTS,
    r.REPLICASETS,
    r.STATEFULSETS,
    r.DAEMONSETS,
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
)


def read(session: Session) -> Snapshot:
    """Asks everything and returns the snapshot; what is forbidden stays in it as a gap."""
    session.read([*asks.OVERVIEW, *(listing(resource) for resource in CLUSTER_WIDE)])
    return session.snapshot
