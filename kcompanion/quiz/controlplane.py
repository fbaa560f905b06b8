"""Questions about the control plane: leaders, etcd's arithmetic, static pods, versions, keys."""

from __future__ import annotations

from shlex import quote

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.leaders import Leader, leader
from kcompanion.controlplane.versions import effective_minor, minor_of, server_info, server_version
from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Object
from kcompanion.quiz.question import Ground, Question, kcompanion, kubectl, place, source, word
from kcompanion.trace.etcdkey import key_of
from kcompanion.trace.storage import api_server_flags, override_of, prefix_from

ELECTING = ("kube-controller-manager", "kube-scheduler")
KUBELET_MAY_LAG = 3  # minors (version skew policy, since API server 1.28)


def _leaders(ground: Ground) -> list[Leader]:
    """The leaders whose Leases are being renewed."""
    ground.read(asks.LEASES, asks.NODES, asks.PODS)
    found = (leader(ground.snapshot, name) for name in ELECTING)
    return [one for one in found if one is not None and not one.expired]


def leader_node(ground: Ground) -> Question | None:
    held = ground.one([one for one in _leaders(ground) if one.node])
    if held is None:
        return None
    return ground.asked(
        "leader_node",
        [held.node],
        [name_of(node) for node in ground.all(r.NODES) if name_of(node) != held.node],
        values={"component": held.component, "node": held.node, "holder": held.holder},
        proof=[Evidence(f"Lease kube-system/{held.component}", "spec.holderIdentity", held.holder)],
        commands=[
            kcompanion("controlplane leaders"),
            kubectl(f"get lease {held.component} -n kube-system", shown="jsonpath={.spec.holderIdentity}"),
        ],
    )


def takeover(ground: Ground) -> Question | None:
    held = ground.one(_leaders(ground))
    if held is None:
        return None
    return ground.asked(
        "takeover",
        [held.duration],
        [second for second in (2, 5, 15, 40, 60, 300, 3600) if second != held.duration],
        values={"component": held.component, "seconds": held.duration},
        proof=[Evidence(f"Lease kube-system/{held.component}", "spec.leaseDurationSeconds", str(held.duration))],
        commands=[
            kcompanion("controlplane leaders"),
            kubectl(f"get lease {held.component} -n kube-system", shown="jsonpath={.spec.leaseDurationSeconds}"),
        ],
    )


def elects(ground: Ground) -> Question | None:
    held = [one.component for one in _leaders(ground)]
    present = {component.name for component in ground.plane.components if component.instances}
    return ground.asked(
        "elects",
        held,
        sorted(present & {"kube-apiserver", "etcd", "kubelet", "kube-proxy"}),
        values={"names": ", ".join(held)},
        proof=[Evidence(f"Lease kube-system/{name}", "spec.holderIdentity") for name in held],
        commands=[kcompanion("controlplane leaders"), kubectl("get leases -n kube-system")],
    )


def _members(ground: Ground) -> int | None:
    """How many members etcd has, where its own pods tell."""
    ground.read(asks.PODS)
    quorum = ground.plane.etcd.quorum
    return quorum.members if quorum and quorum.members else None


def _etcd(ground: Ground, id: str, right: int, members: int) -> Question | None:
    return ground.asked(
        id,
        [right],
        [number for number in range(members + 3) if number != right],
        values={"members": members, "needed": members // 2 + 1, "right": right, "more": members + 1},
        proof=[Evidence("Pods kube-system", "labels[component]=etcd", str(members))],
        commands=[kcompanion("controlplane etcd"), kubectl("get pods -n kube-system -l component=etcd")],
    )


def quorum(ground: Ground) -> Question | None:
    members = _members(ground)
    return _etcd(ground, "quorum", members // 2 + 1, members) if members else None


def tolerates(ground: Ground) -> Question | None:
    members = _members(ground)
    return _etcd(ground, "tolerates", (members - 1) // 2, members) if members else None


def one_more(ground: Ground) -> Question | None:
    members = _members(ground)
    return _etcd(ground, "one_more", members // 2, members) if members else None


def _static(ground: Ground) -> list[Object]:
    return [pod for pod in ground.all(r.PODS) if pods.is_static(pod)]


def static_which(ground: Ground) -> Question | None:
    static = _static(ground)
    others = [pod for pod in ground.all(r.PODS) if not pods.is_static(pod)]
    system = [pod for pod in others if namespace_of(pod) == asks.SYSTEM] or others
    chosen = ground.one(static)
    if chosen is None:
        return None
    return ground.asked(
        "static_which",
        [place(chosen)],
        map(place, system),
        values={"pod": place(chosen)},
        proof=[
            Evidence(
                source("Pod", chosen),
                f"metadata.annotations[{pods.MIRROR}]",
                str(annotations_of(chosen).get(pods.MIRROR) or ""),
            ),
            Evidence(source("Pod", chosen), "metadata.ownerReferences[0].kind", "Node"),
        ],
        commands=[kcompanion("controlplane static"), kubectl("get pod", chosen, "yaml")],
    )


def static_owner(ground: Ground) -> Question | None:
    chosen = ground.one([pod for pod in _static(ground) if _node_owner(pod)])
    if chosen is None:
        return None
    node = _node_owner(chosen)
    daemons = [f"DaemonSet {place(item)}" for item in ground.all(r.DAEMONSETS)]
    others = [f"Deployment {place(item)}" for item in ground.all(r.DEPLOYMENTS)]
    return ground.asked(
        "static_owner",
        [f"Node {node}"],
        [*daemons, *others, f"ReplicaSet {place(chosen)}"],
        values={"pod": place(chosen), "node": node},
        proof=[Evidence(source("Pod", chosen), "metadata.ownerReferences[0]", f"Node {node}")],
        commands=[
            kcompanion("owners pod", chosen),
            kubectl("get pod", chosen, "jsonpath={.metadata.ownerReferences}"),
        ],
    )


def _node_owner(pod: Object) -> str:
    owners = [owner for owner in maps_at(pod, "metadata", "ownerReferences") if owner.get("controller") is True]
    return text_at(owners[0], "name") if owners and owners[0].get("kind") == "Node" else ""


def static_delete(ground: Ground) -> Question | None:
    chosen = ground.one(_static(ground))
    if chosen is None:
        return None
    return ground.asked(
        "static_delete",
        [word("static_delete.mirror")],
        [word("static_delete.gone"), word("static_delete.moved"), word("static_delete.restarted")],
        values={"pod": place(chosen), "node": pods.node_of(chosen)},
        proof=[
            Evidence(
                source("Pod", chosen),
                "metadata.annotations[kubernetes.io/config.source]",
                str(annotations_of(chosen).get("kubernetes.io/config.source") or "file"),
            ),
        ],
        commands=[
            kcompanion("controlplane static"),
            kubectl("get pod", chosen, r"jsonpath={.metadata.annotations.kubernetes\.io/config\.source}"),
        ],
    )


def talks_to_etcd(ground: Ground) -> Question | None:
    ground.read(asks.PODS)
    servers = ground.plane.etcd.servers
    if not servers:
        return None
    present = {component.name for component in ground.plane.components if component.instances}
    return ground.asked(
        "talks_to_etcd",
        ["kube-apiserver"],
        sorted(present & {"kube-scheduler", "kube-controller-manager", "kubelet", "kube-proxy"}),
        values={"servers": ", ".join(servers)},
        proof=[Evidence("Pods kube-system, kube-apiserver", "--etcd-servers", ",".join(servers))],
        commands=[
            kcompanion("controlplane flags kube-apiserver"),
            kubectl("get pods -n kube-system -l component=kube-apiserver", shown="yaml"),
        ],
    )


def skew(ground: Ground) -> Question | None:
    ground.read(asks.VERSION)
    version = server_version(ground.snapshot)
    minor = effective_minor(server_info(ground.snapshot), minor_of(version))
    if minor is None or minor < 28:
        return None
    return ground.asked(
        "skew",
        [f"1.{minor - KUBELET_MAY_LAG}"],
        [f"1.{minor - lag}" for lag in (-1, 0, 1, 2, 4, 5)],
        values={"version": version, "oldest": f"1.{minor - KUBELET_MAY_LAG}"},
        proof=[Evidence("/version", "gitVersion", version)],
        commands=[kcompanion("controlplane versions"), kubectl("version")],
    )


def etcd_key(ground: Ground) -> Question | None:
    flags = api_server_flags(ground.world)
    if flags is None or override_of(r.PODS, flags):
        return None
    prefix = prefix_from(flags)
    chosen = ground.one(ground.all(r.PODS))
    if chosen is None:
        return None
    name, space = name_of(chosen), namespace_of(chosen)
    key = key_of(r.PODS, name, space, prefix)
    return ground.asked(
        "etcd_key",
        [key],
        [
            f"{prefix}/{space}/pods/{name}",
            f"{prefix}/pods/{name}",
            f"{prefix}/api/v1/namespaces/{space}/pods/{name}",
            f"{prefix}/pods/{text_at(chosen, 'spec', 'nodeName') or 'default'}/{name}",
        ],
        values={"pod": place(chosen), "key": key},
        proof=[Evidence("Pods kube-system, kube-apiserver", "--etcd-prefix", prefix)],
        commands=[kcompanion("key pod", chosen), f"etcdctl get --keys-only {quote(key)}"],
    )
