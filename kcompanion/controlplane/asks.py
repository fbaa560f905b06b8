"""The questions that control-plane views ask. One table, so that views, `doctor` and `snapshot save` agree on them."""

from __future__ import annotations

from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, getting, listing, local, raw

SYSTEM = "kube-system"
NODE_LEASES = "kube-node-lease"

VERSION = raw("/version")
READYZ = raw("/readyz?verbose")
LIVEZ = raw("/livez?verbose")
METRICS = raw("/metrics")
NODES = listing(r.NODES)
PODS = listing(r.PODS, SYSTEM)
ALL_PODS = listing(r.PODS)
LEASES = listing(r.LEASES, SYSTEM)
HEARTBEATS = listing(r.LEASES, NODE_LEASES)
API_ENDPOINTS = listing(r.ENDPOINTSLICES, "default", "kubernetes.io/service-name=kubernetes")
CONFIGMAPS = listing(r.CONFIGMAPS, SYSTEM)
CLUSTER_INFO = getting(r.CONFIGMAPS, "cluster-info", "kube-public")
DAEMONSETS = listing(r.DAEMONSETS)
DEPLOYMENTS = listing(r.DEPLOYMENTS, SYSTEM)
SERVICES = listing(r.SERVICES, SYSTEM)
SYSTEM_SLICES = listing(r.ENDPOINTSLICES, SYSTEM)
SYSTEM_NAMESPACE = getting(r.NAMESPACES, SYSTEM)
OWN_CERTIFICATE = local("client-certificate")
API_SERVICES = listing(r.APISERVICES)
VALIDATING = listing(r.VALIDATING_WEBHOOKS)
MUTATING = listing(r.MUTATING_WEBHOOKS)
SECRETS = listing(r.SECRETS, SYSTEM, "")

# What the overview needs. The first round of `controlplane`: one round trip's worth of parallel requests.
OVERVIEW: tuple[Ask, ...] = (
    VERSION,
    READYZ,
    LIVEZ,
    METRICS,
    NODES,
    PODS,
    LEASES,
    HEARTBEATS,
    API_ENDPOINTS,
    CONFIGMAPS,
    CLUSTER_INFO,
    DAEMONSETS,
    DEPLOYMENTS,
    SERVICES,
    SYSTEM_SLICES,
    SYSTEM_NAMESPACE,
    OWN_CERTIFICATE,
)
# What certificates are looked for beside those.
CERTIFICATES: tuple[Ask, ...] = (API_SERVICES, VALIDATING, MUTATING)
