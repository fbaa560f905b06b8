"""Portraits: what an object is, beside what is wrong with it; one module for each family of kinds.

A portrait is a tuple of parts. Each part is drawn by itself, so that one thing that may not be read does not blank the
rest; what could not be seen is named at the end.
"""

from __future__ import annotations

from collections.abc import Mapping

from kcompanion.model.message import say
from kcompanion.report.document import Lines, Section
from kcompanion.report.portraits import (
    accounts,
    controllers,
    deployments,
    jobs,
    namespaces,
    nodes,
    other,
    pods,
    scaling,
    services,
    settings,
    storage,
)
from kcompanion.report.portraits.sight import Part, Sight

PORTRAITS: Mapping[str, tuple[Part, ...]] = {
    "Pod": pods.POD,
    "Deployment": deployments.DEPLOYMENT,
    "ReplicaSet": controllers.REPLICASET,
    "CompanionReplicaSet": controllers.REPLICASET,
    "ReplicationController": controllers.REPLICASET,
    "StatefulSet": controllers.STATEFULSET,
    "DaemonSet": controllers.DAEMONSET,
    "Job": jobs.JOB,
    "CronJob": jobs.CRONJOB,
    "Node": nodes.NODE,
    "Service": services.SERVICE,
    "Ingress": services.INGRESS,
    "PersistentVolumeClaim": storage.CLAIM,
    "PersistentVolume": storage.VOLUME,
    "ConfigMap": settings.SETTINGS,
    "Secret": settings.SETTINGS,
    "ServiceAccount": accounts.ACCOUNT,
    "Namespace": namespaces.NAMESPACE,
    "HorizontalPodAutoscaler": scaling.HPA,
    "PodDisruptionBudget": other.PDB,
}


def portrait(sight: Sight) -> list[Section]:
    """The sections that show an object, and at the end what could not be shown and which right that needs."""
    made = [section for part in PORTRAITS.get(sight.ref.kind, other.ANY) for section in sight.attempt(part)]
    if sight.missing:
        lines = [
            say(
                "portrait.not_visible",
                verb=gap.verb,
                resource=gap.resource,
                reason=say(f"common.outcome.{gap.outcome.value}"),
            )
            for gap in sorted(sight.missing.values(), key=lambda gap: gap.what)
        ]
        made.append(Section(say("portrait.section.not_visible"), [Lines(lines)]))
    return made
