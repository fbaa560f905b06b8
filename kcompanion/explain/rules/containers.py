"""Containers that wait or ended: groups B (without image pulls) and C of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model.fields import text_at
from kcompanion.model.finding import Severity
from kcompanion.model.message import say
from kcompanion.model.world import World

BOOK = RuleBook("rule_container")


@BOOK.rule(
    "KC5044",
    numbers=(44,),
    severity=Severity.CRITICAL,
    rank=Rank.CRASH,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts",
)
def crash_loop(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The kubelet waits longer and longer before it starts a container again that keeps ending."""
    for container in pod.containers:
        if container.waiting == "CrashLoopBackOff":
            ended = container.ended
            yield Cause(
                {"container": container.name, "restarts": container.restarts, "exit": container.exit_code},
                evidence=(
                    seen(pod.ref, f"{container.path}.state.waiting.reason", container.waiting),
                    seen(
                        pod.ref,
                        f"{container.ended_path}.exitCode",
                        f"{container.exit_code} {text_at(ended, 'reason')}".strip(),
                        text_at(ended, "finishedAt"),
                    ),
                    seen(pod.ref, f"{container.path}.restartCount", container.restarts),
                ),
                steps=(
                    inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {container.name} --previous"),
                    change(text=say("rule_container.kc5044.do")),
                ),
            )
