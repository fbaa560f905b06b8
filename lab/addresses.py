"""Keeps the addresses of nodes across restarts of the engine.

The engine hands out addresses in the order in which containers start. One control plane copes with a
new address, but etcd members know each other by theirs, so a cluster of several would never find
together again. Such a cluster has a network of its own, and its addresses are written down.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import docker
from lab.cluster import Cluster
from lab.shell import run


def prepare(cluster: Cluster) -> None:
    """Makes the cluster's own network, in which addresses can be chosen.

    Docker lets one choose only where the range was given, and knows best which range is free: so it
    is asked first and told afterwards.
    """
    if docker.inspect("network", [cluster.network]):
        return
    create = ["docker", "network", "create", "--label", "dev.kcompanion.lab=network"]
    run([*create, cluster.network])
    subnet = docker.inspect("network", [cluster.network])[0]["IPAM"]["Config"][0]["Subnet"]
    run(["docker", "network", "rm", cluster.network])
    run([*create, "--subnet", subnet, cluster.network])


def record(cluster: Cluster) -> None:
    _file(cluster).write_text(json.dumps(_current(cluster), indent=2) + "\n")


def forget(cluster: Cluster) -> None:
    """Forgets the addresses and, where it is the cluster's own, the network."""
    _file(cluster).unlink(missing_ok=True)
    for network in docker.inspect("network", [cluster.network]):
        for endpoint in (network.get("Containers") or {}).values():
            if endpoint["Name"] in cluster.containers:
                # A killed engine may keep a dead container's place, and then refuses its name.
                docker.disconnect(cluster.network, endpoint["Name"])
    if cluster.own_network:
        docker.remove_network(cluster.network)


def restore(cluster: Cluster) -> None:
    """Gives every container the address it had when the cluster was made, if it has another now."""
    try:
        recorded: dict[str, str] = json.loads(_file(cluster).read_text())
    except (OSError, ValueError):
        return
    moved = {name for name, address in _current(cluster).items() if recorded.get(name) != address}
    if not moved:
        return
    with ThreadPoolExecutor() as pool:  # a stopping node takes seconds, all of them together no more
        list(pool.map(_stop, cluster.containers))
    for name in cluster.containers:
        docker.disconnect(cluster.network, name)
    for name in cluster.containers:
        run(["docker", "network", "connect", "--ip", recorded[name], cluster.network, name])


def _stop(name: str) -> None:
    run(["docker", "stop", "--time", "5", name], timeout=60)


def _current(cluster: Cluster) -> dict[str, str]:
    """Address by container; an empty text for one that does not run."""
    inspected = docker.inspect("container", cluster.containers)
    return {one["Name"].lstrip("/"): _address(one["NetworkSettings"]["Networks"], cluster.network) for one in inspected}


def _address(networks: dict[str, dict[str, str]], name: str) -> str:
    return networks.get(name, {}).get("IPAddress", "")


def _file(cluster: Cluster) -> Path:
    return cluster.kubeconfig.with_name(f"{cluster.name}.addresses.json")
