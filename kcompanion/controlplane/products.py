"""Add-ons by the images of their workloads: one row per product.

An image is a better sign than a name, and every row says for which purpose the product counts. Names of images are
those of the projects' own manifests and charts; mirrors keep the last part of the path.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """`images` are parts of image names; `retired` says that its project has ended."""

    name: str
    category: str
    images: tuple[str, ...]
    retired: bool = False


def _rows(category: str, *rows: tuple[str, ...]) -> tuple[Product, ...]:
    return tuple(Product(row[0], category, row[1:] or (row[0],)) for row in rows)


PRODUCTS: tuple[Product, ...] = (
    *_rows("metrics", ("metrics-server",), ("prometheus-adapter", "prometheus-adapter", "k8s-prometheus-adapter")),
    # https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/ : no releases after March 2026
    Product("ingress-nginx", "ingress", ("ingress-nginx/controller", "nginx-ingress-controller"), retired=True),
    *_rows(
        "ingress",
        ("traefik", "/traefik:", "library-traefik"),
        ("haproxy-ingress", "haproxytech/kubernetes-ingress", "haproxy-ingress"),
        ("nginx-kubernetes-ingress", "nginx/nginx-ingress", "nginx-ic"),
        ("contour", "projectcontour/contour"),
        ("kong", "kong/kubernetes-ingress-controller"),
        ("aws-load-balancer-controller",),
    ),
    *_rows(
        "gateway",
        ("envoy-gateway", "envoyproxy/gateway"),
        ("nginx-gateway-fabric",),
        ("istio", "istio/pilot"),
        ("kgateway", "kgateway"),
    ),
    *_rows(
        "storage",
        ("local-path-provisioner",),
        ("minikube storage-provisioner", "k8s-minikube/storage-provisioner"),
        ("nfs-subdir-external-provisioner",),
        ("csi-provisioner", "sig-storage/csi-provisioner"),
        ("longhorn", "longhornio/longhorn-manager"),
        ("rook-ceph", "rook/ceph"),
        ("openebs", "openebs/"),
    ),
    # kubernetes/dashboard was archived in 2026 and names Headlamp as its successor
    Product("kubernetes-dashboard", "dashboard", ("kubernetesui/dashboard",), retired=True),
    *_rows("dashboard", ("headlamp", "headlamp-k8s/headlamp"), ("rancher", "rancher/rancher:")),
    *_rows(
        "logging",
        ("fluent-bit",),
        ("fluentd",),
        ("vector", "timberio/vector"),
        ("promtail", "grafana/promtail"),
        ("alloy", "grafana/alloy"),
        ("filebeat",),
        ("logstash",),
        ("loki", "grafana/loki"),
        ("elasticsearch",),
        ("opensearch", "opensearchproject/opensearch"),
    ),
    # kubernetes-retired/heapster, ended with Kubernetes 1.13; its successor is metrics-server
    Product("heapster", "monitoring", ("heapster",), retired=True),
    *_rows(
        "monitoring",
        ("prometheus", "prometheus/prometheus:", "/prometheus:"),
        ("prometheus-operator", "prometheus-operator/prometheus-operator"),
        ("node-exporter",),
        ("kube-state-metrics",),
        ("grafana", "grafana/grafana:"),
        ("victoria-metrics", "victoriametrics/"),
        ("cadvisor", "cadvisor/cadvisor"),
        ("opentelemetry-collector",),
        ("datadog-agent", "datadog/agent", "datadoghq"),
    ),
    *_rows(
        "cloud",
        (
            "cloud-controller-manager",
            "cloud-controller-manager",
            "openstack-cloud-controller",
            "cloud-provider",
        ),
    ),
    *_rows("load_balancer", ("metallb",), ("klipper-lb",), ("kube-vip",)),
    *_rows("autoscaling", ("cluster-autoscaler",), ("karpenter",), ("vpa-recommender",), ("keda", "kedacore/keda")),
    *_rows("certificates", ("cert-manager", "cert-manager-controller")),
    *_rows("policy", ("kyverno", "kyverno/kyverno"), ("gatekeeper", "openpolicyagent/gatekeeper")),
    *_rows("mesh", ("linkerd", "linkerd/controller"), ("istio-ztunnel", "istio/ztunnel")),
    *_rows("dns", ("node-local-dns", "k8s-dns-node-cache"), ("external-dns",)),
    *_rows("gitops", ("argo-cd", "argoproj/argocd"), ("flux", "fluxcd/source-controller")),
    *_rows("fake", ("kwok", "kwok/kwok", "kwok:")),
)


def products_in(image: str) -> tuple[Product, ...]:
    """The products an image belongs to."""
    return tuple(p for p in PRODUCTS if any(part in image for part in p.images))
