"""The words of the book: phases, condition types and reasons; what they mean is in the catalogue `book`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Where a reason stands, and the rules that recognise it: those of numbers of the failure taxonomy, and others."""

    where: str  # waiting, terminated, pod, word, condition, event
    numbers: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()


# Phase: whether the study notes' wording of it needs a remark.
PHASES: Mapping[str, bool] = {
    "Pending": True,
    "Running": True,
    "Succeeded": False,
    "Failed": False,
    "Unknown": True,
}
# Type: the kinds that have it.
CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "PodScheduled": ("Pod",),
    "PodReadyToStartContainers": ("Pod",),
    "Initialized": ("Pod",),
    "ContainersReady": ("Pod",),
    "Ready": ("Pod", "Node"),
    "DisruptionTarget": ("Pod",),
    "PodResizePending": ("Pod",),
    "PodResizeInProgress": ("Pod",),
    "MemoryPressure": ("Node",),
    "DiskPressure": ("Node",),
    "PIDPressure": ("Node",),
    "NetworkUnavailable": ("Node",),
    "Available": ("Deployment",),
    "Progressing": ("Deployment",),
    "ReplicaFailure": ("Deployment",),
    "Complete": ("Job",),
    "Failed": ("Job",),
    "Suspended": ("Job",),
    "AbleToScale": ("HorizontalPodAutoscaler",),
    "ScalingActive": ("HorizontalPodAutoscaler",),
    "ScalingLimited": ("HorizontalPodAutoscaler",),
    "Resizing": ("PersistentVolumeClaim",),
    "FileSystemResizePending": ("PersistentVolumeClaim",),
    "NamespaceContentRemaining": ("Namespace",),
    "NamespaceFinalizersRemaining": ("Namespace",),
    "NamespaceDeletionDiscoveryFailure": ("Namespace",),
}
REASONS: Mapping[str, Reason] = {
    "ContainerCreating": Reason("waiting", (29,)),
    "PodInitializing": Reason("waiting", (30,)),
    "ErrImagePull": Reason("waiting", (31,)),
    "ImagePullBackOff": Reason("waiting", (32,)),
    "ErrImageNeverPull": Reason("waiting", (33,)),
    "InvalidImageName": Reason("waiting", (34,)),
    "ImageInspectError": Reason("waiting", (35,)),
    "RegistryUnavailable": Reason("waiting", (36,)),
    "CreateContainerConfigError": Reason("waiting", (41,)),
    "CreateContainerError": Reason("waiting", (42,)),
    "RunContainerError": Reason("waiting", (43,)),
    "CrashLoopBackOff": Reason("waiting", (44,)),
    "PostStartHookError": Reason("waiting", (45,)),
    "OOMKilled": Reason("terminated", (54,)),
    "Error": Reason("terminated", (55,)),
    "Completed": Reason("terminated", (28, 56)),
    "ContainerCannotRun": Reason("terminated", (57,)),
    "StartError": Reason("terminated", (58,)),
    "ContainerStatusUnknown": Reason("terminated", (60,)),
    "Evicted": Reason("pod", (105, 106, 107, 108, 109, 110)),
    "DeadlineExceeded": Reason("pod", (59, 159)),
    "NodeLost": Reason("pod", (115,)),
    "Terminated": Reason("pod", (120,)),
    "NodeAffinity": Reason("pod", (92,)),
    "OutOfcpu": Reason("pod", (87,)),
    "OutOfmemory": Reason("pod", (88,)),
    "OutOfpods": Reason("pod", (90,)),
    "UnexpectedAdmissionError": Reason("pod", (104,)),
    "Terminating": Reason("word", (27,)),
    "NotReady": Reason("word", (142,)),
    "Unschedulable": Reason("condition", tuple(range(61, 87))),
    "SchedulingGated": Reason("condition", (84,)),
    "ContainersNotReady": Reason("condition", (142,)),
    "ContainersNotInitialized": Reason("condition", (30,)),
    "FailedScheduling": Reason("event", tuple(range(61, 87))),
    "Preempted": Reason("event", (24,)),
    "FailedMount": Reason("event", (124, 131)),
    "FailedAttachVolume": Reason("event", (125, 133)),
    "ProvisioningFailed": Reason("event", (127,)),
    "WaitForFirstConsumer": Reason("event", (127,)),
    "FailedCreatePodSandBox": Reason("event", (134,)),
    "BackOff": Reason("event", (32, 44)),
    "Unhealthy": Reason("event", (142,)),
    "Killing": Reason("event", (144,)),
    "FailedPreStopHook": Reason("event", (146,)),
    "FailedCreate": Reason("event", tuple(range(148, 158)), ("KC5256",)),
    "TaintManagerEviction": Reason("event", (111,)),
    "NodeNotReady": Reason("event", (114, 115)),
    "FailedGetResourceMetric": Reason("event", (162,)),
}
