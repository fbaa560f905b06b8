"""Containers that ended, with their exit codes: group C of the taxonomy, and the restarts that follow."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain import ends
from kcompanion.explain.evidence import change, inspect, low_risk, seen
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, maps_at, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook(
    "rule_exit",
    {
        59: "no kubelet writes DeadlineExceeded as the reason of a container; it is the pod's (14)",
    },
)
RESTARTS = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts"
# What to do, by what the exit code says: the last word of the text's id.
ADVICE: dict[int, str] = {
    126: "command",
    127: "command",
    132: "processor",
    133: "bug",
    134: "bug",
    135: "mapping",
    136: "bug",
    139: "bug",
    141: "pipe",
    159: "seccomp",
}


@BOOK.rule("KC5044", numbers=(44,), severity=Severity.CRITICAL, rank=Rank.CRASH, read=RESTARTS)
def crash_loop(pod: Pod, world: World) -> Iterator[Cause]:
    """A program that keeps ending with an error, at whichever point of the circle it is just now."""
    for container in ends.lasting(pod):
        variant = ends.crashing(pod, container, world)
        if not variant or _has_own_rule(container) or ends.killed_by_kubelet(pod, container, world):
            continue
        last = ends.last_line(pod, container, world)
        if ends.wrong_format(last):
            continue  # KC5220
        yield Cause(
            {
                "what": ends.named(container),
                "restarts": container.restarts,
                "age": ends.age_of(text_at(pod.raw, "status", "startTime"), world),
                **ends.code_text(container),
            },
            evidence=(*ends.proof(pod, container), *last),
            steps=(inspect(ends.logs(pod, container)), _advice(container)),
            variant=variant,
            severity=Severity.WARNING if variant in ("cause_again", "cause_first") else None,
        )


def _has_own_rule(container: Container) -> bool:
    """Whether another rule tells why it ended."""
    reason = text_at(container.ended, "reason")
    return ends.never_ran(container) or reason in (ends.OOM, *ends.UNKNOWN) or container.exit_code == ends.KILLED


def _advice(container: Container) -> Step:
    word = ADVICE.get(container.exit_code or 0, "program")
    return change(text=say(f"rule_exit.kc5044.do_{word}"))


# ---------------------------------------------------------------------- ended for good, or without an error


@BOOK.rule("KC5055", numbers=(55,), severity=Severity.CRITICAL, rank=Rank.SYMPTOM, read=RESTARTS)
def ended_for_good(pod: Pod, world: World) -> Iterator[Cause]:
    """A container ended with an error and stays so, by its restart policy.

    Of a Job that failed, what the Job itself says (KC5159) comes first, hence the rank.
    """
    if pod.reason:
        return
    for container in ends.lasting(pod):
        code = container.exit_code
        if container.state != "terminated" or not code or ends.restarted(pod, container, code):
            continue
        if ends.never_ran(container) or text_at(container.ended, "reason") in (ends.OOM, *ends.UNKNOWN):
            continue
        if container.sort is Sort.SIDECAR and pod.phase in ("Succeeded", "Failed"):
            continue  # it was ended with the pod
        made_good = _made_good(pod, world)
        ruled = bool(container.spec.get("restartPolicyRules"))
        yield Cause(
            {
                "what": ends.named(container),
                "policy": ends.policy(pod, container),
                "age": ends.age_of(container.ended.get("finishedAt"), world),
                **ends.code_text(container),
            },
            evidence=(
                *ends.proof(pod, container),
                seen(pod.ref, "spec.restartPolicy", pod.restart_policy),
                *made_good,
                *ends.last_line(pod, container, world),
            ),
            steps=(inspect(ends.logs(pod, container)), _advice(container)),
            variant="cause_rules" if ruled else "cause",
            severity=Severity.INFO if made_good else Severity.WARNING if _job_of(pod) else None,
        )


def _job_of(pod: Pod) -> str:
    """The name of the Job that owns the pod and makes another one in its place; empty when none does."""
    owners = maps_at(pod.raw, "metadata", "ownerReferences")
    return next((text_at(o, "name") for o in owners if o.get("controller") is True and o.get("kind") == "Job"), "")


def _made_good(pod: Pod, world: World) -> tuple[Evidence, ...]:
    """That the Job which owns the pod has succeeded with another one."""
    name = _job_of(pod)
    try:
        job = world.get(r.JOBS, name, pod.namespace) if name else None
    except NotKnown:
        return ()
    done = condition(job, "Complete")
    if done.get("status") != "True":
        return ()
    return (
        seen(
            Ref("Job", name, pod.namespace), "status.conditions[Complete]", "True", text_at(done, "lastTransitionTime")
        ),
    )


@BOOK.rule("KC5056", numbers=(56,), severity=Severity.WARNING, rank=Rank.CRASH, read=RESTARTS)
def ends_without_error(pod: Pod, world: World) -> Iterator[Cause]:
    """A program that is done, started again and again because the pod is made for programs that go on."""
    for container in ends.lasting(pod):
        if container.exit_code != 0 or not ends.between(pod, container) or _is_worker(container):
            continue
        if ends.killed_by_kubelet(pod, container, world):
            continue
        yield Cause(
            {"what": ends.named(container), "restarts": container.restarts},
            evidence=(*ends.proof(pod, container), seen(pod.ref, "spec.restartPolicy", pod.restart_policy)),
            steps=(
                inspect(ends.logs(pod, container)),
                change(text=say("rule_exit.kc5056.do")),
            ),
            variant="cause" if container.restarts else "cause_first",
            severity=Severity.CRITICAL if container.restarts >= ends.MANY else None,
        )


def _is_worker(container: Container) -> bool:
    """Whether KC5028 tells it: a container proper, restarted by the pod's policy."""
    return container.sort is Sort.APP and not text_at(container.spec, "restartPolicy") and container.restarts > 0


@BOOK.rule(
    "KC5060",
    numbers=(60,),
    severity=Severity.WARNING,
    rank=Rank.CRASH,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-state-terminated",
)
def end_not_seen(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The kubelet lost a container and made up its end: 137 without any signal."""
    for container in ends.lasting(pod):
        if text_at(container.ended, "reason") not in ends.UNKNOWN:
            continue
        again = container.running
        yield Cause(
            {"what": ends.named(container), "node": pod.node, "exit": container.exit_code},
            evidence=(
                *ends.proof(pod, container),
                *((seen(pod.ref, "status.reason", pod.reason),) if pod.reason else ()),
            ),
            steps=(
                inspect(f"kubectl get events -n default --field-selector involvedObject.name={pod.node}"),
                low_risk(text=say("rule_exit.kc5060.do")),
            ),
            variant="cause_again" if again else "cause_evicted" if pod.reason == "Evicted" else "cause",
            severity=Severity.INFO if again or pod.reason else None,
        )


@BOOK.rule("KC5221", severity=Severity.INFO, rank=Rank.ADVICE, read=RESTARTS, every=True)
def was_restarted(pod: Pod, world: World) -> Iterator[Cause]:
    """A container runs that has ended before: no fault now, but worth knowing."""
    for container in ends.lasting(pod):
        if not container.running or not container.restarts or container.exit_code is None:
            continue
        if ends.crashing(pod, container, world) or text_at(container.last, "reason") in (ends.OOM, *ends.UNKNOWN):
            continue
        if ends.killed_by_kubelet(pod, container, world):
            continue
        age = ends.age_of(container.last.get("finishedAt"), world)
        yield Cause(
            {"what": ends.named(container), "restarts": container.restarts, "age": age, **ends.code_text(container)},
            evidence=ends.proof(pod, container),
            steps=(inspect(ends.logs(pod, container)),),
            variant="cause" if age else "cause_undated",
        )
