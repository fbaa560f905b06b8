"""The scheduler's messages of several versions, taken apart."""

import pytest

from kcompanion.scheduling.messages import number_of, parse

OF_136 = (
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, "
    "preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found "
    "for incoming pod."
)


def test_counts_and_tail() -> None:
    told = parse(OF_136)
    assert told.nodes == 3
    assert [(reason.count, reason.number) for reason in told.reasons] == [(1, 62), (2, 61)]
    assert told.preemption.startswith("0/3 nodes are available: 1 Preemption is not helpful")


def test_what_holds_for_the_pod_has_no_count() -> None:
    told = parse(
        '0/3 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/3 nodes are available.'
    )
    assert [(reason.count, reason.number) for reason in told.reasons] == [(0, 79)]


def test_taints_with_commas_and_colons_stay_whole() -> None:
    told = parse("0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: gpu}, 1 Too many pods.")
    assert [reason.text for reason in told.reasons] == [
        "node(s) had untolerated taint {dedicated: gpu}",
        "Too many pods",
    ]


def test_no_nodes() -> None:
    assert [reason.number for reason in parse("no nodes available to schedule pods").reasons] == [86]
    assert parse("0/0 nodes are available: .").reasons[0].number == 86


@pytest.mark.parametrize("message", ["", "something else", "0/3 nodes are available:", "preemption: not eligible"])
def test_odd_messages_do_no_harm(message: str) -> None:
    assert all(reason.number == 0 for reason in parse(message).reasons)


@pytest.mark.parametrize(
    ("reason", "number"),
    [
        ("Insufficient memory", 61),
        ("Insufficient example.com/gpu", 61),
        ("Too many pods", 61),
        ("node(s) had taints that the pod didn't tolerate", 62),
        ("node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate", 62),
        ("node(s) had untolerated taint {dedicated: gpu}", 62),
        ("node(s) had untolerated taint(s)", 62),
        ("node(s) didn't match Pod's node affinity/selector", 63),
        ("node(s) didn't match node selector", 63),
        ("node(s) didn't satisfy plugin(s) [NodeAffinity] simultaneously", 63),
        ("node(s) didn't satisfy plugin NodeAffinity", 63),
        ("node(s) didn't match scheduler-enforced node affinity", 64),
        ("node(s) didn't match the requested hostname", 65),
        ("node(s) didn't match the requested node name", 65),
        ("node(s) didn't have free ports for the requested pod ports", 66),
        ("node(s) were unschedulable", 67),
        ("node(s) had unknown conditions", 68),
        ("node(s) didn't match pod affinity rules", 69),
        ("node(s) didn't match pod affinity/anti-affinity rules", 69),
        ("node(s) didn't match pod anti-affinity rules", 70),
        ("node(s) didn't satisfy existing pods anti-affinity rules", 71),
        ("node(s) didn't match pod topology spread constraints", 72),
        ("node(s) didn't match pod topology spread constraints (missing required label)", 72),
        ("node(s) exceed max volume count", 73),
        ("node(s) had volume node affinity conflict", 74),
        ("node(s) didn't match PersistentVolume's node affinity", 74),
        ("node(s) didn't find available persistent volumes to bind", 75),
        ("node(s) did not have enough free storage", 76),
        ("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)", 77),
        ('persistentvolumeclaim "data" bound to non-existent persistentvolume "pv-1"', 77),
        ("pod has unbound immediate PersistentVolumeClaims", 78),
        ('persistentvolumeclaim "data" not found', 79),
        ('persistentvolumeclaim "data" is being deleted', 79),
        ('waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"', 79),
        ("node(s) had no available volume zone", 80),
        ("node(s) had no available disk", 81),
        ("node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use", 81),
        ("cannot allocate all claims", 82),
        ('resourceclaim.resource.k8s.io "gpu" not found', 82),
        ("resourceclaim in use", 82),
        ("request gpu: device class gpu does not exist", 82),
        ("node(s) didn't match Pod's required features", 83),
        ("waiting for scheduling gates: [example.com/wait]", 84),
        ('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded', 85),
        ('running "VolumeBinding" prebind plugin: binding volumes: timed out', 85),
    ],
)
def test_numbers(reason: str, number: int) -> None:
    assert number_of(reason) == number
