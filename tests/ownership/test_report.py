"""What of a tree is shown, and its pictures: bounded, deterministic, nothing hidden that fails, nothing unescaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from kcompanion.model.finding import Status
from kcompanion.model.message import say
from kcompanion.ownership.relations import KINDS, related
from kcompanion.ownership.tree import grow
from kcompanion.render.dot import dot
from kcompanion.render.mermaid import mermaid
from kcompanion.render.screen import Screen
from kcompanion.render.svgtree import svg
from kcompanion.render.trees import tree
from kcompanion.render.wrap import width
from kcompanion.report.document import Arrow, Box, Branch, Diagram, Tree
from kcompanion.report.tree import Grown, branch, states, verdict
from kcompanion.report.tree_diagram import diagram
from kcompanion.report.tree_json import to_json
from kcompanion.report.tree_view import Line, view
from kcompanion.text.catalog import phrase
from tests.ownership.build import Json, controller, deployed, entity, pod, thing, world

HOSTILE = 'a"];<script>alert(1)</script>%%{init}%%\x1b[31m\\n`#;&|'
SVG = "{http://www.w3.org/2000/svg}"


def grown(asked: Json, *objects: Json, relations: tuple[str, ...] = ()) -> Grown:
    here = world(*objects)
    forest = grow([entity(asked)], here)
    edges, _ = related(relations, [node.entity for node in forest.walk()], here)
    return Grown(forest, states(forest, here), edges)


def crowd(count: int, bad: int) -> tuple[Json, list[Json]]:
    """A ReplicaSet with many pods, of which one is failing."""
    owner = controller("ReplicaSet", "many", {"app": "many"}, count)
    pods = [pod(f"many-{number:03}", owner, labels={"app": "many"}) for number in range(count)]
    return owner, [owner, *pods[:bad], fails(pods[bad]), *pods[bad + 1 :]]


def fails(item: Json) -> Json:
    waiting = {"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 9}
    last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-21T11:59:00Z"}}
    status = {**item["status"], "containerStatuses": [{**waiting, "lastState": last}]}
    return {**item, "status": status}


def shown(line: Line) -> list[str]:
    return [one.node.entity.ref.name for one in line.walk()]


def test_many_siblings_are_counted_and_the_failing_one_is_shown() -> None:
    owner, objects = crowd(200, bad=150)
    seen = grown(owner, *objects)
    line = view(seen.forest.roots[0], seen.states, every=False)
    assert "many-150" in shown(line)
    assert len(shown(line)) == 11
    assert [(rest.kind, rest.count) for rest in line.rests] == [("Pod", 190)]
    assert len(shown(view(seen.forest.roots[0], seen.states, every=True))) == 201


def test_the_pod_asked_for_is_never_hidden() -> None:
    _, objects = crowd(50, bad=3)
    seen = grown(objects[40], *objects)
    assert objects[40]["metadata"]["name"] in shown(view(seen.forest.roots[0], seen.states, every=False))


@pytest.mark.parametrize(
    ("wanted", "ready", "status"),
    [(2, 1, Status.WARN), (2, None, Status.WARN), (2, 2, Status.OK), (0, None, Status.OK)],
)
@pytest.mark.parametrize("kind", ["ReplicaSet", "Deployment", "StatefulSet", "DaemonSet"])
def test_what_is_short_of_pods_is_not_well(kind: str, wanted: int, ready: int | None, status: Status) -> None:
    owner = controller(kind, "web", {"app": "web"}, wanted)
    counts = {"replicas": wanted, "readyReplicas": ready, "numberReady": ready, "desiredNumberScheduled": wanted}
    owner["status"] = {**owner.get("status", {}), **{key: n for key, n in counts.items() if n is not None}}
    seen = grown(owner, owner)
    state = seen.state(seen.forest.roots[0])
    assert (state.status, state.word) == (status, f"{ready or 0}/{wanted}")


def test_json_leaves_nothing_out() -> None:
    owner, objects = crowd(60, bad=3)
    assert len(to_json(grown(owner, *objects))["roots"][0]["children"]) == 60


@pytest.mark.parametrize(
    ("created", "told"),
    [
        ("2026-11-21T11:59:50Z", (Status.WARN, "Pod shop/p: nothing below it, and the owner it names does not count.")),
        ("2026-11-20T12:00:00Z", (Status.WARN, "Pod shop/p: nothing above or below it, and it is not well.")),
    ],
)
def test_an_owner_that_is_gone_is_never_fine(created: str, told: tuple[Status, str]) -> None:
    """The rule that finds it waits for the garbage collector; the tree says what it sees at once."""
    item = pod("p", controller("ReplicaSet", "gone", {"app": "x"}), created=created)
    message, status = verdict(grown(item, item))
    assert (status, phrase(message, "en")) == told


def test_old_replicasets_are_one_line() -> None:
    deployment, made, *pods = deployed(1)
    old = [
        controller(
            "ReplicaSet",
            f"web-old{number}",
            {"app": "web", "pod-template-hash": f"old{number}"},
            0,
            owner=deployment,
            metadata={"annotations": {"deployment.kubernetes.io/revision": str(number)}},
        )
        for number in (2, 3, 4)
    ]
    seen = grown(deployment, deployment, made, *pods, *old)
    line = view(seen.forest.roots[0], seen.states, every=False)
    (rest,) = line.rests
    assert (rest.old, rest.count, rest.revisions) == (True, 3, (2, 3, 4))
    assert shown(line)[1] == "web-5d54dbcf5f"
    asked = grown(old[1], deployment, made, *pods, *old)
    assert "web-old3" in shown(view(asked.forest.roots[0], asked.states, every=False))


def test_relations_of_a_pod() -> None:
    spec = {
        "serviceAccountName": "sa",
        "containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "gone"}}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    item = pod("p", labels={"app": "x"}, spec=spec)
    claim = thing("PersistentVolumeClaim", "data", spec={"volumeName": "pv", "storageClassName": "fast"})
    subject = {"kind": "ServiceAccount", "name": "sa", "namespace": "shop"}
    role = {"kind": "ClusterRole", "name": "view"}
    binding = thing("ClusterRoleBinding", "b", subjects=[subject], roleRef=role)
    account = thing("ServiceAccount", "sa")
    objects = [item, claim, thing("PersistentVolume", "pv"), thing("StorageClass", "fast"), binding, account]
    seen = grown(item, *objects, relations=tuple(KINDS))
    told = {(edge.tie.value, edge.source.name, edge.target.name, edge.exists) for edge in seen.relations or ()}
    assert told == {
        ("claim", "p", "data", True),
        ("bound", "data", "pv", True),
        ("class", "data", "fast", True),
        ("env", "p", "gone", False),
        ("runsAs", "p", "sa", True),
        ("binds", "b", "sa", True),
        ("grants", "b", "view", None),
    }


# -------------------------------------------------------------------------------------- pictures


def hostile() -> Diagram:
    boxes = [
        Box("n1", "Deployment", HOSTILE, Status.FAIL, HOSTILE),
        Box("n2", "Pod", "파드" * 10, Status.OK, "Running", marked=True),
        Box("n3", "Service", "web", outside=True),
    ]
    arrows = [Arrow("n1", "n2"), Arrow("n3", "n2", say("tree.tie.serves"), owns=False)]
    return Diagram(say("tree.several", count=2), boxes, arrows)


@pytest.mark.parametrize("draw", [mermaid, dot, svg])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_pictures_are_the_same_every_time(draw: object, language: str) -> None:
    assert callable(draw)
    text = draw(hostile(), language)
    assert text == draw(hostile(), language)
    assert text.endswith("\n")
    assert "\x1b" not in text


def test_svg_is_xml_and_nothing_in_it_runs() -> None:
    root = ET.fromstring(svg(hostile(), "ko"))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "title", "style", "defs", "marker", "rect", "text", "path", "g"),
    }
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert any("<script>" in text for text in texts), "shown as text, not taken as a tag"
    assert "✖" in "".join(texts), "not by colour alone"
    assert "prefers-color-scheme: dark" in svg(hostile(), "en")


def test_svg_boxes_hold_their_texts_and_do_not_overlap() -> None:
    owner, objects = crowd(12, bad=4)
    root = ET.fromstring(svg(diagram(grown(owner, *objects)), "en"))
    boxes = [group for group in root.iter(f"{SVG}g")]
    edges = []
    for group in boxes:
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, y, wide, high = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        edges.append((x, y, x + wide, y + high))
        for text in group.iter(f"{SVG}text"):
            assert float(text.attrib["x"]) + float(text.attrib["textLength"]) <= x + wide
    for index, (x1, y1, x2, y2) in enumerate(edges):
        for a1, b1, a2, b2 in edges[index + 1 :]:
            assert x2 <= a1 or a2 <= x1 or y2 <= b1 or b2 <= y1


def test_a_hangul_syllable_is_two_letters_wide() -> None:
    narrow, broad = (
        ET.fromstring(svg(Diagram(say("tree.title"), [Box("n1", "Pod", name)], []), "en")) for name in ("aa", "파드")
    )
    lengths = [
        [text.attrib["textLength"] for text in root.iter(f"{SVG}text") if text.get("class") == "name"]
        for root in (narrow, broad)
    ]
    assert float(lengths[1][0]) == 2 * float(lengths[0][0])


def test_mermaid_labels_hold_no_signs_of_its_own() -> None:
    for line in mermaid(hostile(), "en").splitlines():
        for label in re.findall(r'\["(.*)"\]', line):
            bare = re.sub(r"#\d+;|<br/>", "", label)
            assert not set(bare) & set('"<>[]{}%#;`&|\\')


def test_dot_quotes_are_closed() -> None:
    for line in dot(hostile(), "en").splitlines():
        assert re.sub(r"\\\\|\\\"", "", line).count('"') % 2 == 0


def test_relations_are_dashed_and_end_outside() -> None:
    deployment, made, *pods = deployed(2)
    service = thing("Service", "web", spec={"selector": {"app": "web"}})
    seen = grown(deployment, deployment, made, *pods, service, relations=("services",))
    drawn = diagram(seen)
    assert [(box.kind, box.outside) for box in drawn.boxes][-1] == ("Service", True)
    assert [arrow.owns for arrow in drawn.arrows] == [True, True, True, False, False]


# -------------------------------------------------------------------------------------- terminal


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_lines_fit_the_screen(language: str, columns: int) -> None:
    owner, objects = crowd(15, bad=2)
    seen = grown(owner, *objects)
    root = branch(view(seen.forest.roots[0], seen.states, every=False), seen)
    noted = replace(root, notes=[say("tree.note.blocks"), say("tree.note.not_controller")])
    printed = tree(Tree([noted]), Screen(language=language, columns=columns))
    assert max(width(line) for line in printed.splitlines()) <= columns
    assert len({line.index("✔") for line in printed.splitlines() if "Running" in line}) == 1, "states in one column"


def test_terminal_text_is_cleaned() -> None:
    printed = tree(Tree([Branch(HOSTILE, Status.OK, HOSTILE)]), Screen())
    assert "\x1b" not in printed
