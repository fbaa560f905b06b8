"""Brings a cluster up from whatever state it is in.

After a reboot, a killed engine or an interrupted creation the containers of a cluster may be there,
partly there, or dead. Restarting them keeps what somebody put into the cluster, so that is tried
first; a cluster that does not get healthy in time is made anew.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from lab import addresses, cache, controllers, docker, images, kind, nodeimage, versions
from lab import cluster as clusters
from lab.cluster import Cluster
from lab.shell import LabError, run, say, step


class Plan(enum.Enum):
    """How a cluster is brought up."""

    CREATE = "there is none"
    REUSE = "it is healthy"
    RESTART = "its containers are all there, give them time"
    RECREATE = "parts of it are missing"


def plan(wanted: Sequence[str], present: Sequence[str], *, complaint: str, complete: bool) -> Plan:
    """Decides; `complete` tells whether its creation once came to its end."""
    if not present:
        return Plan.CREATE
    if not complaint:
        return Plan.REUSE
    return Plan.RESTART if complete and set(wanted) <= set(present) else Plan.RECREATE


def up(cluster: Cluster) -> None:
    """Returns when the cluster is healthy and its kubeconfig written."""
    with cache.lock(cluster.name):
        decision = plan(
            cluster.containers,
            clusters.present(cluster),
            complaint=clusters.complaint(cluster),
            complete=cluster.kubeconfig.is_file(),
        )
        if decision is Plan.RESTART:
            decision = Plan.REUSE if _restart(cluster) else Plan.RECREATE
        if decision is Plan.REUSE:
            _mention_older_image(cluster)
            kind.export(cluster)
            say(f"lab: cluster {cluster.name} is running")
            return
        if decision is Plan.RECREATE:
            say(f"lab: what is left of cluster {cluster.name} cannot be used, making it anew")
            remove(cluster)
        _create(cluster)


def remove(cluster: Cluster) -> None:
    """Deletes the cluster, also one whose containers the engine has lost track of."""
    kind.delete(cluster)
    for name in clusters.present(cluster):
        docker.remove_container(name)
    cluster.kubeconfig.unlink(missing_ok=True)
    addresses.forget(cluster)


def _create(cluster: Cluster) -> None:
    image = images.node()
    if cluster.control_planes > 1:
        images.balancer()
    usual = 0.5 if cluster.control_planes == 1 else 1.5
    log = cache.root() / "log" / f"{cluster.name}.log"
    if cluster.own_network:
        addresses.prepare(cluster)
    with step(f"creating the cluster {cluster.name} on {image}", usual):
        kind.create(cluster, image, log)
    with step("waiting for the nodes and CoreDNS", 0.5):
        _demand_health(cluster)
    if cluster.own_network:
        addresses.record(cluster)


def _restart(cluster: Cluster) -> bool:
    """Starts what does not run and waits; False if that did not help."""
    try:
        with step(f"restarting the cluster {cluster.name}", 0.7):
            if cluster.own_network:
                addresses.restore(cluster)
            for name in sorted(set(cluster.containers) - set(clusters.started(cluster))):
                run(["docker", "start", name], timeout=60)
            _demand_health(cluster)
    except LabError as error:
        say(f"lab: the cluster did not get healthy: {error.missing}")
        return False
    return True


def _demand_health(cluster: Cluster) -> None:
    if cluster.replicasets:
        why = clusters.wait(cluster, cluster.patience)
    else:  # somebody has to make the pods of CoreDNS; they stay when the controller goes
        kind.export(cluster)
        with controllers.borrowed(cluster.kubeconfig):
            why = clusters.wait(cluster, cluster.patience)
    if why:
        raise LabError(
            f"a healthy cluster {cluster.name} within {cluster.patience:.0f} s ({why})",
            f"look with `docker exec {cluster.nodes[0]} journalctl -u kubelet`, or run it again",
        )


def _mention_older_image(cluster: Cluster) -> None:
    label = docker.label(versions.NODE_IMAGE, nodeimage.LABEL)
    running = {one["Image"] for one in docker.inspect("container", cluster.nodes)}
    current = {one["Id"] for one in docker.inspect("image", [versions.NODE_IMAGE])}
    if label not in ("", nodeimage.recipe()) or running != current:
        say(f"lab: {cluster.name} runs an older node image; `python3 -m lab down` and again for the new")
