from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks, corefile
from kcompanion.controlplane.addonfindings import findings
from kcompanion.controlplane.addons import DEPLOYMENTS, POLICIES, STATEFULSETS, addons
from kcompanion.controlplane.rollout import further_asks
from kcompanion.controlplane.storage import CLASSES
from kcompanion.model.ask import Ask, Outcome
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Snapshot
from tests.controlplane.build import ago, cluster, cni_daemonset, meta, proxy_daemonset, snap

COREFILE = """\
(snippet) {
    log
}
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa {
       ttl 30
    }
    forward . /etc/resolv.conf   # upstream
}
example.org:53 {
    forward . 10.0.0.53
}
"""


def deployment(name: str, image: str, ready: int = 1, namespace: str = "kube-system", replicas: int = 1) -> Any:
    labels = {"k8s-app": "kube-dns"} if name == "coredns" else {}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"image": image}]}}
    return {
        "metadata": meta(name, namespace),
        "spec": {"replicas": replicas, "template": template},
        "status": {"readyReplicas": ready},
    }


def healthy() -> dict[Ask, Any]:
    bodies = cluster("m", workers=["w"])
    coredns = deployment("coredns", "registry.k8s.io/coredns/coredns:v1.14.2")
    slices = {
        "metadata": meta("kube-dns-x", labels={"kubernetes.io/service-name": "kube-dns"}),
        "endpoints": [{"addresses": ["10.244.0.2"], "conditions": {"ready": True}}],
    }
    bodies.update(
        {
            asks.DEPLOYMENTS: [coredns],
            DEPLOYMENTS: [coredns],
            STATEFULSETS: [],
            POLICIES: [],
            asks.SERVICES: [{"metadata": meta("kube-dns"), "spec": {"clusterIP": "10.96.0.10"}}],
            asks.SYSTEM_SLICES: [slices],
            asks.API_SERVICES: [],
        }
    )
    bodies[asks.CONFIGMAPS].append({"metadata": meta("coredns"), "data": {"Corefile": COREFILE}})
    return bodies


def codes(snapshot: Snapshot, *, everything_read: bool = True) -> set[str]:
    return {f.code for f in findings(addons(snapshot), everything_read=everything_read)}


def api(status: str = "True") -> Any:
    return {
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}},
        "status": {"conditions": [{"type": "Available", "status": status, "reason": "MissingEndpoints"}]},
    }


def test_a_corefile_has_zones_and_plugins() -> None:
    blocks = corefile.parse(COREFILE)
    assert [b.zones for b in blocks] == [(".:53",), ("example.org:53",)]
    assert [name for name, _ in blocks[0].plugins] == ["errors", "kubernetes", "forward"]
    assert blocks[0].arguments("kubernetes") == ("cluster.local", "in-addr.arpa")
    assert blocks[0].arguments("forward") == (".", "/etc/resolv.conf")


@pytest.mark.parametrize("text", ["", "}", "{", ".:53 {", "}}}\n{{{"])
def test_an_odd_corefile_does_no_harm(text: str) -> None:
    assert corefile.parse(text) == ()


def test_a_healthy_dns() -> None:
    found = addons(snap(healthy())).dns
    assert (found.product, found.version, found.status) == ("CoreDNS", "v1.14.2", Status.OK)
    assert (found.service_ips, found.endpoints, found.nodes) == (("10.96.0.10",), 1, ("w",))
    assert codes(snap(healthy())) == set()


def test_no_dns_is_told_only_if_everything_was_read() -> None:
    bodies = healthy()
    bodies[asks.PODS] = [p for p in bodies[asks.PODS] if "kube-dns" not in p["metadata"]["name"]]
    bodies[asks.DEPLOYMENTS] = bodies[DEPLOYMENTS] = []
    assert "KC3001" in codes(snap(bodies))
    assert "KC3001" not in codes(snap(bodies), everything_read=False)


def test_dns_without_ready_addresses_fails() -> None:
    bodies = healthy()
    bodies[asks.SYSTEM_SLICES][0]["endpoints"][0]["conditions"]["ready"] = False
    snapshot = snap(bodies)
    assert addons(snapshot).dns.status is Status.FAIL
    assert "KC3005" in codes(snapshot)


@pytest.mark.parametrize("ask", [asks.PODS, asks.DEPLOYMENTS, asks.SERVICES, asks.SYSTEM_SLICES])
def test_dns_with_a_gap_is_unknown(ask: Ask) -> None:
    assert addons(snap(healthy(), outcomes={ask: Outcome.FORBIDDEN})).dns.status in (Status.UNKNOWN, Status.FAIL)


def test_replicas_on_one_node_of_several_are_a_warning() -> None:
    bodies = healthy()
    pod = next(p for p in bodies[asks.PODS] if "kube-dns" in p["metadata"]["name"])
    second = {**pod, "metadata": {**pod["metadata"], "name": "kube-dns-2"}}
    bodies[asks.PODS].append(second)
    assert "KC3004" in codes(snap(bodies))
    bodies[asks.NODES] = bodies[asks.NODES][1:]
    assert "KC3004" not in codes(snap(bodies)), "with one node there is no other place"


def test_kubelets_that_send_pods_elsewhere_are_told() -> None:
    bodies = healthy()
    bodies[asks.CONFIGMAPS].append({"metadata": meta("kubelet-config"), "data": {"kubelet": "clusterDNS: [10.0.0.99]"}})
    assert "KC3006" in codes(snap(bodies))


def test_metrics_server_is_well_only_if_its_api_answers() -> None:
    bodies = healthy()
    server = deployment("metrics-server", "registry.k8s.io/metrics-server/metrics-server:v0.8.0")
    bodies[DEPLOYMENTS] = [*bodies[DEPLOYMENTS], server]
    bodies[asks.API_SERVICES] = [api("False")]
    snapshot = snap(bodies)
    found = next(a for a in addons(snapshot).found if a.category == "metrics")
    assert (found.product, found.status) == ("metrics-server", Status.FAIL)
    assert "KC3030" in codes(snapshot)
    bodies[asks.API_SERVICES] = [api()]
    found = next(a for a in addons(snap(bodies)).found if a.category == "metrics")
    assert found.status is Status.OK


def test_what_is_absent_is_listed_and_not_bad() -> None:
    found = {a.category: a for a in addons(snap(healthy())).found}
    assert (found["metrics"].present, found["metrics"].status) == (False, None)
    assert found["logging"].to_json()["status"] == "ok"


def test_behind_a_hosted_control_plane_the_cloud_controller_is_out_of_sight() -> None:
    bodies = healthy()
    bodies[asks.PODS] = [p for p in bodies[asks.PODS] if "tier" not in p["metadata"]["labels"]]
    found = {a.category: a for a in addons(snap(bodies)).found}
    assert found["cloud"].status is Status.NOT_VISIBLE


def test_what_could_not_be_read_is_not_called_absent() -> None:
    found = {a.category: a for a in addons(snap(healthy(), outcomes={DEPLOYMENTS: Outcome.FORBIDDEN})).found}
    assert found["logging"].status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("image", "product", "category"),
    [
        ("registry.k8s.io/ingress-nginx/controller:v1.14.0", "ingress-nginx", "ingress"),
        ("kubernetesui/dashboard-api:1.0", "kubernetes-dashboard", "dashboard"),
        ("cr.fluentbit.io/fluent/fluent-bit:3.2", "fluent-bit", "logging"),
        ("quay.io/prometheus/prometheus:v3.5.0", "prometheus", "monitoring"),
        ("k8s.gcr.io/heapster-amd64:v1.5.4", "heapster", "monitoring"),
        ("registry.k8s.io/cloud-provider-aws/cloud-controller-manager:v1.36.0", "cloud-controller-manager", "cloud"),
        ("docker.io/rancher/local-path-provisioner:v0.0.31", "local-path-provisioner", "storage"),
    ],
)
def test_products_are_known_by_their_images(image: str, product: str, category: str) -> None:
    bodies = healthy()
    bodies[DEPLOYMENTS] = [deployment("any-name", image, namespace="x")]
    found = {a.product: a.category for a in addons(snap(bodies)).found if a.present}
    assert found[product] == category


def test_products_whose_project_ended_are_told() -> None:
    bodies = healthy()
    bodies[DEPLOYMENTS] = [deployment("h", "k8s.gcr.io/heapster-amd64:v1.5.4")]
    assert "KC3051" in codes(snap(bodies))


def test_policies_that_nobody_enforces_are_a_warning() -> None:
    bodies = healthy()
    flannel = cni_daemonset(2, "kube-flannel-ds", "ghcr.io/flannel-io/flannel:v0.27.0")
    bodies[asks.DAEMONSETS] = [proxy_daemonset(2), flannel]
    assert "KC3014" in codes(snap(bodies))
    bodies[POLICIES] = [{"metadata": meta("deny", "x")}]
    assert "KC3013" in codes(snap(bodies))


def test_default_storage_classes() -> None:
    bodies = healthy()
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    made: list[Any] = [{"metadata": {"name": n, "annotations": default}, "provisioner": "x"} for n in "ab"]
    bodies[CLASSES] = made
    assert "KC3041" in codes(snap(bodies))
    bodies[CLASSES] = [{"metadata": {"name": "a"}, "provisioner": "x"}]
    assert "KC3040" in codes(snap(bodies))


def test_minikube_addons_are_known_by_their_label() -> None:
    bodies = healthy()
    made = deployment("registry", "x")
    made["metadata"]["labels"] = {"addonmanager.kubernetes.io/mode": "Reconcile"}
    bodies[DEPLOYMENTS] = [made]
    assert addons(snap(bodies)).minikube == ("kube-system/registry (Reconcile)",)


@pytest.mark.parametrize(("where", "status", "ready"), [("w", Status.FAIL, 0), ("m", Status.OK, 1), (None, None, 1)])
def test_an_add_on_on_a_silent_node_is_not_well_whatever_its_namespace(
    where: str | None, status: Status | None, ready: int
) -> None:
    bodies = healthy()
    provisioner = deployment("local", "docker.io/rancher/local-path-provisioner:v0.0.30", namespace="local-path")
    provisioner["spec"]["selector"] = {"matchLabels": {"app": "local"}}
    bodies[DEPLOYMENTS] = [*bodies[DEPLOYMENTS], provisioner]
    for lease in bodies[asks.HEARTBEATS]:
        if lease["metadata"]["name"] == "w":
            lease["spec"]["renewTime"] = ago(55)
    if where is not None:
        other = {
            "metadata": meta("local-1", "local-path", labels={"app": "local"}),
            "spec": {"nodeName": where},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        bodies[asks.ALL_PODS] = [*bodies[asks.PODS], other]
    snapshot = snap(bodies)
    assert further_asks(snapshot) == (asks.ALL_PODS,)
    [found] = [one for one in addons(snapshot).found if one.product == "local-path-provisioner"]
    assert (found.status, found.rollout.ready if found.rollout else None) == (status or Status.UNKNOWN, ready)
    assert ("KC3050" in codes(snapshot)) is (status is Status.FAIL)
    assert addons(snapshot).unsure is (where is None)


def test_nothing_more_is_asked_while_every_node_is_heard() -> None:
    assert further_asks(snap(healthy())) == ()
