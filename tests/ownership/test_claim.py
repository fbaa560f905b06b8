"""Claims against the table of upstream's controller ref manager."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompanion.ownership.claim import Controller, claim
from kcompanion.reconcile.claims import Claim
from tests.ownership.build import RESOURCES, controller, pod, reference, thing

FITS, MISFITS = {"app": "web"}, {"app": "other"}
DELETED = {"deletionTimestamp": "2026-11-21T11:59:00Z"}


def one(kind: str = "ReplicaSet", name: str = "web", **more: Any) -> Controller:
    return Controller(RESOURCES[kind], controller(kind, name, FITS, **more))


@pytest.mark.parametrize(
    ("labels", "owned", "wanted"),
    [
        (FITS, True, Claim.KEEPS),
        (MISFITS, True, Claim.RELEASES),
        (FITS, False, Claim.ADOPTS),
        (MISFITS, False, Claim.NOTHING),
    ],
)
def test_the_four_cases(labels: dict[str, str], owned: bool, wanted: Claim) -> None:
    me = one()
    assert claim(me, pod("p", dict(me.item) if owned else None, labels=labels)) is wanted


def test_what_another_controls_is_never_touched() -> None:
    other = controller("ReplicaSet", "other", MISFITS)
    for labels in (FITS, MISFITS):
        assert claim(one(), pod("p", other, labels=labels)) is Claim.NOTHING


def test_an_owner_that_is_no_controller_does_not_keep_from_adopting() -> None:
    item = pod("p", labels=FITS)
    item["metadata"]["ownerReferences"] = [reference(controller("Deployment", "x", FITS), controller=False)]
    assert claim(one(), item) is Claim.ADOPTS


def test_a_controller_being_deleted_neither_adopts_nor_releases() -> None:
    me = one(metadata=DELETED)
    assert claim(me, pod("p", labels=FITS)) is Claim.NOTHING
    assert claim(me, pod("p", dict(me.item), labels=MISFITS)) is Claim.NOTHING
    assert claim(me, pod("p", dict(me.item), labels=FITS)) is Claim.KEEPS


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_those_that_count_leave_finished_pods_out(kind: str, phase: str) -> None:
    me = one(kind)
    if kind == "ReplicationController":
        me = Controller(me.resource, {**me.item, "spec": {**me.item["spec"], "selector": FITS}})
    assert claim(me, pod("p", labels=FITS)) is Claim.ADOPTS
    assert claim(me, pod("p", phase=phase, labels=FITS)) is Claim.NOTHING
    assert claim(me, pod("p", dict(me.item), phase=phase, labels=MISFITS)) is Claim.NOTHING


def test_a_daemonset_adopts_a_finished_pod_but_none_being_deleted() -> None:
    assert claim(one("DaemonSet"), pod("p", phase="Failed", labels=FITS)) is Claim.ADOPTS
    assert claim(one("DaemonSet"), pod("p", labels=FITS, metadata=DELETED)) is Claim.NOTHING


@pytest.mark.parametrize(
    ("name", "wanted"), [("web-0", Claim.ADOPTS), ("web-x", Claim.NOTHING), ("web-db-0", Claim.NOTHING)]
)
def test_a_statefulset_looks_at_the_name_too(name: str, wanted: Claim) -> None:
    assert claim(one("StatefulSet"), pod(name, labels=FITS)) is wanted


def test_a_statefulset_releases_what_has_not_its_name() -> None:
    me = one("StatefulSet")
    assert claim(me, pod("other-0", dict(me.item), labels=FITS)) is Claim.RELEASES


def test_a_finished_job_claims_nothing() -> None:
    item = controller("Job", "web", FITS)
    done = {**item, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert claim(Controller(RESOURCES["Job"], item), pod("p", labels=FITS)) is Claim.ADOPTS
    assert claim(Controller(RESOURCES["Job"], done), pod("p", labels=FITS)) is Claim.NOTHING
    elsewhere = {**item, "spec": {**item["spec"], "managedBy": "kueue.x-k8s.io/multikueue"}}
    assert claim(Controller(RESOURCES["Job"], elsewhere), pod("p", labels=FITS)) is Claim.NOTHING


def test_other_namespaces_are_no_business() -> None:
    item = thing("Pod", "p", namespace="other", labels=FITS)
    assert claim(one(), item) is Claim.NOTHING


def test_a_selector_of_everything_claims_nothing() -> None:
    item = controller("ReplicaSet", "web", {})
    assert claim(Controller(RESOURCES["ReplicaSet"], item), pod("p", labels=FITS)) is Claim.NOTHING


@given(
    fits=st.booleans(),
    mine=st.sampled_from(["mine", "other", "none"]),
    controller_deleting=st.booleans(),
    pod_deleting=st.booleans(),
)
def test_as_claim_object_decides(fits: bool, mine: str, controller_deleting: bool, pod_deleting: bool) -> None:
    """ClaimObject written down line by line, for a controller that leaves nothing out beforehand."""
    me = one("DaemonSet", metadata=DELETED if controller_deleting else {})
    owner = {"mine": dict(me.item), "other": controller("DaemonSet", "other", MISFITS), "none": None}[mine]
    item = pod("p", owner, labels=FITS if fits else MISFITS, metadata=DELETED if pod_deleting else {})
    if mine == "other":
        wanted = Claim.NOTHING
    elif mine == "mine":
        wanted = Claim.KEEPS if fits else (Claim.NOTHING if controller_deleting else Claim.RELEASES)
    else:
        wanted = Claim.ADOPTS if fits and not controller_deleting and not pod_deleting else Claim.NOTHING
    assert claim(me, item) is wanted


def test_at_most_one_claim_keeps() -> None:
    first, second = one(name="a"), one(name="b")
    for owner, labels in itertools.product((first, second), (FITS, MISFITS)):
        item = pod("p", dict(owner.item), labels=labels)
        assert [claim(me, item) for me in (first, second)].count(Claim.KEEPS) <= 1
