"""Which of an object's children may speak for it: those it still wants, not what is left of earlier times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kcompanion.model.fields import annotations_of, condition, dig, map_at, name_of, text_at
from kcompanion.model.snapshot import Object

_REVISION = "deployment.kubernetes.io/revision"  # k8s.io/kubernetes/pkg/controller/deployment/util


def speaking(owner: Object, kind: str, children: Sequence[Object]) -> Sequence[Object]:
    """The children whose causes are the owner's too."""
    choose = _CHOICES.get(kind)
    return choose(owner, children) if choose else children


def revision(replicaset: Object) -> int:
    """The revision a Deployment wrote onto its ReplicaSet; 0 when there is none."""
    told = annotations_of(replicaset).get(_REVISION)
    return int(told) if isinstance(told, str) and told.isdigit() else 0


def finished(job: Object) -> str:
    """`Complete`, `Failed`, or empty while a Job is not done."""
    return next((word for word in ("Complete", "Failed") if condition(job, word).get("status") == "True"), "")


def _of_deployment(owner: Object, children: Sequence[Object]) -> Sequence[Object]:
    """ReplicaSets that still want pods; of a Deployment that wants none, none."""
    if dig(owner, "spec", "replicas") == 0:
        return ()
    newest = max(map(revision, children), default=0)
    return [one for one in children if dig(one, "spec", "replicas") != 0 or (newest and revision(one) == newest)]


def _of_job(owner: Object, children: Sequence[Object]) -> Sequence[Object]:
    """A Job that succeeded has got over its failed pods."""
    return () if finished(owner) == "Complete" or dig(owner, "spec", "suspend") is True else children


def _of_cronjob(owner: Object, children: Sequence[Object]) -> Sequence[Object]:
    """The jobs that run now, and the one started last: what failed before it was made good by it."""
    running = {text_at(one, "uid") for one in dig(owner, "status", "active") or () if isinstance(one, Mapping)}
    latest = max(children, key=lambda one: (text_at(one, "metadata", "creationTimestamp"), name_of(one)), default=None)
    return [one for one in children if one is latest or map_at(one, "metadata").get("uid") in running]


_CHOICES: Mapping[str, Callable[[Object, Sequence[Object]], Sequence[Object]]] = {
    "Deployment": _of_deployment,
    "Job": _of_job,
    "CronJob": _of_cronjob,
}
