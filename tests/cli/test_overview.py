"""`overview` on shipped recordings, a big cluster and an odd one: one screen, and the other commands' verdicts."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from wcwidth import wcswidth

from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.model.ask import Ask, Outcome, Reading, Verb
from kcompanion.model.resources import EVENTS, JOBS, NODES, PODS, Resource
from kcompanion.model.snapshot import Object, Snapshot
from tests.cli.conftest import DATA
from tests.cli.terminal import terminal
from tests.servers import Api, items, write_kubeconfig

Capture = pytest.CaptureFixture[str]
SHIPPED = Path(str(resources.files("kcompanion") / "recordings"))
NAMES = sorted(file.stem for file in SHIPPED.glob("*.kcr"))
HOME, REST_OF_LINE, BELOW, SCROLLBACK, HIDDEN = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[3J", "\x1b[?25l"
BOUND = 30  # lines at 80 columns, whatever the cluster


def answer(capsys: Capture, *words: str, code: int = 0) -> dict[str, Any]:
    assert run(["overview", *words, "-o", "json"]) == code
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    run(["schema", "Overview"])
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(body)
    return body


def lines(capsys: Capture, *words: str) -> list[str]:
    run(["overview", *words])
    return capsys.readouterr().out.splitlines()


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_health_controlplane_and_nodes_say(capsys: Capture, name: str) -> None:
    body = answer(capsys, "--from", f"demo:{name}")
    others = {}
    for command in ("health", "controlplane", "nodes"):
        run([command, "--from", f"demo:{name}", "-o", "json"])
        others[command] = json.loads(capsys.readouterr().out)
    entries = [e for e in others["health"]["entries"] if e["severity"] != "info"]
    assert [(w["code"], w["subject"], w["next"]) for w in body["worst"]] == [
        (e["code"], e["root"], e["explain"]) for e in entries[:3]
    ]
    assert sum(body["causes"].values()) == len(entries)
    assert body["judged"] == others["health"]["judged"]
    assert body["controlPlane"]["status"] == others["controlplane"]["status"]
    assert [(c["name"], c["status"]) for c in body["controlPlane"]["components"]] == [
        (c["name"], c["status"]) for c in others["controlplane"]["components"]
    ]
    assert [(n["name"], n["status"], n["pods"]) for n in body["nodes"]["items"]] == [
        (n["name"], n["status"], n["room"]["pods"]) for n in others["nodes"]["nodes"]
    ]
    order = ["fail", "unknown", "warn", "ok", "not_visible"]
    assert body["status"] == min((other["status"] for other in others.values()), key=order.index)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", ["three-nodes", "shop", "shop-node-lost", "faulty"])
def test_three_nodes_fit_a_screen(capsys: Capture, name: str, language: str) -> None:
    told = lines(capsys, "--from", f"demo:{name}", "--lang", language)
    assert len(told) <= 24
    assert [line for line in told if wcswidth(line) > 80] == []


def test_what_happened_last_comes_first_and_alike_once(capsys: Capture) -> None:
    body = answer(capsys, "--from", "demo:shop")
    moments = [(one["at"], one["subject"]) for one in body["lately"]]
    assert moments == sorted(moments, key=lambda pair: pair[0], reverse=True)
    assert len({subject for _, subject in moments}) == len(moments)
    assert body["lately"][0]["more"] > 0


def test_the_pods_are_those_of_kubectl(capsys: Capture) -> None:
    states = answer(capsys, "--from", "demo:faulty")["pods"]["states"]
    assert states["Running"] == 18
    assert set(states) == {"Running", "CreateContainerConfigError", "ImagePullBackOff", "OOMKilled", "Pending"}


def test_one_namespace(capsys: Capture) -> None:
    body = answer(capsys, "--from", "demo:shop", "-n", "shop")
    assert (body["controlPlane"], body["nodes"], body["pods"]["count"]) == (None, None, 11)
    assert [one["subject"] for one in body["lately"] if not one["subject"].startswith("shop: ")] == []


def test_findings_count_only_when_asked(capsys: Capture) -> None:
    answer(capsys, "--from", "demo:faulty", "--fail-on", "critical", code=1)
    answer(capsys, "--from", "demo:three-nodes", "--fail-on", "warning")
    found = answer(capsys, "--from", "demo:ha-one-down", "--fail-on", "critical", code=1)
    assert "KC1000" in {one["code"] for one in found["findings"]}  # the control plane's own, and no cause of `health`


def test_what_could_not_be_read_leaves_it_undecided(capsys: Capture) -> None:
    body = answer(capsys, "--from", str(DATA / "restricted.kcr"), code=5)
    assert (body["status"], body["complete"]) == ("unknown", False)
    told = lines(capsys, "--from", str(DATA / "restricted.kcr"))
    assert "? Workloads: not read" in told
    assert "  pods: not read" in told
    assert "  → kcompanion doctor" in told
    assert not any(line.startswith("  0 pods") for line in told)
    assert "  파드: 읽지 못함" in lines(capsys, "--from", str(DATA / "restricted.kcr"), "--lang", "ko")


def test_what_was_not_read_is_never_counted_as_none(capsys: Capture, tmp_path: Path) -> None:
    shop = recording.load(SHIPPED / "shop.kcr")
    file = written(tmp_path, forbidden(shop, JOBS, NODES))
    body = answer(capsys, "--from", file, code=5)
    assert body["notRead"] == ["Job"]
    told = lines(capsys, "--from", file)
    assert "? Nodes: not read" in told
    assert "✖ Workloads: 3 Deployment, 1 StatefulSet, 3 DaemonSet, 1 CronJob; not read: Job" in told
    assert answer(capsys, "--from", "demo:shop")["notRead"] == []


def test_a_list_that_was_cut_off_is_called_so(capsys: Capture, tmp_path: Path) -> None:
    snapshot = recording.load(SHIPPED / "shop.kcr")
    [(key, reading)] = [(key, one) for key, one in snapshot.readings.items() if whole(one.ask, PODS)]
    half = replace(reading, outcome=Outcome.TIMEOUT, body=reading.body[:5])
    file = written(tmp_path, replace(snapshot, readings={**snapshot.readings, key: half}))
    assert "; not all of them were read" in " ".join(lines(capsys, "--from", file))


def test_korean_spells_durations_in_one_way(capsys: Capture) -> None:
    told = "\n".join(lines(capsys, "--from", "demo:shop-node-lost", "--lang", "ko"))
    assert re.findall(r"71초", told)
    assert re.findall(r"(?<![\w.-])\d+[smhd]\b", told) == []


def test_without_events_the_rest_stands(capsys: Capture, tmp_path: Path) -> None:
    file = written(tmp_path, forbidden(recording.load(SHIPPED / "three-nodes.kcr"), EVENTS))
    body = answer(capsys, "--from", file, code=5)  # as for `health`: some rules need events
    assert (body["status"], body["lately"], body["pods"]["well"]) == ("unknown", [], 13)
    assert "  events could not be read" in lines(capsys, "--from", file)


def test_a_watch_needs_a_live_cluster(capsys: Capture) -> None:
    assert run(["overview", "-w", "--from", "demo:shop"]) == 2
    assert "leave out --from" in capsys.readouterr().err


def test_a_watch_draws_over_itself_until_ctrl_c(api: Api, tmp_path: Path) -> None:
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    api.answers["/api/v1/pods"] = items(pod("one"))
    with terminal(tmp_path, "overview", "-w", KUBECONFIG=config, TERM="xterm", LINES="24") as screen:
        assert screen.until("  1 pod: 1 Running").count(HOME) == 1
        screen.until(BELOW)
        api.answers["/api/v1/pods"] = items(pod("one"), pod("two"))
        screen.until(HOME)
        screen.until(f"  2 pods: 2 Running{REST_OF_LINE}")
        screen.until(BELOW)
        screen.interrupt()
        told = screen.rest()
        assert screen.process.returncode == 130
    assert "Traceback" not in told
    assert [word for word in (SCROLLBACK, HIDDEN) if word in told] == []  # what was there before stays, the cursor too


def test_a_watch_shows_one_screen(api: Api, tmp_path: Path) -> None:
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    with terminal(tmp_path, "overview", "-w", KUBECONFIG=config, TERM="xterm", LINES="6") as screen:
        drawn = screen.until(BELOW)
    assert drawn.count("\n") == 5  # with one more, the first line would scroll away
    assert f"\n…{REST_OF_LINE}\n{BELOW}" in drawn


# --------------------------------------------------------------------------------------- big and odd clusters


def test_many_pods_fit_too(capsys: Capture, tmp_path: Path) -> None:
    file = written(tmp_path, grown(recording.load(SHIPPED / "faulty.kcr"), 200, 1200))
    told = lines(capsys, "--from", file)
    assert len(told) <= BOUND
    assert [line for line in told if wcswidth(line) > 80] == []
    assert "  and 199 more: kcompanion nodes" in told
    body = answer(capsys, "--from", file, code=5)  # the copies of a node have no Leases
    assert body["pods"]["count"] > 1200
    assert (len(body["nodes"]["items"]), body["nodes"]["leftOut"]) == (200, 3)
    assert {one["told"]["values"]["reason"] for one in body["lately"]} <= warnings(file)


def test_hostile_text_stays_text(capsys: Capture, tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\u202eevil\nnext"

    def spoilt(item: Object) -> Object:
        changed = {**copy.deepcopy(dict(item)), "message": evil, "reason": evil, "reportingComponent": evil}
        changed["involvedObject"]["name"] = evil
        return changed

    file = written(tmp_path, changed(recording.load(SHIPPED / "shop.kcr"), EVENTS, spoilt))
    run(["overview", "--from", file])
    printed = capsys.readouterr().out
    assert "evil" in printed
    assert [char for char in "\x1b\x07\u202e" if char in printed] == []


def test_odd_objects_do_not_end_it(capsys: Capture, tmp_path: Path) -> None:
    snapshot = recording.load(SHIPPED / "shop.kcr")
    for resource in (PODS, NODES, EVENTS):
        snapshot = changed(snapshot, resource, lambda item: {"metadata": item["metadata"], "spec": [], "status": "?"})
    assert run(["overview", "--from", written(tmp_path, snapshot)]) in (0, 5)
    assert "Workloads" in capsys.readouterr().out


def pod(name: str) -> dict[str, Any]:
    """A pod that runs and is ready."""
    conditions = [{"type": "Ready", "status": "True"}]
    spec = {"containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": name, "namespace": "default", "uid": name}, "spec": spec,
            "status": {"phase": "Running", "conditions": conditions}}  # fmt: skip


def written(folder: Path, snapshot: Snapshot) -> str:
    file = folder / "changed.kcr"
    recording.save(snapshot, file)
    return str(file)


def forbidden(snapshot: Snapshot, *names: Resource) -> Snapshot:
    """The same recording, made by somebody who may not read these."""
    readings = dict(snapshot.readings)
    for key, reading in snapshot.readings.items():
        if reading.ask.resource in names:
            readings[key] = Reading(reading.ask, Outcome.FORBIDDEN, 403, "forbidden")
    return replace(snapshot, readings=readings)


def changed(snapshot: Snapshot, resource: Any, change: Any) -> Snapshot:
    def mended(ask: Ask, reading: Reading) -> Reading:
        if ask.resource != resource or ask.verb is not Verb.LIST or not isinstance(reading.body, list):
            return reading
        return replace(reading, body=[change(item) for item in reading.body])

    return replace(snapshot, readings={key: mended(one.ask, one) for key, one in snapshot.readings.items()})


def grown(snapshot: Snapshot, nodes: int, pods: int) -> Snapshot:
    """The same cluster with copies of one node and of one pod."""
    [(pods_key, pod)] = [(key, one.body) for key, one in snapshot.readings.items() if whole(one.ask, PODS)]
    [(nodes_key, node)] = [(key, one.body) for key, one in snapshot.readings.items() if whole(one.ask, NODES)]
    model = next(one for one in pod if one["metadata"]["name"].startswith("coredns"))
    more_pods = []
    for number in range(pods):
        copied = renamed(model, f"copy-{number:05}")
        copied["spec"]["nodeName"] = f"copy-{number % nodes:04}"
        more_pods.append(copied)
    more = {
        pods_key: [*pod, *more_pods],
        nodes_key: [*node, *(renamed(node[-1], f"copy-{number:04}") for number in range(nodes))],
    }
    grown = {key: replace(snapshot.readings[key], body=body) for key, body in more.items()}
    return replace(snapshot, readings={**snapshot.readings, **grown})


def whole(ask: Ask, resource: Any) -> bool:
    """Whether it is the question for all objects of a resource."""
    everywhere = not (ask.namespace or ask.selector or ask.fields or ask.metadata_only)
    return ask.verb is Verb.LIST and ask.resource == resource and everywhere


def renamed(item: Object, name: str) -> dict[str, Any]:
    copied: dict[str, Any] = copy.deepcopy(dict(item))
    copied["metadata"] |= {"name": name, "uid": name}
    return copied


def warnings(file: str) -> set[str]:
    found = recording.load(Path(file)).readings.values()
    [events] = [one.body for one in found if whole(one.ask, EVENTS)]
    return {event["reason"] for event in events if event["type"] == "Warning"}
