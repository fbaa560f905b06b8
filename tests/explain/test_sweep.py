"""Shared causes are one entry, parents do not repeat their pods, and the length does not grow with the pods."""

import pytest

from kcompanion.explain.accepted import sort
from kcompanion.explain.sweep import Beside, Sweep, sweep
from kcompanion.model.ask import Outcome, Reading, listing
from kcompanion.model.finding import Evidence, Finding, Severity, Status
from kcompanion.model.message import say
from kcompanion.model.refs import parse_ref
from kcompanion.model.resources import LEASES, NODES, PODS
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report import health as report
from kcompanion.report.document import Document
from tests.explain.build import Json, crashing, deployed, deployment, node, replicaset, running
from tests.explain.casebook import CASES, NOW, verdicts_of, world_from, world_of


def swept(*objects: Json) -> Sweep:
    return sweep(world_from([*node(), *objects]))


def printed(found: Sweep) -> str:
    kept = sort(found.entries, (), (), NOW)
    sections = report.sections(kept, found, every=False, explain=False)
    return render(
        Document(verdict=report.verdict(kept, found), status=report.status(kept, found), sections=sections), Screen()
    )


def test_nothing_wrong_is_said_so() -> None:
    found = swept(running("a"), running("b"))
    assert found.entries == ()
    assert "Nothing is wrong" in printed(found)


def test_pods_of_one_deployment_are_one_entry() -> None:
    found = swept(*deployed("web", 40), running("other"))
    [entry] = [e for e in found.entries if e.finding.code == "KC5044"]
    assert entry.root == "Deployment/shop/web"
    assert len([name for name in entry.affected if name.startswith("Pod/")]) == 40
    # the Deployment that is not available for their sake is no cause of its own
    assert [e.finding.code for e in found.entries if e.root.endswith("/web")] == ["KC5044"]


def test_deployments_of_their_own_are_entries_of_their_own() -> None:
    found = swept(*deployed("web", 3), *deployed("api", 5))
    assert [e.root for e in found.entries if e.finding.code == "KC5044"] == [
        "Deployment/shop/api",
        "Deployment/shop/web",
    ]


def test_a_naked_pod_stands_for_itself() -> None:
    [entry] = [e for e in swept(crashing("lonely")).entries if e.finding.code == "KC5044"]
    assert (entry.root, entry.count) == ("Pod/shop/lonely", 1)


def test_length_does_not_depend_on_how_many_share_a_cause() -> None:
    few, many = (printed(swept(*deployed("web", count))) for count in (4, 400))
    assert len(few.splitlines()) == len(many.splitlines())


def test_length_is_bounded_with_many_causes() -> None:
    objects = [thing for n in range(300) for thing in deployed(f"app-{n:03}", 2)]
    lines = printed(swept(*objects)).splitlines()
    assert len(lines) < 60
    assert any("more causes of this kind" in line for line in lines)


def test_json_is_bounded_and_says_what_it_left_out() -> None:
    objects = [thing for n in range(report.LISTED + 7) for thing in deployed(f"app-{n:03}", 1)]
    found = swept(*objects)
    body = report.to_json(sort(found.entries, (), (), NOW), found, str)
    assert (len(body["entries"]), body["entriesLeftOut"]) == (report.LISTED, 7)
    [entry] = report.to_json(sort(swept(*deployed("web", 99)).entries, (), (), NOW), found, str)["entries"]
    assert len(entry["affected"]) == report.NAMES
    assert entry["affectedCount"] > 98


def test_findings_of_other_origin_are_ranked_with_the_rest() -> None:
    broken = Finding("KC1024", Severity.CRITICAL, "etcd", say("x"), (Evidence("etcd"),))
    found = sweep(world_from([*node(), crashing("a")]), more=[Beside(broken, "etcd")])
    assert found.entries[0].finding.code == "KC1024"


def test_a_list_that_was_refused_is_not_a_clean_bill() -> None:
    whole = world_from([*node(), running("a")]).snapshot
    refused = Reading(listing(NODES), Outcome.FORBIDDEN, 403, "no")
    found = sweep(World(Snapshot(NOW, readings={**whole.readings, refused.ask.key: refused})))
    kept = sort(found.entries, (), (), NOW)
    assert report.status(kept, found) is Status.UNKNOWN
    assert "list nodes" in printed(found)


def test_a_proven_failure_is_told_even_so() -> None:
    whole = world_from([*node(), crashing("a")]).snapshot
    refused = Reading(listing(NODES), Outcome.FORBIDDEN, 403, "no")
    found = sweep(World(Snapshot(NOW, readings={**whole.readings, refused.ask.key: refused})))
    assert report.status(sort(found.entries, (), (), NOW), found) is Status.FAIL


def test_a_lost_node_tells_its_trouble_itself_in_a_namespace_too() -> None:
    lost = node(heartbeat="2026-11-21T11:50:00Z")
    lost[0]["status"]["conditions"][0].update(status="Unknown", reason="NodeStatusUnknown")
    [entry] = sweep(world_from([*lost, running("a"), running("b")]), "shop").entries
    assert (entry.finding.code, entry.root, entry.count) == ("KC5115", "Node/worker-1", 2)
    assert entry.finding.subject == "Node/worker-1"
    assert entry.finding.message.id.endswith(".cause"), "the node's sentence, not that of one of its pods"


def test_a_node_is_no_cause_in_a_namespace_that_it_does_not_hurt() -> None:
    pressed = node()
    pressed[0]["status"]["conditions"].append({"type": "MemoryPressure", "status": "True"})
    assert [e.root for e in sweep(world_from([*pressed, running("a")])).entries] == ["Node/worker-1"]
    assert sweep(world_from([*pressed, running("a")]), "shop").entries == ()


def test_nothing_is_wanted_for_pods_that_are_well() -> None:
    world = World(
        Snapshot(
            NOW,
            readings={
                reading.ask.key: reading
                for reading in world_from([*node(), *(running(f"p{n}") for n in range(5))]).snapshot.readings.values()
                if reading.ask.resource in (PODS, NODES, LEASES)
            },
        )
    )
    sweep(world, "shop")
    assert not [key for key in world.wanted if key.startswith("get") or "events" in key]


def test_a_parent_without_broken_pods_keeps_its_own_cause() -> None:
    parent = deployment("web", replicas=2)
    parent["status"]["conditions"] = [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"},
        {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"},
    ]
    found = swept(parent, replicaset("web-7d9f", "web", replicas=2))
    assert [e for e in found.entries if e.root == "Deployment/shop/web" or "web" in e.root]


def test_what_stops_a_child_is_told_at_the_parent() -> None:
    child = replicaset("web-7d9f", "web", replicas=2)
    child["status"] = {
        "replicas": 0,
        "conditions": [
            {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": 'pods "web-7d9f-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, '
                "limited: pods=1",
            }
        ],
    }
    [entry] = swept(deployment("web", replicas=2), child).entries
    assert entry.affected == ("Deployment/shop/web",)
    assert report.explain_command(entry) == "kcompanion explain deployment/web -n shop"


@pytest.mark.parametrize("folder", sorted(folder.name for folder in CASES.iterdir()))
def test_the_command_that_is_offered_tells_the_cause(folder: str) -> None:
    """A root may not exist (a missing owner), or be well itself (the owner of a job of yesterday)."""
    for file in sorted((CASES / folder).glob("positive*.*")):
        verdicts = {verdict.ref.subject: verdict for verdict in verdicts_of(file)}
        for entry in sweep(world_of(file)).entries:
            assert entry.told_by in verdicts, f"{file.name}: {entry.told_by} does not exist"
            told = {finding.code for finding in verdicts[entry.told_by].findings}
            assert entry.finding.code in told, f"{file.name}: {entry.told_by} does not tell {entry.finding.code}"
            assert report.explain_command(entry) == f"kcompanion explain {parse_ref(entry.told_by).kubectl}"


def test_an_owner_of_the_same_name_that_came_later_is_no_parent() -> None:
    child = replicaset("web-7d9f", "web", replicas=1)
    child["metadata"]["ownerReferences"][0]["uid"] = "uid-of-yesterday"
    [entry] = [one for one in swept(deployment("web", replicas=1), child).entries if one.finding.code == "KC5167"]
    assert (entry.root, entry.told_by) == ("ReplicaSet/shop/web-7d9f", "ReplicaSet/shop/web-7d9f")
