"""Why pulls fail, in the words of several runtimes and registries."""

from __future__ import annotations

import pytest

from kcompanion.explain.pulls import Pull, gist, sort_of


@pytest.mark.parametrize(
    ("answer", "sort"),
    [
        # containerd
        ("localhost:5001/missing/web:1: not found", "missing"),
        ("pull access denied, repository does not exist or may require authorization: server message", "credentials"),
        (
            "unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 403 Forbidden denied",
            "credentials",
        ),
        ("unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 401 Unauthorized", "credentials"),
        ("unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 429 Too Many Requests", "rate"),
        ("unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 503 Service Unavailable", ""),
        ("no match for platform in manifest: not found", "platform"),
        ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid", "tls"),
        ("http: server gave HTTP response to HTTPS client", "tls"),
        ("net/http: TLS handshake timeout", "unreachable"),
        ("dial tcp: lookup r.example on 10.0.0.1:53: no such host", "name"),
        ("dial tcp 192.0.2.1:443: i/o timeout", "unreachable"),
        ("dial tcp 192.0.2.1:443: connect: connection refused", "unreachable"),
        ("write /var/lib/containerd/x: no space left on device: unknown", "space"),
        # Docker Hub
        ("toomanyrequests: You have reached your unauthenticated pull rate limit.", "rate"),
        # Docker and cri-dockerd
        ("Error response from daemon: manifest for shop/web:9 not found: manifest unknown", "missing"),
        ('Error response from daemon: Get "https://r.example/v2/": no basic auth credentials', "credentials"),
        ("no matching manifest for linux/amd64 in the manifest list entries", "platform"),
        # CRI-O
        ("reading manifest 9 in docker.io/shop/web: manifest unknown", "missing"),
        ("reading manifest 1 in r.example/shop/web: unauthorized: access to the requested resource", "credentials"),
        ('no image found in image index for architecture "arm64"', "platform"),
        ("SignatureValidationFailed: Source image rejected", "signature"),
        # the kubelet
        ("pull QPS exceeded", "qps"),
        ("", ""),
        ("something nobody has seen", ""),
    ],
)
def test_answers_are_told_apart(answer: str, sort: str) -> None:
    assert sort_of(answer) == sort


def test_the_gist_is_what_the_registry_said() -> None:
    message = (
        'Back-off pulling image "r.example/a:1": ErrImagePull: rpc error: code = NotFound desc = failed to pull and '
        'unpack image "r.example/a:1": failed to resolve reference "r.example/a:1": r.example/a:1: not found'
    )
    assert gist(message) == "r.example/a:1: not found"
    assert gist('Back-off pulling image "r.example/a:1"') == ""


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nginx", "docker.io"),
        ("shop/web:1", "docker.io"),
        ("localhost/web", "localhost"),
        ("localhost:5001/web:1", "localhost:5001"),
        ("registry.example.com/shop/web@sha256:0a", "registry.example.com"),
        ("node-1:5443/web", "node-1:5443"),
    ],
)
def test_registry_of_an_image(image: str, registry: str) -> None:
    assert Pull(image, "", "").registry == registry
