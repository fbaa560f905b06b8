"""NodeResourcesFit and NodePorts, after upstream's tables (fit_test.go, node_ports_test.go, 1.36)."""

from decimal import Decimal
from typing import Any

import pytest

from kcompanion.scheduling.room import readable
from tests.scheduling.build import fitting, kinds, node, pod, results

ROOM = {"cpu": "10m", "memory": "20", "pods": "32", "example.com/aaa": "5", "hugepages-2Mi": "5"}


def lacking(incoming: dict[str, Any], *objects: dict[str, Any]) -> list[str]:
    found = results(incoming, *objects, predicate="NodeResourcesFit")
    return [miss.values["resource"] for miss in found["a"].misses]


def with_init(requests: dict[str, str], *init: dict[str, str], sidecar: bool = False) -> dict[str, Any]:
    always = {"restartPolicy": "Always"} if sidecar else {}
    containers = [{"name": f"i{n}", "resources": {"requests": one}, **always} for n, one in enumerate(init)]
    return pod(requests=requests, initContainers=containers)


def need(cpu: int = 0, memory: int = 0, **more: str) -> dict[str, str]:
    return {"cpu": f"{cpu}m", "memory": str(memory), **more}


@pytest.mark.parametrize(
    ("incoming", "used", "missing"),
    [
        (pod(), need(10, 20), []),
        (pod(requests=need(1, 1)), need(10, 20), ["cpu", "memory"]),
        (with_init(need(1, 1), need(3, 1)), need(8, 19), ["cpu"]),
        (with_init(need(1, 1), need(3, 1), need(2, 1)), need(8, 19), ["cpu"]),
        (with_init(need(1, 1), need(1, 3)), need(9, 19), ["memory"]),
        (with_init(need(1, 1), need(1, 1), need(1, 1)), need(9, 19), []),
        (pod(requests=need(1, 1)), need(5, 5), []),
        (pod(requests=need(2, 1)), need(9, 5), ["cpu"]),
        (pod(requests=need(1, 2)), need(5, 19), ["memory"]),
        (pod(requests=need(5, 1)), need(5, 19), []),
        (with_init(need(4, 1), need(5, 1)), need(5, 19), []),
        (with_init(need(4, 1), need(2, 1), sidecar=True), need(5, 1), ["cpu"]),
        (pod(requests={"example.com/aaa": "1"}), need(), []),
        (pod(requests=need(1, 1) | {"example.com/aaa": "10"}), need(), ["example.com/aaa"]),
        (pod(requests=need(1, 1) | {"example.com/aaa": "1"}), {"example.com/aaa": "5"}, ["example.com/aaa"]),
        (pod(requests=need(1, 1) | {"example.com/bbb": "1"}), need(), ["example.com/bbb"]),
        (pod(requests=need(1, 1) | {"example.com/bbb": "0"}), need(), []),
        (pod(requests=need(1, 1) | {"hugepages-2Mi": "10"}), need(), ["hugepages-2Mi"]),
        (pod(requests=need(1, 1), overhead=need(3, 13)), need(5, 5), []),
        (pod(requests=need(1, 1), overhead=need(3, 15)), need(5, 5), ["memory"]),
        (pod(requests=need(1, 1), resources={"requests": need(7, 1)}), need(5, 5), ["cpu"]),
        (pod(requests=need(9, 1), resources={"requests": need(5, 1)}), need(5, 5), []),
    ],
)
def test_room(incoming: dict[str, Any], used: dict[str, str], missing: list[str]) -> None:
    assert lacking(incoming, node("a", room=ROOM), pod("there", on="a", requests=used)) == missing


def test_places_for_pods() -> None:
    full = node("a", room={**ROOM, "pods": "1"})
    assert kinds(pod(), full, pod("there", on="a"), predicate="NodeResourcesFit") == {"a": ["pods"]}
    assert kinds(pod(), full, predicate="NodeResourcesFit") == {"a": []}


def test_pods_that_ended_hold_nothing() -> None:
    done = pod("done", on="a", requests=need(10, 20))
    done["status"]["phase"] = "Succeeded"
    assert lacking(pod(requests=need(5, 5)), node("a", room=ROOM), done) == []


def test_a_running_pod_does_not_count_itself() -> None:
    running = pod("p", on="a", requests=need(8, 8))
    found = results(running, node("a", room=ROOM), predicate="NodeResourcesFit")
    assert found["a"].misses == ()


def test_nominated_pods_of_higher_priority_hold_their_room() -> None:
    waiting = pod("waiting", requests=need(8, 8), priority=10)
    waiting["status"]["nominatedNodeName"] = "a"
    assert lacking(pod(requests=need(5, 5)), node("a", room=ROOM), waiting) == ["cpu"]
    assert lacking(pod(requests=need(5, 5), priority=11), node("a", room=ROOM), waiting) == []


def test_while_a_pod_is_resized_the_most_counts() -> None:
    shrinking = pod("there", on="a", requests=need(2, 2))
    shrinking["status"]["containerStatuses"] = [{"name": "app", "resources": {"requests": need(8, 2)}}]
    assert lacking(pod(requests=need(5, 5)), node("a", room=ROOM), shrinking) == ["cpu"]


def test_a_resource_of_dra_is_left_open() -> None:
    device = {"kind": "DeviceClass", "metadata": {"name": "g"}, "spec": {"extendedResourceName": "example.com/gpu"}}
    found = results(pod(requests={"example.com/gpu": "1"}), node("a", room=ROOM), device, predicate="NodeResourcesFit")
    assert found["a"].fit == "unknown"


@pytest.mark.parametrize(
    ("resource", "amount", "told"),
    [
        ("cpu", "0.5", "500m"),
        ("cpu", "2", "2"),
        ("memory", str(25_276_510_208), "23.5Gi"),
        ("memory", "1048576", "1Mi"),
        ("memory", "17", "17"),
        ("ephemeral-storage", str(10 * 1024**4), "10Ti"),
        ("example.com/gpu", "4", "4"),
    ],
)
def test_amounts_are_readable(resource: str, amount: str, told: str) -> None:
    assert readable(resource, Decimal(amount)) == told


def ports(*spelt: str) -> list[dict[str, Any]]:
    parts = (one.split("/") for one in spelt)
    return [{"protocol": p, "hostIP": ip, "hostPort": int(n), "containerPort": int(n)} for p, ip, n in parts]


def with_ports(name: str, *spelt: str, on: str = "") -> dict[str, Any]:
    made = pod(name, on=on)
    made["spec"]["containers"][0]["ports"] = ports(*spelt)
    return made


@pytest.mark.parametrize(
    ("wanted", "taken", "fits"),
    [
        ((), (), True),
        (("UDP/127.0.0.1/8080",), ("UDP/127.0.0.1/9090",), True),
        (("UDP/127.0.0.1/8080",), ("UDP/127.0.0.1/8080",), False),
        (("TCP/127.0.0.1/8080",), ("TCP/127.0.0.1/8080",), False),
        (("TCP/127.0.0.1/8080",), ("TCP/127.0.0.2/8080",), True),
        (("UDP/127.0.0.1/8080",), ("TCP/127.0.0.1/8080",), True),
        (("UDP/127.0.0.1/8000", "UDP/127.0.0.1/8080"), ("UDP/127.0.0.1/8080",), False),
        (("TCP/127.0.0.1/8001", "UDP/127.0.0.1/8080"), ("TCP/127.0.0.1/8001", "UDP/127.0.0.1/8081"), False),
        (("TCP/0.0.0.0/8001",), ("TCP/127.0.0.1/8001",), False),
        (("TCP/10.0.10.10/8001", "TCP/0.0.0.0/8001"), ("TCP/127.0.0.1/8001",), False),
        (("TCP/127.0.0.1/8001",), ("TCP/0.0.0.0/8001",), False),
        (("UDP/127.0.0.1/8001",), ("TCP/0.0.0.0/8001",), True),
        (("UDP/127.0.0.1/8001",), ("TCP/0.0.0.0/8001", "UDP/0.0.0.0/8001"), False),
    ],
)
def test_ports(wanted: tuple[str, ...], taken: tuple[str, ...], fits: bool) -> None:
    found = fitting(with_ports("p", *wanted), node("a"), with_ports("there", *taken, on="a"), predicate="NodePorts")
    assert (found == {"a"}) is fits


@pytest.mark.parametrize(("sidecar", "fits"), [(True, False), (False, True)])
def test_only_sidecars_keep_their_ports(sidecar: bool, fits: bool) -> None:
    always = {"restartPolicy": "Always"} if sidecar else {}
    incoming = pod(initContainers=[{"name": "i", "ports": [{"hostPort": 8001}], **always}])
    found = fitting(incoming, node("a"), with_ports("there", "TCP/0.0.0.0/8001", on="a"), predicate="NodePorts")
    assert (found == {"a"}) is fits
