"""Which demos are exercises, under which name, how hard, and what they need; and why the others that could are not.

A name tells the field, never the cause. Sentences are in the catalogue `practice`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kcompanion.model.message import Message, say
from kcompanion.practice.faults import Fault, fault

STORAGE_CLASS = "storage_class"
SIDECARS = "sidecars"


@dataclass(frozen=True)
class Exercise:
    """`alone` keeps a pod as it is; any other pod is put under a Deployment, so that it can be mended in place."""

    id: str
    demo: str
    level: int  # 1 easy, 3 hard
    minutes: int
    needs: tuple[str, ...] = ()
    alone: bool = False

    @property
    def topic(self) -> str:
        return self.id.rpartition("-")[0]

    @property
    def fault(self) -> Fault:
        return fault(self.demo)

    @property
    def code(self) -> str:
        return self.demo.partition("-")[0]

    @property
    def title(self) -> Message:
        return say(f"practice.title.{self.id.replace('-', '_')}")


EXERCISES: tuple[Exercise, ...] = (
    Exercise("start-1", "KC5044", 1, 5),
    Exercise("start-2", "KC5043", 1, 5),
    Exercise("start-3", "KC5054", 1, 5),
    Exercise("start-4", "KC5044-init", 2, 10),
    Exercise("start-5", "KC5041-root", 2, 10),
    Exercise("start-6", "KC5043-directory", 2, 10),
    Exercise("start-7", "KC5043-denied", 2, 10),
    Exercise("start-8", "KC5145", 2, 10),
    Exercise("start-9", "KC5007", 2, 10),
    Exercise("start-10", "KC5054-sidecar", 3, 10, (SIDECARS,)),
    Exercise("start-11", "KC5056", 3, 10, (SIDECARS,)),
    Exercise("start-12", "KC5043-mount", 3, 15),
    Exercise("start-13", "KC5042", 3, 15),
    Exercise("config-1", "KC5041", 1, 5),
    Exercise("config-2", "KC5041-secret", 1, 5),
    Exercise("config-3", "KC5041-key", 1, 5),
    Exercise("config-4", "KC5131", 1, 5),
    Exercise("config-5", "KC5131-secret", 2, 10),
    Exercise("config-6", "KC5131-key", 2, 10),
    Exercise("config-7", "KC5131-projected", 2, 10),
    Exercise("config-8", "KC5041-subpath", 3, 15),
    Exercise("image-1", "KC5213", 1, 5),
    Exercise("image-2", "KC5034", 1, 5),
    Exercise("image-3", "KC5033", 2, 10),
    Exercise("image-4", "KC5036", 2, 10),
    Exercise("placing-1", "KC5063", 1, 5),
    Exercise("placing-2", "KC5061", 1, 5),
    Exercise("placing-3", "KC5061-memory", 1, 5),
    Exercise("placing-4", "KC5061-device", 2, 10),
    Exercise("placing-5", "KC5063-affinity", 2, 10),
    Exercise("placing-6", "KC5069", 2, 10),
    Exercise("placing-7", "KC5004", 2, 10),
    Exercise("placing-8", "KC5161-nowhere", 2, 10),
    Exercise("placing-9", "KC5072-label", 3, 15),
    Exercise("placing-10", "KC5002", 3, 15),
    Exercise("probe-1", "KC5142-port", 1, 5),
    Exercise("probe-2", "KC5142-missing", 1, 5),
    Exercise("probe-3", "KC5142-noport", 2, 10),
    Exercise("probe-4", "KC5142-refused", 2, 10),
    Exercise("probe-5", "KC5142-tls", 2, 10),
    Exercise("probe-6", "KC5142-noprogram", 2, 10),
    Exercise("probe-7", "KC5142-command", 2, 10),
    Exercise("probe-8", "KC5201", 2, 10),
    Exercise("probe-9", "KC5142-hanging", 3, 15),
    Exercise("probe-10", "KC5142-grpc", 3, 15),
    Exercise("probe-11", "KC5201-sidecar", 3, 15, (SIDECARS,)),
    Exercise("probe-12", "KC5009", 3, 15),
    Exercise("storage-1", "KC5079", 1, 5, (STORAGE_CLASS,)),
    Exercise("storage-2", "KC5127", 2, 10, (STORAGE_CLASS,)),
    Exercise("storage-3", "KC5124", 2, 10),
    Exercise("storage-4", "KC5133-inline", 3, 15),
    Exercise("policy-1", "KC5148", 1, 5),
    Exercise("policy-2", "KC5154", 1, 5),
    Exercise("policy-3", "KC5149", 2, 10),
    Exercise("policy-4", "KC5150", 2, 10),
    Exercise("policy-5", "KC5150-min", 2, 10),
    Exercise("policy-6", "KC5155", 2, 10),
    Exercise("policy-7", "KC5155-statefulset", 2, 10),
    Exercise("policy-8", "KC5157", 2, 10),
    Exercise("policy-9", "KC5266", 2, 10),
    Exercise("policy-10", "KC5150-ratio", 3, 15),
    Exercise("policy-11", "KC5256", 3, 15),
    Exercise("policy-12", "KC5153", 3, 15),
    Exercise("policy-13", "KC5158-replicaset", 3, 15),
    Exercise("policy-14", "KC5103", 3, 15, alone=True),
    Exercise("service-1", "KC5169", 1, 5),
    Exercise("service-2", "KC5169-label", 1, 5),
    Exercise("service-3", "KC5171", 1, 5),
    Exercise("service-4", "KC5170", 2, 10),
    Exercise("service-5", "KC5171-number", 2, 10),
    Exercise("service-6", "KC5173", 2, 10),
    Exercise("service-7", "KC5173-clusterip", 3, 15),
    Exercise("job-1", "KC5159", 1, 5),
    Exercise("job-2", "KC5159-deadline", 1, 5),
    Exercise("job-3", "KC5268", 1, 5),
    Exercise("job-4", "KC5014", 2, 10),
    Exercise("job-5", "KC5267", 2, 10),
)
BY_ID: Mapping[str, Exercise] = {one.id: one for one in EXERCISES}
TOPICS: tuple[str, ...] = tuple(dict.fromkeys(one.topic for one in EXERCISES))

# Demos without an obstacle that are no exercises all the same.
SAME = "what it teaches is taught by another exercise"
ELSEWHERE = "whether it shows depends on what else the cluster runs, or on its hosts or version"
GOALLESS = "nothing the API shows tells that it was mended, or the object goes away by itself"
NO_EXERCISES: Mapping[str, str] = {
    "KC5005": GOALLESS,
    "KC5023": ELSEWHERE,
    "KC5028": GOALLESS,
    "KC5044-command": SAME,
    "KC5044-deployment": SAME,
    "KC5044-late": SAME,
    "KC5054-init": GOALLESS,
    "KC5054-pod": ELSEWHERE,
    "KC5055": SAME,
    "KC5055-rules": ELSEWHERE,
    "KC5062": ELSEWHERE,
    "KC5082": ELSEWHERE,
    "KC5102": ELSEWHERE,
    "KC5108": SAME,
    "KC5108-pod": SAME,
    "KC5110": SAME,
    "KC5124-nfs": ELSEWHERE,
    "KC5134": ELSEWHERE,
    "KC5143": ELSEWHERE,
    "KC5148-memory": SAME,
    "KC5158": SAME,
    "KC5159-indexes": SAME,
    "KC5159-max-indexes": SAME,
    "KC5159-policy": SAME,
    "KC5160": SAME,
    "KC5162": ELSEWHERE,
    "KC5162-selector": ELSEWHERE,
    "KC5162-target": ELSEWHERE,
    "KC5166": GOALLESS,
    "KC5168": GOALLESS,
    "KC5172": ELSEWHERE,
    "KC5172-inside": ELSEWHERE,
    "KC5175": ELSEWHERE,
    "KC5203": GOALLESS,
    "KC5222": SAME,
    "KC5241": GOALLESS,
    "KC5261": ELSEWHERE,
    "KC5261-none": ELSEWHERE,
    "KC5266-now": SAME,
    "KC5267-held": SAME,
    "KC5272": ELSEWHERE,
}
