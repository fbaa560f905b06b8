"""Anonymizing: no own name or address is left, and what belonged together still does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kcompanion.cluster.addresses import Addresses, found_in
from kcompanion.cluster.anonymize import anonymized
from kcompanion.cluster.pseudonyms import Pseudonyms
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, Reading, listing, raw
from kcompanion.model.snapshot import Origin, Snapshot

NODE = "ip-10-1-2-3.corp.acme.example"
OWN = ("zebra", "acme", "corp", "jane", "10.1.2.3", "192.168.7.9", "payments", "wombat", "umbrella", "okapi")


def meta(name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {}), **more}}


def ok(resource: r.Resource, *items: dict[str, Any]) -> Reading:
    return Reading(listing(resource), Outcome.OK, 200, body=list(items))


NODES = ok(
    r.NODES,
    {
        **meta(
            NODE,
            labels={
                "kubernetes.io/hostname": NODE,
                "node-role.kubernetes.io/control-plane": "",
                "acme.com/rack": "umbrella",
            },
        ),
        "spec": {"podCIDR": "10.244.3.0/24", "providerID": f"aws:///umbrella/{NODE}"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.1.2.3"}, {"type": "Hostname", "address": NODE}],
            "images": [{"names": ["reg.acme.example/zebra:1"], "sizeBytes": 5}],
        },
    },
)
PODS = ok(
    r.PODS,
    {
        **meta(f"kube-apiserver-{NODE}", "kube-system", labels={"component": "kube-apiserver"}),
        "spec": {
            "nodeName": NODE,
            "containers": [
                {
                    "image": "registry.k8s.io/kube-apiserver:v1.36.3",
                    "command": [
                        "kube-apiserver",
                        "--advertise-address=10.1.2.3",
                        "--service-cluster-ip-range=10.96.0.0/12",
                    ],
                }
            ],
        },
    },
    {
        **meta(
            "zebra-7d9f",
            "payments",
            uid="u-1",
            labels={"app": "zebra", "pod-template-hash": "7d9f", "tier": "wombat", "owner": "okapi-zebra"},
            ownerReferences=[{"kind": "ReplicaSet", "name": "zebra-77", "uid": "u-2"}],
            annotations={"acme.com/owner": "jane@acme.example", "deployment.kubernetes.io/revision": "3"},
        ),
        "spec": {
            "nodeName": NODE,
            "containers": [{"name": "c", "image": "reg.acme.example/zebra:1", "args": ["--host=wombat"]}],
        },
        "status": {
            "podIP": "10.244.3.7",
            "conditions": [{"message": f'pulling "reg.acme.example/zebra:1" on {NODE} from 192.168.7.9 failed'}],
        },
    },
)
LEASES = ok(
    r.LEASES,
    {**meta("kube-scheduler", "kube-system"), "spec": {"holderIdentity": f"{NODE}_0f1e", "leaseTransitions": 2}},
)
SERVICES = ok(
    r.SERVICES,
    {
        **meta("zebra", "payments"),
        "spec": {"selector": {"app": "zebra"}, "clusterIP": "10.96.7.7", "externalName": "db.corp.example"},
    },
    {**meta("kubernetes", "default"), "spec": {"clusterIP": "10.96.0.1"}},
)
READYZ = Reading(
    raw("/readyz?verbose", "https://10.1.2.3:6443"),
    Outcome.OK,
    200,
    body="[+]etcd ok",
    peer={"subject": "CN=kube-apiserver", "names": [NODE, "10.1.2.3", "kubernetes"], "publicKeyHash": "sha256:ab"},
)
PEM = "-----BEGIN CERTIFICATE-----\nMIIacme\n-----END CERTIFICATE-----\n"
CONFIG = ok(r.CONFIGMAPS, {**meta("kube-root-ca.crt", "payments"), "data": {"ca.crt": PEM}})
WHO = Reading(raw("/x"), Outcome.FORBIDDEN, 403, 'User "jane" cannot list payments at https://api.corp.acme.example')
ORIGIN = Origin("jane@zebra", "umbrella", "https://api.corp.acme.example:6443", "payments", "jane")


def taken(*readings: Reading) -> Snapshot:
    return Snapshot(datetime(2026, 11, 21, tzinfo=UTC), ORIGIN, {reading.ask.key: reading for reading in readings})


BEFORE = taken(NODES, PODS, LEASES, SERVICES, READYZ, CONFIG, WHO)
AFTER = anonymized(BEFORE, b"a fixed key")


def everything(snapshot: Snapshot) -> str:
    return repr(snapshot)


def body(resource: r.Resource) -> Any:
    return AFTER.items(listing(resource))


def test_no_own_name_and_no_own_address_is_left() -> None:
    text = everything(AFTER)
    assert [word for word in OWN if word in text] == []
    assert "MII" not in text


def test_joins_survive() -> None:
    node = body(r.NODES)[0]["metadata"]["name"]
    static, own = body(r.PODS)
    assert static["metadata"]["name"] == f"kube-apiserver-{node}"
    assert static["spec"]["nodeName"] == own["spec"]["nodeName"] == node
    assert body(r.LEASES)[0]["spec"]["holderIdentity"] == f"{node}_0f1e"
    assert own["metadata"]["labels"]["app"] == body(r.SERVICES)[0]["spec"]["selector"]["app"]
    assert own["metadata"]["ownerReferences"][0]["uid"] == "u-2"
    readyz = next(reading for reading in AFTER.readings.values() if reading.ask.server)
    address = body(r.NODES)[0]["status"]["addresses"][0]["address"]
    assert readyz.peer is not None
    assert readyz.ask.server == f"https://{address}:6443"
    assert readyz.peer["names"] == [node, address, "kubernetes"]
    assert AFTER.readings.keys() == {reading.ask.key for reading in AFTER.readings.values()}


def test_networks_stay_networks() -> None:
    command = body(r.PODS)[0]["spec"]["containers"][0]["command"]
    services = ip_network(command[2].partition("=")[2])
    own, first = (service["spec"]["clusterIP"] for service in body(r.SERVICES))
    assert services.prefixlen == 12
    assert ip_address(own) in services
    assert ip_address(first) == services[1]
    assert ip_address(body(r.PODS)[1]["status"]["podIP"]) in ip_network(body(r.NODES)[0]["spec"]["podCIDR"])


def test_what_is_everyones_stays() -> None:
    node, (static, own) = body(r.NODES)[0], body(r.PODS)
    assert node["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] == ""
    assert node["spec"]["providerID"].startswith("aws://")
    assert static["metadata"]["labels"] == {"component": "kube-apiserver"}
    assert static["spec"]["containers"][0]["image"] == "registry.k8s.io/kube-apiserver:v1.36.3"
    assert own["metadata"]["labels"]["pod-template-hash"] == "7d9f"
    assert own["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert [s["metadata"]["name"] for s in body(r.SERVICES)][1] == "kubernetes"
    assert AFTER.origin.anonymized


def test_custom_resources_lose_group_and_kind() -> None:
    crd = {
        **meta("wombats.zebra.example"),
        "spec": {"group": "zebra.example", "names": {"kind": "Wombat", "plural": "wombats"}},
    }
    kind = r.Resource("zebra.example", "v1", "wombats", "Wombat")
    held = Reading(listing(kind, metadata_only=True), Outcome.OK, body=[meta("w", "payments")])
    pod = meta("p", "payments", ownerReferences=[{"kind": "Wombat", "apiVersion": "zebra.example/v1", "name": "w"}])
    after = anonymized(taken(ok(r.CRDS, crd), held, ok(r.PODS, pod)))
    assert "zebra" not in everything(after)
    assert "Wombat" not in everything(after)
    assert "wombat" not in everything(after)


def test_keys_of_the_owner_go_and_names_beside_the_systems_do_not_break_them() -> None:
    managed = [{"manager": "m", "fieldsV1": {"f:data": {"f:ZEBRA_URL": {}}}}]
    held = {**meta("zebra-config", "payments", managedFields=managed), "data": {"ZEBRA_URL": "<scrubbed 3 bytes>"}}
    pod = {
        **meta("proxy", "payments"),
        "spec": {"containers": [{"name": "wombat", "env": [{"name": "ZEBRA_URL", "value": "x"}]}]},
        "status": {"conditions": [{"message": "container wombat failed beside kube-proxy and proxy"}]},
    }
    system = meta("kube-proxy-abcde", "kube-system")
    after = anonymized(taken(ok(r.CONFIGMAPS, held), ok(r.PODS, pod, system)))
    assert "ZEBRA" not in everything(after)
    assert "wombat" not in everything(after)
    own, kept = after.items(listing(r.PODS))
    assert own["spec"]["containers"][0]["env"][0].keys() == {"name", "value"}
    assert kept["metadata"]["name"] == "kube-proxy-abcde"
    assert own["status"]["conditions"][0]["message"] == "container container-1 failed beside kube-proxy and pod-1"


def test_fields_with_a_domain_stay_fields_in_managed_fields() -> None:
    keys = ("kubernetes.io/config.mirror", "zebra.example/team")
    fields: dict[str, Any] = {"f:metadata": {"f:labels": {".": {}, **{f"f:{key}": {} for key in keys}}}}
    held = meta("c", "payments", labels=dict.fromkeys(keys, "1"), managedFields=[{"manager": "m", "fieldsV1": fields}])
    [item] = anonymized(taken(ok(r.CONFIGMAPS, held))).items(listing(r.CONFIGMAPS))
    named = item["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:labels"]
    assert named.keys() == {".", *(f"f:{key}" for key in item["metadata"]["labels"])}
    assert "kubernetes.io/config.mirror" in item["metadata"]["labels"]
    assert "zebra" not in repr(item)


def test_containers_named_by_common_words_break_no_words_of_the_projects() -> None:
    image = "registry.k8s.io/coredns/coredns:v1.14.2"
    own = {**meta("web", "payments"), "spec": {"containers": [{"name": "app"}, {"name": "registry"}]}}
    system = {
        **meta("coredns-1", "kube-system", labels={"k8s-app": "kube-dns", "app.kubernetes.io/name": "dns"}),
        "spec": {"containers": [{"name": "coredns", "image": image}]},
        "status": {"message": f"app.kubernetes.io/name of app: {image}"},
    }
    after = anonymized(taken(ok(r.PODS, own, system))).items(listing(r.PODS))[1]
    assert after["metadata"]["labels"] == {"k8s-app": "kube-dns", "app.kubernetes.io/name": "dns"}
    assert after["status"]["message"] == f"app.kubernetes.io/name of container-1: {image}"


def test_another_key_gives_other_addresses() -> None:
    other = anonymized(BEFORE, b"another key")
    assert other.items(listing(r.NODES)) != body(r.NODES)
    assert anonymized(BEFORE, b"a fixed key") == AFTER
    assert json.dumps(anonymized(BEFORE).origin.server)


def test_short_and_common_names_are_left_alone() -> None:
    names = Pseudonyms()
    assert [names.name(word, "pod") for word in ("default", "kubernetes", "x", "7", "system:admin")] == [
        "default", "kubernetes", "x", "7", "system:admin",
    ]  # fmt: skip
    assert names.name("web", "pod") == names.name("web", "service") == "pod-1"
    assert names.text("web-1 and cobweb, web") == "pod-1-1 and cobweb, pod-1"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)), min_size=1, max_size=5), st.binary(min_size=4))
def test_shared_prefixes_stay_as_long(pairs: list[tuple[Any, Any]], key: bytes) -> None:
    known = [(address, None) for pair in pairs for address in pair]
    addresses = Addresses(known, key)
    for one, two in pairs:
        before, after = (
            int(one) ^ int(two),
            int(ip_address(addresses.text(str(one)))) ^ int(ip_address(addresses.text(str(two)))),
        )
        special = addresses.text(str(one)) == str(one) or addresses.text(str(two)) == str(two)
        assert special or before.bit_length() == after.bit_length()


def test_special_addresses_times_and_versions_stay() -> None:
    text = "127.0.0.1 0.0.0.0/0 ::1 255.255.255.255 06:30:00 v1.36.3 1.2.3 aa:bb:cc:dd:ee:ff fe80::1"
    assert Addresses(found_in(text), b"k").text(text) == text


def test_ipv6_networks() -> None:
    text = "fd00:10:244::/56 fd00:10:244:1::5 [2001:db8::7]:443"
    network, one, other = Addresses(found_in(text), b"k").text(text).split()
    assert ip_address(one) in ip_network(network)
    assert other.startswith("[")
    assert "2001:db8" not in other


def test_a_gap_stays_a_gap() -> None:
    lost = replace(NODES, outcome=Outcome.FORBIDDEN, detail=f"nodes {NODE} is forbidden")
    gap = anonymized(taken(lost)).gaps()[0]
    assert gap.outcome is Outcome.FORBIDDEN
    assert NODE not in gap.detail
