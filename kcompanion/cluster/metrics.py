"""The few lines of an API server's /metrics that kcompanion reads; the page itself is megabytes."""

from __future__ import annotations

PATH = "/metrics"
# name: why it is kept
KEPT = {
    "apiserver_storage_size_bytes": "the size of etcd's database, without going into the etcd pod",
    "kubernetes_feature_enabled": "feature gates and their stage",
}


def kept_lines(page: str) -> str:
    """The lines of KEPT, sorted, so that two readings of an idle cluster are alike."""
    names = tuple(KEPT)
    return "\n".join(sorted(line for line in page.splitlines() if line.startswith(names)))
