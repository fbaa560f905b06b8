"""Whatever a cluster answers, nodes, addons and whoami have something to say and no traceback."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompanion.access import identity
from kcompanion.cluster import recording
from kcompanion.cluster.recording import RecordedSource
from kcompanion.controlplane import addonfindings, addons, nodefindings, nodes
from kcompanion.controlplane.asks import SYSTEM_SLICES
from kcompanion.controlplane.cgroups import cgroup_driver
from kcompanion.controlplane.grace import grace_period
from kcompanion.controlplane.network import network
from kcompanion.controlplane.systempods import system_pods
from kcompanion.model.snapshot import Snapshot
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report import addons as addons_report
from kcompanion.report import node_detail
from kcompanion.report import nodes as nodes_report
from kcompanion.report import whoami as whoami_report
from kcompanion.report.document import Document
from tests.controlplane.build import RECORDINGS
from tests.controlplane.test_inspect import damaged

NAMES = sorted(file.stem for file in RECORDINGS.glob("*.kcr"))
few = settings(max_examples=15, deadline=None)


@cache
def held(name: str) -> Snapshot:
    kept = recording.load(RECORDINGS / f"{name}.kcr")
    answers = RecordedSource(kept).read([*nodes.ASKS, *addons.ASKS, *identity.ASKS])
    return Snapshot(kept.now, kept.origin, answers)


@pytest.mark.parametrize("name", NAMES)
@few
@given(random=st.randoms(use_true_random=False), count=st.integers(1, 60))
def test_nodes(name: str, random: Random, count: int) -> None:
    snapshot = damaged(held(name), random, count)
    found, grace, net, rows = nodes.nodes(snapshot), grace_period(snapshot), network(snapshot), system_pods(snapshot)
    told = nodefindings.findings(found, grace, net, ())
    assert json.dumps([n.to_json() for n in found])
    assert render(
        Document(
            sections=[
                *nodes_report.overview(found, grace, net, cgroup_driver(snapshot, found), every=True, explain=True),
                *(section for node in found for section in node_detail.one(node, grace, rows)),
            ],
            findings=told,
        ),
        Screen(wide=True),
    )


@pytest.mark.parametrize("name", NAMES)
@few
@given(random=st.randoms(use_true_random=False), count=st.integers(1, 60))
def test_addons(name: str, random: Random, count: int) -> None:
    found = addons.addons(damaged(held(name), random, count))
    told = addonfindings.findings(found, everything_read=True)
    assert json.dumps(found.to_json())
    assert render(Document(sections=addons_report.sections(found, explain=True), findings=told), Screen(wide=True))


def test_a_list_for_the_name_of_a_node() -> None:
    """Dice found it: names are looked up in sets, where a list raises."""
    whole = held("three-nodes")
    kept = whole.readings[SYSTEM_SLICES.key]
    slices = copy.deepcopy(kept.body)
    for item in slices:
        for endpoint in item["endpoints"]:
            endpoint["nodeName"] = ["worker"]
    odd = replace(whole, readings={**whole.readings, SYSTEM_SLICES.key: replace(kept, body=slices)})
    assert addons.addons(odd).dns.endpoints == addons.addons(whole).dns.endpoints


@pytest.mark.parametrize("name", NAMES)
@few
@given(random=st.randoms(use_true_random=False), count=st.integers(1, 60))
def test_whoami(name: str, random: Random, count: int) -> None:
    found = identity.identity(damaged(held(name), random, count))
    assert json.dumps(found.to_json())
    document = Document(sections=whoami_report.sections(found, "", ""), findings=tuple(identity.findings(found)))
    assert render(document, Screen())
