"""The architecture as framed boxes: the well-known arrangement in Mermaid's and Graphviz's own notation."""

from __future__ import annotations

import re
import shlex

import pytest

from kcompanion.cli.context import recording_path
from kcompanion.cli.reporting import gathered
from kcompanion.cluster import recording
from kcompanion.model.finding import Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot
from kcompanion.render.dot import dot
from kcompanion.render.mermaid import mermaid
from kcompanion.render.svgpicture import svg
from kcompanion.report.document import Arrow, Box, Diagram, Frame
from kcompanion.report.page import Picture
from kcompanion.report.whole.gathered import Scope
from kcompanion.report.whole.page import page
from kcompanion.report.whole.picture import as_diagram
from tests.report.whole.odd import hostile, session

RECORDINGS = ("three-nodes", "ha-one-down", "eks", "shop-node-lost")

PORT = "kubelet :10250"  # stands for all nodes where the API server calls them
# The parts of Mermaid's flowchart grammar that may occur. A label is in quotes and holds entities instead of signs.
KEY = r"[a-z]+\d*"
LABEL = r'"(?:[^"<>\[\]{}%#;`&|\\]|#\d+;|<br/>)*"'
MERMAID = {
    "room": re.compile(r'%%\{init: \{"flowchart": \{"wrappingWidth": \d+\}\}\}%%'),
    "begin": re.compile(r"flowchart LR"),
    "open": re.compile(rf"  subgraph ({KEY})\[{LABEL}\]"),
    "close": re.compile(r"  end"),
    "box": re.compile(rf"(?:  ){{1,2}}({KEY})\[{LABEL}\]"),
    "line": re.compile(rf"  ({KEY}) (?:-->|-\.->)(?:\|{LABEL}\|)? ({KEY})"),
    "unseen": re.compile(rf"  ({KEY}) ~~~ ({KEY})"),
    "class": re.compile(rf"  class ({KEY}) (\w+)"),
    "style": re.compile(r"  classDef (\w+) [\w-]+:[#\w .-]+(?:,[\w-]+:[#\w .-]+)*"),
}


def drawn(snapshot: Snapshot) -> tuple[Picture, Diagram]:
    picture = page(gathered(session(snapshot), Scope())).picture
    assert isinstance(picture, Picture)
    return picture, as_diagram(picture)


@pytest.fixture(scope="module", params=[*RECORDINGS, "hostile"])
def both(request: pytest.FixtureRequest) -> tuple[Picture, Diagram]:
    name = request.param
    return drawn(hostile() if name == "hostile" else recording.load(recording_path(f"demo:{name}")))


def parsed(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each line of a flowchart with what it is; a line that is nothing fails."""
    found = []
    for line in text.splitlines():
        kinds = [(kind, match.groups()) for kind, shape in MERMAID.items() if (match := shape.fullmatch(line))]
        assert len(kinds) == 1, line
        found += kinds
    return found


@pytest.mark.parametrize("language", ["en", "ko"])
def test_mermaid_keeps_to_the_grammar(both: tuple[Picture, Diagram], language: str) -> None:
    lines = parsed(mermaid(both[1], language))
    assert [kind for kind, _ in lines[:2]] == ["room", "begin"]
    assert [kind for kind, _ in lines if kind in ("open", "close")] == ["open", "close"] * len(both[1].frames)
    known = {names[0] for kind, names in lines if kind in ("open", "box")}
    assert {name for kind, names in lines if kind in ("line", "unseen") for name in names} <= known
    styles = {names[0] for kind, names in lines if kind == "style"}
    assert {names[1] for kind, names in lines if kind == "class"} <= styles


@pytest.mark.parametrize("language", ["en", "ko"])
def test_dot_keeps_to_the_grammar(both: tuple[Picture, Diagram], language: str) -> None:
    """One statement a line, quotes closed, braces paired: what is left without labels are names and attributes."""
    text = dot(both[1], language)
    depth = 0
    for line in text.splitlines():
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).strip()
        assert '"' not in bare.replace('""', ""), line
        assert bare.endswith(("{", ";", "}")), line
        assert re.fullmatch(r"[\w\s=\[\],;{}>-]*", bare.replace('""', "")), line
        depth += bare.count("{") - bare.count("}")
    assert depth == 0
    assert shlex.split(text.partition("\n")[0]) == ["digraph", "kcompanion", "{"]


def test_every_box_stands_in_one_frame(both: tuple[Picture, Diagram]) -> None:
    picture, diagram = both
    framed = [key for frame in diagram.frames for key in frame.boxes]
    assert sorted(framed) == sorted(box.id for box in diagram.boxes)
    assert [frame.id for frame in diagram.frames] == ["plane", "nodes", "beside"]
    assert [box.name for box in diagram.boxes if box.name != PORT] == [part.name for part in picture.parts]


def test_lines_are_the_pictures(both: tuple[Picture, Diagram]) -> None:
    picture, diagram = both
    names = {box.id: box.name for box in diagram.boxes}
    ends = {part.id: part.name for part in picture.parts}
    told = [(names[arrow.source], names[arrow.target], arrow.owns) for arrow in diagram.arrows]
    assert told == [(ends[line.source], ends.get(line.target, PORT), line.proved) for line in picture.lines]
    text = mermaid(diagram, "en")
    for arrow in diagram.arrows:
        if arrow.source == arrow.target:
            assert f"↺ {names[arrow.source]} · " in text
        else:
            assert f"  {arrow.source} {'-->' if arrow.owns else '-.->'}|" in text


def test_facts_stand_in_the_boxes() -> None:
    _, diagram = drawn(recording.load(recording_path("demo:ha-one-down")))
    for text in (mermaid(diagram, "en"), dot(diagram, "en")):
        assert "2 of 3 members alive, 2 needed" in text
        assert "kcompanion-ha-control-plane2 · leads, renewed 1s ago" in text
        assert "certificate 364 d" in text
        assert "Lease renewed 55s ago" in text
        assert "calls kubelets for logs and exec: configured only" in text


def test_what_the_provider_runs_is_dashed_and_never_missing() -> None:
    picture, diagram = drawn(recording.load(recording_path("demo:eks")))
    hosted = {box.id for box in diagram.boxes if box.outside}
    assert {part.name for part in picture.plane if part.hidden} >= {"etcd", "kube-scheduler", "kube-controller-manager"}
    assert len(hosted) == sum(part.hidden for part in picture.parts)
    for key in hosted:
        assert f"  class {key} outside\n" in mermaid(diagram, "en")
        assert re.search(rf'    {key} \[.*style="rounded,dashed"\];', dot(diagram, "en"))
    assert "run by the provider, out of sight" in mermaid(diagram, "en")


def test_a_node_unheard_for_long_is_dashed() -> None:
    """Solid is what was proved within five minutes: a lost node's last heartbeat is no proof any more."""
    snapshot = recording.load(recording_path("demo:ha-one-down"))
    later = Snapshot(snapshot.now.replace(hour=(snapshot.now.hour + 1) % 24), snapshot.origin, snapshot.readings)
    for seen, solid in ((snapshot, True), (later, False)):
        _, diagram = drawn(seen)
        nodes = next(frame.boxes for frame in diagram.frames if frame.id == "nodes")
        assert {arrow.owns for arrow in diagram.arrows if arrow.source in nodes} == {solid}


@pytest.mark.parametrize("name", ["three-nodes", "ha", "shop", "minikube"])
def test_no_line_runs_through_what_is_written_at_another(name: str) -> None:
    picture, _ = drawn(recording.load(recording_path(f"demo:{name}")))
    text = svg(picture, "en")
    lines = re.findall(r'<path class="other" d="M([\d.]+),([\d.]+) H([\d.]+)"', text)
    labels = re.findall(r'<text class="label" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"', text)
    assert lines
    for left, height, right in (map(float, line) for line in lines):
        for x, y, long in (map(float, label) for label in labels):
            assert x + long < left or x > right or not y - 10 < height < y + 2
            assert left > x + long or right < x or abs(height - (y + 5)) >= 5, "nor along a node's own line"


# --------------------------------------------------------------------------------------- the notations


def framed() -> Diagram:
    boxes = [Box("n1", "", "api", Status.OK), Box("n2", "", "one"), Box("n3", "", "two"), Box("n4", "", "free")]
    arrows = [Arrow("n2", "n1"), Arrow("n1", "n3", say("picture.logs_exec"), owns=False)]
    frames = [Frame("nodes", say("picture.nodes"), ["n2", "n3"])]
    return Diagram(say("picture.title"), boxes, arrows, frames, [("n1", "n2"), ("n4", "n1")])


def test_the_order_decides_who_stands_left() -> None:
    lines = mermaid(framed(), "en").splitlines()
    assert lines.index("  n1 ~~~ n2") < lines.index("  n2 --> n1"), "Mermaid turns round what comes later"
    assert "  n1 -> n2 [dir=back];" in dot(framed(), "en")
    assert "  n4 -> n1 [style=invis];" in dot(framed(), "en")


def test_a_box_outside_all_frames_is_drawn_once() -> None:
    for text in (mermaid(framed(), "ko"), dot(framed(), "ko")):
        assert len(re.findall(r"^ +n4 ?\[", text, re.MULTILINE)) == 1
