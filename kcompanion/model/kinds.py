"""Which resource a person means by `po`, `deployments` or `Deployment.apps`: first by heart, then by discovery."""

from __future__ import annotations

from kcompanion.errors import NotFound
from kcompanion.model import discovery
from kcompanion.model import resources as r
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.world import World

# kubectl's short names of what we know by heart; those of custom resources come from discovery.
SHORT_NAMES: dict[str, Resource] = {
    "po": r.PODS,
    "no": r.NODES,
    "ns": r.NAMESPACES,
    "cm": r.CONFIGMAPS,
    "svc": r.SERVICES,
    "sa": r.SERVICEACCOUNTS,
    "ev": r.EVENTS,
    "pv": r.PERSISTENTVOLUMES,
    "pvc": r.PERSISTENTVOLUMECLAIMS,
    "quota": r.RESOURCEQUOTAS,
    "limits": r.LIMITRANGES,
    "rc": r.REPLICATIONCONTROLLERS,
    "deploy": r.DEPLOYMENTS,
    "rs": r.REPLICASETS,
    "sts": r.STATEFULSETS,
    "ds": r.DAEMONSETS,
    "cj": r.CRONJOBS,
    "ing": r.INGRESSES,
    "netpol": r.NETWORKPOLICIES,
    "sc": r.STORAGECLASSES,
    "hpa": r.HPAS,
    "pdb": r.PDBS,
    "pc": r.PRIORITYCLASSES,
    "crd": r.CRDS,
    "crs": r.COMPANIONREPLICASETS,
}
_BY_WORD: dict[str, Resource] = {
    word: one
    for one in reversed(KNOWN)
    for word in (one.plural, one.kind.lower(), one.name, f"{one.kind.lower()}.{one.group}", *one.in_full)
} | SHORT_NAMES


def resource_called(word: str, world: World) -> Resource:
    """The resource of that name.

    Raises:
        NotFound: this server serves none.
        NotKnown: it is none we know by heart, and discovery was not read yet or not answered.
    """
    known = _BY_WORD.get(word.lower())
    if known is not None:
        return known
    for root in discovery.ROOTS:
        world.ask(root)
    for ask in discovery.follow_ups(world.snapshot):
        world.ask(ask)
    served = discovery.find(discovery.served(world.snapshot), word)
    if served is None:
        raise NotFound(f"this cluster has no resource called {word!r}", "kubectl api-resources lists them")
    return served.resource
