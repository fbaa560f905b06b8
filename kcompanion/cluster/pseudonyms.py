"""Names replaced by others of the same sort, the same one each time: `node-1`, `namespace-2`, `value-7`.

A name that is a person's own is replaced wherever it stands, also inside others (`kube-apiserver-<node>`,
`<node>_<uuid>`), so that what belonged together still does. Words of the API stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Domains of the projects that everyone runs: their label keys, API groups and images say nothing of the owner.
_PUBLIC = """kubernetes.io k8s.io coreos.com projectcalico.org tigera.io cilium.io istio.io metallb.io cert-manager.io
    argoproj.io fluxcd.io traefik.io cattle.io openshift.io rook.io longhorn.io velero.io knative.dev keda.sh
    kyverno.io amazonaws.com aws azure.com gke.io google.com crossplane.io external-secrets.io kubevirt.io elastic.co
    strimzi.io helm.sh linkerd.io envoyproxy.io openebs.io ceph.com kubedb.com grafana.com prometheus.io docker.io
    github.com golang.org kcompanion.dev nginx.org k3s.io rke2.io x-k8s.io kind.sigs.k8s.io cluster.local"""
PUBLIC_DOMAINS = tuple(_PUBLIC.split())
_PUBLIC_IMAGES = re.compile(
    r"(?:kcompanion\.dev|registry\.k8s\.io|k8s\.gcr\.io|mcr\.microsoft\.com|public\.ecr\.aws/eks-distro|docker\.io/(?:library|kindest|"
    r"calico|flannel|rancher|grafana|istio|cilium|coredns)|quay\.io/(?:coreos|cilium|calico|prometheus|jetstack|metallb|"
    r"tigera)|ghcr\.io/(?:flannel-io|fluxcd|cilium))/"
)
# Also own builds of these are what they are called.
_COMPONENT_IMAGE = re.compile(
    r"kube-(?:apiserver|controller-manager|scheduler|proxy)|etcd|coredns|pause|kindnetd?|flannel|local-path-provisioner"
)
# Names that every cluster has, and words the API itself uses as values.
_COMMON = """default kubernetes etcd coredns kube-dns kubelet kubectl kubeadm kube-apiserver kube-scheduler kube-proxy
    kube-controller-manager cloud-controller-manager kube-root-ca.crt kube-system kube-public kube-node-lease
    cluster-admin admin edit view standard true false linux windows amd64 arm64 node nodes pod pods service services
    secret secrets configmap configmaps http https tcp udp metrics health ready status ok cluster-info in-cluster
    system root localhost kind name key value type"""
COMMON_WORDS = frozenset(_COMMON.split())
# The projects' own host names and key prefixes are left whole, also beside a container called `app` or `registry`.
_PROJECTS = r"(?:[A-Za-z0-9-]+\.)*(?:kubernetes|k8s)\.io"


def is_public_domain(domain: str) -> bool:
    """Whether a domain is one of the projects' everyone runs, or below it."""
    return any(domain == public or domain.endswith("." + public) for public in PUBLIC_DOMAINS)


class Pseudonyms:
    """What replaces what. `name` and `value` decide; `text` carries it into sentences."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._in_text: dict[str, str] = {}
        self._images: dict[str, str] = {}
        self._kept: set[str] = {word for word in COMMON_WORDS if "-" in word}
        self._words: Mapping[str, str] = {}
        self._counts: dict[str, int] = {}
        self._pattern: re.Pattern[str] | None = None

    def name(self, original: str, sort: str) -> str:
        """The pseudonym of a name; from now on it replaces the name in texts too."""
        if not _is_own(original):
            return original
        new = self.value(original, sort)
        if original not in self._in_text:
            self._in_text[original] = new
            self._pattern = None
        return new

    def keep(self, original: str) -> None:
        """A name that stays whole, also where a part of it is somebody's own (`kube-proxy` beside a pod `proxy`)."""
        self._kept.add(original)
        self._pattern = None

    def value(self, original: str, sort: str = "value") -> str:
        """The pseudonym of a value that is replaced only where it stands alone (a label's, an annotation's)."""
        if not _is_own(original):
            return original
        if original not in self._given:
            self._counts[sort] = self._counts.get(sort, 0) + 1
            self._given[original] = f"{sort}-{self._counts[sort]}"
        return self._given[original]

    def image(self, original: str, *, of_the_system: bool = False) -> str:
        """An image reference: well-known ones as they are, the system's without their registry, others all new."""
        if _PUBLIC_IMAGES.match(original) or not original:
            return original
        if original not in self._images:
            repository = original.partition("@")[0]
            head, slash, last = repository.rpartition("/")
            path, colon, tag = last.partition(":")
            kept = of_the_system or _COMPONENT_IMAGE.fullmatch(path)
            project = head.rpartition("/")[2] + slash if of_the_system and "/" in head else ""
            new = project + path if kept else self.name(head + slash + path, "image")
            self._images[original] = f"registry.example/{new}{colon}{tag}"
            self._pattern = None
        return self._images[original]

    def knows(self, original: str) -> bool:
        """Whether the whole of a text is a name that has its pseudonym."""
        return original in self._in_text

    def key(self, original: str) -> str:
        """A label's or resource's key: the domain before its slash, when that is an own one."""
        domain, slash, rest = original.partition("/")
        if not slash or "." not in domain or is_public_domain(domain):
            return original
        return f"{self.name(domain, 'domain')}{slash}{rest}"

    def text(self, original: str) -> str:
        """A text with every known name replaced, longest first."""
        if self._pattern is None:
            kept = {word: word for word in self._kept}
            known = {**kept, **self._in_text, **self._images}
            words = sorted(known, key=lambda word: (-len(word), word))
            self._words = known
            joined = "|".join((_PROJECTS, *(re.escape(word) for word in words)))
            self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{joined})(?![A-Za-z0-9])")
        return self._pattern.sub(lambda match: self._words.get(match[0], match[0]), original)

    @property
    def given(self) -> Mapping[str, str]:
        return self._given


def _is_own(name: str) -> bool:
    return len(name) > 1 and name not in COMMON_WORDS and not name.isdecimal() and not name.startswith("system:")
