"""All predicates together: the verdict on a node, what tells the story of many, and what is not known."""

from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, Reading, listing
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.scheduling.messages import parse
from kcompanion.scheduling.placement import PREDICATES, Placement, on_node, place
from kcompanion.scheduling.result import Fit
from kcompanion.scheduling.telling import by_reason, telling, told_reason
from tests.scheduling.build import ROOMY, node, pod, world

RESERVED = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
CONTROL = node("control", taints=[RESERVED])
SMALL = {**ROOMY, "cpu": "2"}


def placed(incoming: dict, *objects: dict) -> Placement:  # type: ignore[type-arg]  # JSON
    return place(incoming, world(*objects, incoming))


def test_a_plain_pod_fits_everywhere_it_may() -> None:
    found = placed(pod(), CONTROL, node("w1"), node("w2"))
    assert [(v.node, v.fit) for v in found.verdicts] == [("control", Fit.NOT), ("w1", Fit.FITS), ("w2", Fit.FITS)]
    assert all(len(v.results) == len(PREDICATES) for v in found.verdicts)
    assert telling(found) is None


def test_what_is_said_of_the_workers_tells_the_story() -> None:
    found = telling(placed(pod(requests={"cpu": "64"}), CONTROL, node("w1", room=SMALL), node("w2", room=SMALL)))
    assert found is not None
    assert found.number == 61
    assert {name for name, _ in found.misses} == {"w1", "w2"}
    assert [(count, miss.kind) for count, miss in found.others] == [(1, "reserved")]


def test_a_cordon_is_not_told_twice() -> None:
    own = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    found = placed(pod(), CONTROL, node("w1", unschedulable=True, taints=[own]))
    assert [miss.kind for miss in found.verdicts[1].misses] == ["cordoned"]
    told = telling(found)
    assert told is not None
    assert told.number == 67


def test_nodes_the_pod_does_not_want_are_others() -> None:
    nodes = (node("w1", {"disk": "ssd"}, room=SMALL), node("w2"), node("w3"))
    found = telling(placed(pod(nodeSelector={"disk": "ssd"}, requests={"cpu": "3"}), *nodes))
    assert found is not None
    assert found.number == 61
    assert [(count, miss.kind) for count, miss in found.others] == [(2, "selector")]


def test_what_holds_for_the_pod_comes_first() -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "gone"}}]
    found = telling(placed(pod(volumes=volumes, nodeSelector={"a": "b"}), node("w1")))
    assert found is not None
    assert found.number == 79


def test_one_gap_leaves_one_predicate_open() -> None:
    readings = [
        Reading(listing(r.NODES), Outcome.OK, 200, body=[node("w1"), CONTROL]),
        Reading(listing(r.PODS), Outcome.FORBIDDEN, 403),
    ]
    whole = world()
    snapshot = Snapshot(whole.now, readings={reading.ask.key: reading for reading in readings})
    found = place(pod(requests={"cpu": "1"}), World(snapshot))
    fits = {verdict.node: verdict.fit for verdict in found.verdicts}
    assert fits == {"control": Fit.NOT, "w1": Fit.UNKNOWN}
    assert telling(found) is None
    unknown = {result.predicate: result.gap.resource for result in found.undecided[0].unknown if result.gap}
    assert unknown["NodeResourcesFit"] == "pods"


def test_without_nodes_nothing_is_known() -> None:
    whole = world()
    reading = Reading(listing(r.NODES), Outcome.FORBIDDEN, 403)
    found = place(pod(), World(Snapshot(whole.now, readings={reading.ask.key: reading})))
    assert found.gap is not None
    assert found.verdicts == ()


def test_replicas_of_one_template_are_judged_once() -> None:
    both = [pod("web-1", labels={"app": "web"}), pod("web-2", labels={"app": "web"})]
    same = world(node("w1"), *both)
    assert place(both[0], same) is place(both[1], same)
    assert place(pod("web-3", labels={"app": "other"}), same) is not place(both[0], same)


def test_devices_are_left_open() -> None:
    claim = {"kind": "ResourceClaim", "metadata": {"name": "gpu", "namespace": "default"}, "spec": {}}
    asked = pod(resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}])
    found = on_node(asked, node("w1"), world(node("w1"), claim, asked))
    assert found.fit is Fit.UNKNOWN
    assert [result.predicate for result in found.unknown] == ["DynamicResources"]
    missing = on_node(asked, node("w1"), world(node("w1"), asked))
    assert [miss.kind for miss in missing.misses] == ["device_missing"]


def test_many_nodes_are_grouped_by_reason() -> None:
    nodes = [node(f"n{n:02}", room=SMALL) for n in range(30)] + [CONTROL]
    groups = by_reason(placed(pod(requests={"cpu": "3"}), *nodes).refusing)
    assert [(len(names), [short.id for short in shorts]) for shorts, names in groups] == [
        (30, ["why.short.too_big"]),
        (1, ["why.short.reserved"]),
    ]


def test_of_a_message_the_workers_reason_is_told() -> None:
    told = parse(
        "0/3 nodes are available: 2 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
        "1 Insufficient cpu."
    )
    reason = told_reason(told)
    assert reason is not None
    assert reason.number == 61
