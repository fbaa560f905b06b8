from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml

from kcompanion.controlplane import asks
from kcompanion.controlplane.certs import SOON, ca_hash, certificates, unseen
from kcompanion.model.ask import Outcome
from kcompanion.model.certificates import facts_of_pem
from kcompanion.model.finding import Status
from tests.controlplane.build import NOW, cluster, configmap, meta, pod, serving, snap
from tests.pki import Authority

Pem = Callable[..., str]


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Pem:
    """A certificate that ends so many days after NOW, as PEM."""
    authority = Authority(tmp_path_factory.mktemp("pki"))

    def issue(days: float, name: str = "somebody") -> str:
        return authority.issue(name, ends=NOW + timedelta(days=days))[0].read_text()

    return issue


def kube_root_ca(text: str) -> dict[str, Any]:
    return {"metadata": meta("kube-root-ca.crt"), "data": {"ca.crt": text}}


@pytest.mark.parametrize(
    ("days", "left", "status"),
    [
        (-400, -400, Status.FAIL),
        (-0.01, -1, Status.FAIL),
        (0.5, 0, Status.WARN),
        (SOON - 0.5, SOON - 1, Status.WARN),
        (SOON + 0.5, SOON, Status.OK),
        (3649, 3649, Status.OK),
    ],
)
def test_how_long_a_certificate_lasts(pem: Pem, days: float, left: int, status: Status) -> None:
    (found,) = certificates(snap({asks.CONFIGMAPS: [kube_root_ca(pem(days))]}))
    assert (found.use, found.days_left, found.status) == ("cluster-ca", left, status)
    assert found.evidence.source == "ConfigMap kube-system/kube-root-ca.crt"
    assert found.subject == "CN=somebody"


def test_the_soonest_to_end_comes_first(pem: Pem) -> None:
    own = facts_of_pem(pem(20, "me"))[0]
    held = {
        **configmap("extension-apiserver-authentication"),
        "data": {"client-ca-file": pem(300) + pem(10), "requestheader-client-ca-file": pem(-3)},
    }
    answers = {asks.OWN_CERTIFICATE: own, asks.CONFIGMAPS: [held, kube_root_ca(pem(100))]}
    found = certificates(snap(answers, peers={asks.READYZ: serving("a", not_after=NOW + timedelta(days=40))}))
    assert [(c.use, c.days_left) for c in found] == [
        ("front-proxy-ca", -3),
        ("client-ca", 10),
        ("own", 20),
        ("serving", 40),
        ("cluster-ca", 100),
        ("client-ca", 300),
    ]


def test_a_serving_certificate_is_counted_once_and_named_by_its_node() -> None:
    peer = serving("b", "kubernetes")
    found = certificates(snap(cluster("a", "b"), peers={asks.READYZ: peer, asks.LIVEZ: peer}))
    assert [(c.use, c.owner) for c in found] == [("serving", "b")]


def test_bundles_of_webhooks_and_aggregated_servers(pem: Pem) -> None:
    bundle = base64.b64encode(pem(5).encode()).decode()
    hook = {"name": "check.example.com", "clientConfig": {"caBundle": bundle}}
    answers = {
        asks.VALIDATING: [{"metadata": {"name": "v"}, "webhooks": [hook, {"name": "none"}]}],
        asks.MUTATING: [{"metadata": {"name": "m"}, "webhooks": [hook]}],
        asks.API_SERVICES: [{"metadata": {"name": "v1.x"}, "spec": {"caBundle": bundle}}],
    }
    assert [c.owner for c in certificates(snap(answers))] == [
        "APIService/v1.x",
        "MutatingWebhookConfiguration/m",
        "ValidatingWebhookConfiguration/v",
    ]


@pytest.mark.parametrize("bundle", ["", "!", "AAAA", "LS0t", "\u00e9", 7, None])
def test_odd_bundles_are_left_out(bundle: Any) -> None:
    assert certificates(snap({asks.API_SERVICES: [{"metadata": {"name": "x"}, "spec": {"caBundle": bundle}}]})) == ()


@pytest.mark.parametrize("peer", [{}, {"names": None}, {"notAfter": 5}, {"names": [3, None], "notAfter": "odd"}])
def test_odd_peers_are_left_out(peer: Any) -> None:
    assert certificates(snap(peers={asks.READYZ: peer})) == ()


def test_files_that_only_flags_name() -> None:
    made = {
        asks.PODS: [
            pod("kube-apiserver", "a", "--etcd-certfile=/pki/client.crt", "--tls-cert-file=/pki/apiserver.crt"),
            pod("etcd", "a", "--cert-file=/pki/etcd/server.crt", "--peer-cert-file=/pki/etcd/peer.crt"),
        ]
    }
    assert [(u.component, u.node, u.path) for u in unseen(snap(made))] == [
        ("kube-apiserver", "a", "/pki/client.crt"),
        ("etcd", "a", "/pki/etcd/server.crt"),
        ("etcd", "a", "/pki/etcd/peer.crt"),
    ]


def cluster_info(data: str) -> dict[str, Any]:
    config = {"clusters": [{"name": "", "cluster": {"certificate-authority-data": data}}]}
    return {"metadata": meta("cluster-info", "kube-public"), "data": {"kubeconfig": yaml.safe_dump(config)}}


def test_the_join_hash_is_that_of_the_authority(pem: Pem) -> None:
    text = pem(100)
    found = ca_hash(snap({asks.CLUSTER_INFO: cluster_info(base64.b64encode(text.encode()).decode())}))
    assert found == facts_of_pem(text)[0]["publicKeyHash"]
    assert found.startswith("sha256:")


@pytest.mark.parametrize(
    "held",
    [
        None,
        {},
        {"data": {"kubeconfig": "{"}},
        {"data": {"kubeconfig": "clusters: [2026-99-99]"}},
        {"data": {"kubeconfig": "clusters: [{cluster: 3}]"}},
        {"data": {"kubeconfig": "just text"}},
        cluster_info("AAAA"),
        cluster_info("!"),
    ],
)
def test_no_join_hash_from_something_odd(held: Any) -> None:
    assert ca_hash(snap({asks.CLUSTER_INFO: held})) == ""


def test_what_may_not_be_read_is_not_in_the_list() -> None:
    everything = {ask: Outcome.FORBIDDEN for ask in (*asks.OVERVIEW, *asks.CERTIFICATES)}
    assert certificates(snap(outcomes=everything)) == ()
    assert unseen(snap(outcomes=everything)) == ()
