"""Which words of the glossary a report uses: those of the parts and kinds of objects that it shows."""

from __future__ import annotations

from kcompanion.report.glossary import TERMS
from kcompanion.report.whole.gathered import Gathered
from kcompanion.report.whole.maps import kinds_of

ALWAYS = ("pod", "namespace", "owner_reference", "controller", "desired_state", "label", "selector")
_INFRASTRUCTURE = (
    "cluster", "node", "control_plane", "worker", "container_runtime", "cri", "cni", "add_on", "static_pod",
    "mirror_pod", "lease", "leader_election", "quorum", "high_availability", "taint", "watch", "service",
    "endpointslice", "claim", "storage_class",
)  # fmt: skip
_BY_KIND = {
    "Deployment": ("deployment", "replicaset", "rolling_update"),
    "ReplicaSet": ("replicaset",),
    "StatefulSet": ("statefulset",),
    "DaemonSet": ("daemonset",),
    "Job": ("batch_job",),
    "CronJob": ("cron_job", "batch_job"),
}


def terms(found: Gathered) -> tuple[str, ...]:
    """The keys of the terms, in the glossary's order."""
    used = {*ALWAYS, *(_INFRASTRUCTURE if found.below else ())}
    for kind in kinds_of(found.grown):
        used.update(_BY_KIND.get(kind, ()))
    return tuple(key for key in TERMS if key in used)
