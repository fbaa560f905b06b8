"""`learn` without a cluster: the list, dry runs, replays, and the command lines that are refused."""

from __future__ import annotations

import json
import re
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run
from kcompanion.learn.lessons import BY_ID, LESSONS
from kcompanion.text import catalog
from tests.cli.conftest import Command, complained
from tests.cli.terminal import PATIENCE, terminal
from tests.learn.casting import RECORDINGS
from tests.servers import Answer, Api, Request, refusal, write_kubeconfig

Printed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Printed:
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words: str) -> tuple[int, str, str]:
        code = run(list(words))
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


@pytest.fixture
def valid(printed: Printed) -> Callable[[str, str], dict[str, Any]]:
    """The document, if it fits the schema of its kind."""

    def check(kind: str, text: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(text)
        schema = json.loads(printed("schema", kind)[1])
        Draft202012Validator(schema).validate(document)
        assert document["kind"] == kind
        return document

    return check


def test_the_list_needs_no_cluster(inside: Command) -> None:
    ran = inside("learn")
    assert ran.code == 0
    assert all(f"  {lesson.id} " in ran.out for lesson in LESSONS)


def test_the_list_as_json(printed: Printed, valid: Callable[[str, str], dict[str, Any]]) -> None:
    document = valid("Lessons", printed("learn", "-o", "json")[1])
    assert [one["id"] for one in document["lessons"]] == list(BY_ID)
    assert all(one["minutes"] > 0 and one["touches"] for one in document["lessons"])


@pytest.mark.parametrize("name", BY_ID)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_lesson_replays_in_both_languages(printed: Printed, name: str, language: str) -> None:
    code, out, err = printed("learn", name, "--from", f"demo:{name}", "--lang", language)
    assert (code, err) == (0, "")
    assert "✖" not in out
    assert {"en": "claims held", "ko": "모두 확인되었습니다"}[language] in out


@pytest.mark.parametrize("name", BY_ID)
def test_a_replay_is_the_same_protocol(
    printed: Printed, valid: Callable[[str, str], dict[str, Any]], name: str, tmp_path: Path
) -> None:
    code, out, _ = printed("learn", name, "--from", f"demo:{name}", "-o", "json")
    assert code == 0
    assert valid("LessonRun", out)["shown"] is True
    again = tmp_path / "again.json"
    again.write_text(out, encoding="utf-8")
    assert printed("learn", name, "--from", str(again), "-o", "json")[1] == out


def test_a_cluster_that_behaves_otherwise_is_told(printed: Printed, tmp_path: Path) -> None:
    document = json.loads(printed("learn", "conflict", "--from", "demo:conflict", "-o", "json")[1])
    [after] = [act for step in document["steps"] for act in step["acts"] if act["name"] == "after"]
    after["answer"]["body"]["data"]["value"] = "overwritten"
    path = tmp_path / "other.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    code, out, _ = printed("learn", "conflict", "--from", str(path))
    assert code == 1
    assert "✖ What Ann wrote is still there" in out
    assert "The cluster behaved otherwise: 1 of 7 claims" in out


def changed(tmp_path: Path, name: str, change: Callable[[dict[str, Any]], None]) -> str:
    """A shipped recording with a change, as a file."""
    document = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


ODD: tuple[Any, ...] = ("abc", None, [], {}, 1.5, True, -1, 10**30)


@pytest.mark.parametrize("field", ["status", "atMs", "tries", "held", "body"])
@pytest.mark.parametrize("name", ["conflict", "etcd-keys", "contexts"])
def test_a_field_of_another_type_is_no_error_of_ours(printed: Printed, tmp_path: Path, name: str, field: str) -> None:
    for odd in ODD:

        def change(document: dict[str, Any], odd: Any = odd) -> None:
            for act in document["steps"][0]["acts"]:
                act["answer"][field] = odd

        code, _, err = printed("learn", name, "--from", changed(tmp_path, name, change))
        assert "internal error" not in err
        whole = type(odd) is int
        assert code == 2 if field in ("status", "atMs", "tries") and not whole else code in (0, 1)


@pytest.mark.parametrize("field", ["method", "path", "body", "contentType", "credentials"])
@pytest.mark.parametrize("name", ["conflict", "etcd-keys", "contexts"])
def test_a_request_of_another_type_is_no_error_of_ours(printed: Printed, tmp_path: Path, name: str, field: str) -> None:
    for odd in (*ODD, "EXEC", "TOOL", "STOP", "KUBECONFIG"):

        def change(document: dict[str, Any], odd: Any = odd) -> None:
            for step in document["steps"]:
                for act in step["acts"]:
                    act["request"][field] = odd

        code, _, err = printed("learn", name, "--from", changed(tmp_path, name, change))
        assert "internal error" not in err
        assert code in (0, 1, 2)


@pytest.mark.parametrize(("language", "said"), [("en", "could not remove"), ("ko", "지우지 못한 것")])
def test_a_replay_says_what_its_run_had_left(printed: Printed, tmp_path: Path, language: str, said: str) -> None:
    path = changed(tmp_path, "conflict", lambda document: document.update(left=["/api/v1/namespaces/x may be left", 5]))
    code, out, _ = printed("learn", "conflict", "--from", path, "--lang", language)
    assert code == 1
    told = out[out.index(said) :]
    assert "/api/v1/namespaces/x may be left" in told
    assert said not in printed("learn", "conflict", "--from", "demo:conflict", "--lang", language)[1]


@pytest.fixture
def short(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A cluster that refuses a lesson's first request, at length."""

    def answered(request: Request) -> Answer:
        if request.method == "DELETE":
            return refusal(404, "gone")
        refused = request.path.endswith("/configmaps")
        return refusal(500, "x" * 50_000) if refused else Answer({}, 201 if request.method == "POST" else 200)

    api.otherwise = answered
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", api.url)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return api


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    """A file of before that others may read, alone in its folder."""
    (tmp_path / "kept").mkdir()
    path = tmp_path / "kept" / "protocol.json"
    path.write_text("of before", encoding="utf-8")
    path.chmod(0o644)
    return path


LIVE = ("learn", "conflict", "--yes", "--anyway", "--record")


@pytest.mark.usefixtures("short")
def test_a_protocol_is_written_whole_and_for_its_owner_only(printed: Printed, protocol: Path) -> None:
    code, _, err = printed(*LIVE, str(protocol))
    assert (code, err.splitlines()[-1]) == (1, f"{protocol} written")
    assert protocol.stat().st_mode & 0o777 == 0o600
    assert json.loads(protocol.read_text(encoding="utf-8"))["failure"]["id"] == "learn.failed.status"
    assert list(protocol.parent.iterdir()) == [protocol]


@pytest.mark.usefixtures("short")
def test_a_protocol_that_finds_no_room_leaves_the_old_one(printed: Printed, protocol: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        code, _, err = printed(*LIVE, str(protocol))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert (code, "cannot be written" in err) == (1, True)
    assert protocol.read_text(encoding="utf-8") == "of before"
    assert list(protocol.parent.iterdir()) == [protocol]


@pytest.mark.parametrize("place", ["nowhere/protocol.json", "."])
def test_what_could_not_be_kept_is_not_begun(inside: Command, api: Api, tmp_path: Path, place: str) -> None:
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    ran = inside("learn", "conflict", "--yes", "--record", str(tmp_path / place), KUBECONFIG=config)
    assert (ran.code, "cannot be written" in ran.err) == (1, True)
    assert api.requests == []


@pytest.mark.parametrize("name", ["apply", "garbage", "services"])
def test_one_thing_is_told_as_one(printed: Printed, name: str) -> None:
    shown = printed("learn", name, "--from", f"demo:{name}")[1]
    assert "at the first look" in shown
    assert re.findall(r"\b[01] (?:looks|times|objects|pods|ready addresses)\b", shown) == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_with_a_pause_each_step_waits_for_enter(tmp_path: Path, language: str) -> None:
    words = catalog.area(language, "learn")
    with terminal(tmp_path, "learn", "conflict", "--from", "demo:conflict", "--pause", "--lang", language) as screen:
        for number in range(len(BY_ID["conflict"].steps)):
            before = screen.until(words["press"])
            assert number == 0 or f"\n{number}. " in before
            assert f"\n{number + 1}. " not in before
            screen.press("\r")
        assert words["check"] in screen.until(words["press_answer"])
        assert f"\n{words['answer']}\n" not in screen.shown
        screen.press("\r")
        assert f"\n{words['answer']}\n" in screen.rest()
        assert screen.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_a_pause_can_be_left(tmp_path: Path, key: str) -> None:
    with terminal(tmp_path, "learn", "conflict", "--from", "demo:conflict", "--pause") as screen:
        screen.until("Enter goes on")
        screen.press(key)
        assert "\n1. " not in screen.rest()
        assert screen.process.wait(PATIENCE) == 130


@pytest.mark.parametrize("name", BY_ID)
def test_a_dry_run_names_every_request(
    printed: Printed, valid: Callable[[str, str], dict[str, Any]], name: str
) -> None:
    assert printed("learn", name, "--dry-run")[0] == 0
    document = valid("LessonPlan", printed("learn", name, "--dry-run", "-o", "json")[1])
    shipped = json.loads(printed("learn", name, "--from", f"demo:{name}", "-o", "json")[1])
    done = [(act["name"], act["request"]["method"]) for step in shipped["steps"] for act in step["acts"]]
    around = ("prepare", "cleanup")
    inside = [one for one in document["requests"] if one["step"] not in around]
    assert [(one["name"], one["method"]) for one in inside] == done
    before, after = ([one for one in document["requests"] if one["step"] == step] for step in around)
    assert [one["path"] for one in before if one["method"] == "POST"][-1] == "/api/v1/namespaces"
    assert [(one["method"], one["path"]) for one in after][-2:] == [
        ("DELETE", "/api/v1/namespaces/<namespace>"),
        ("GET", "/api/v1/namespaces/<namespace>"),
    ]


@pytest.mark.parametrize(
    ("language", "heads"),
    [
        ("en", ("Before the first step", "After the last step, and whenever it ends early")),
        ("ko", ("첫 단계 전에", "마지막 단계 뒤에, 그리고 도중에 끝날 때")),
    ],
)
def test_a_dry_run_is_whole(printed: Printed, language: str, heads: tuple[str, str]) -> None:
    text = printed("learn", "drain", "--dry-run", "--lang", language)[1]
    assert all(head in text for head in heads)
    assert "│ …" not in text
    assert "<ns>" not in text
    back = text.partition(heads[1])[2]
    assert "PATCH /api/v1/nodes/" in back  # the node is taken into service again
    assert "DELETE /api/v1/namespaces/<namespace>" in back


def test_a_dry_run_in_a_shared_namespace_names_what_is_looked_for(printed: Printed) -> None:
    out = printed("learn", "conflict", "-n", "shop", "--dry-run", "-o", "json")[1]
    after = [one for one in json.loads(out)["requests"] if one["step"] == "cleanup"]
    assert after
    assert all(one["path"].startswith("/api/v1/namespaces/shop/") or "/apis/" in one["path"] for one in after)
    assert all("labelSelector=kcompanion.dev/lesson%3D<run>" in one["path"] for one in after)
    assert printed("learn", "request-pipeline", "-n", "shop", "--dry-run")[0] == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nonsense"], 4, "there is no lesson"),
        (["conflict", "--from", "demo:labels"], 2, "recording of the lesson labels"),
        (["conflict", "--from", "demo:three-nodes"], 2, "no recording is shipped"),
        (["conflict", "--from", "nowhere.json"], 2, "cannot be read as a recorded lesson"),
        (["conflict", "-A"], 2, "one namespace"),
        (["conflict", "--from", "demo:conflict", "--pause"], 2, "no terminal"),
        (["request-pipeline", "-n", "shop", "--yes"], 2, "namespace of its own"),
        (["conflict", "-w", "--from", "demo:conflict"], 2, "leave out --watch"),
        (["conflict", "-l", "a=b", "--dry-run"], 2, "leave out -l"),
        (["-A", "-l", "a=b", "--explain"], 2, "leave out -A, -l, --explain"),
        (["cleanup", "--from", "demo:conflict"], 2, "leave out --from"),
        (["cleanup", "--record", "kept.kcr"], 2, "leave out --record"),
        (["cleanup", "-w", "-l", "a=b"], 2, "leave out --watch, -l"),
        (["cleanup", "--check", "--pause", "--anyway"], 2, "leave out --pause, --check, --anyway"),
    ],
)
def test_what_cannot_be_done_is_refused(inside: Command, words: list[str], code: int, said: str) -> None:
    ran = inside("learn", *words)
    assert ran.code == code
    assert said in ran.err


def test_cleaning_up_after_a_recording_sends_nothing(inside: Command, api: Api, tmp_path: Path) -> None:
    ran = inside(
        "learn", "cleanup", "--from", "demo:conflict", KUBECONFIG=str(write_kubeconfig(tmp_path / "c", api.url))
    )
    assert (ran.code, api.requests) == (2, [])


def test_nobody_to_ask_is_no_consent(inside: Command, api: Api, tmp_path: Path) -> None:
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    ran = inside("learn", "conflict", KUBECONFIG=config)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert api.requests == []


REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def test_what_is_lacking_is_told_before_anything_is_made(
    inside: Command, valid: Callable[[str, str], dict[str, Any]], api: Api, tmp_path: Path
) -> None:
    api.answers[REVIEWS] = Answer({"status": {"allowed": False}}, 201)
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    ran = inside("learn", "volumes", "--yes", KUBECONFIG=config, XDG_STATE_HOME=str(tmp_path))
    assert ran.code == 2
    assert "lacking: a default storage class →" in ran.err
    assert "lacking: the rights to: create namespaces, persistentvolumeclaims, pods;" in ran.err
    assert "--anyway" in ran.err
    assert {(one.method, one.path) for one in api.requests if one.method != "GET"} == {("POST", REVIEWS)}
    assert list(tmp_path.rglob("*.journal")) == []
    ran = inside("learn", "volumes", "--yes", "--anyway", KUBECONFIG=config, XDG_STATE_HOME=str(tmp_path))
    assert "the namespace kcompanion-lesson-" in ran.err


def test_the_list_tells_what_lessons_lack(
    inside: Command, valid: Callable[[str, str], dict[str, Any]], api: Api, tmp_path: Path
) -> None:
    api.answers[REVIEWS] = Answer({"status": {"allowed": True}}, 201)
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    document = valid("Lessons", inside("learn", "--check", "-o", "json", KUBECONFIG=config).out)
    lacks = {one["id"]: [lack["id"] for lack in one["lacks"]] for one in document["lessons"]}
    assert lacks["conflict"] == []
    assert lacks["drain"] == ["two_workers"]
    ran = inside("learn", "drain", "--check", KUBECONFIG=config)
    assert (ran.code, "drain lacks: two worker nodes" in ran.out) == (0, True)


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 5), (500, 5)])
def test_what_nobody_answers_is_not_taken_for_there(
    inside: Command, api: Api, tmp_path: Path, status: int, code: int
) -> None:
    api.otherwise = refusal(status, "no for you")
    ways = {"KUBECONFIG": str(write_kubeconfig(tmp_path / "config", api.url)), "XDG_STATE_HOME": str(tmp_path)}
    ran = inside("learn", "--check", "-o", "json", **ways)
    assert ran.code == code
    if status == 401:
        assert "does not know these credentials" in ran.err
        assert inside("learn", "conflict", "--yes", **ways).code == code
        assert [one.path for one in api.requests if one.method == "POST" and one.path != REVIEWS] == []
        return
    document = json.loads(ran.out)
    assert document["complete"] is False
    assert document["gaps"]
    assert all(one["lacks"] and not any(lack["known"] for lack in one["lacks"]) for one in document["lessons"])
    for language, said in (("en", "0 of 1 can run; of 1 it is not known"), ("ko", "1개는 알 수 없습니다")):
        assert said in inside("learn", "conflict", "--check", "--lang", language, **ways).out


def test_a_need_that_nobody_tells_of_stops_a_lesson_and_a_right_does_not(
    inside: Command, api: Api, tmp_path: Path
) -> None:
    ways = {"KUBECONFIG": str(write_kubeconfig(tmp_path / "config", api.url)), "XDG_STATE_HOME": str(tmp_path)}
    api.answers[REVIEWS] = Answer({"status": {"allowed": True}}, 201)
    api.answers["/apis/storage.k8s.io/v1/storageclasses"] = refusal(403, "no for you")
    ran = inside("learn", "volumes", "--yes", **ways)
    assert ran.code == 5
    assert "not known: a default storage class (no for you)" in ran.err
    assert "/api/v1/namespaces" not in {one.path for one in api.requests}
    api.answers[REVIEWS] = refusal(500, "no for you")
    ran = inside("learn", "conflict", "--yes", **ways)
    assert "not known: the rights to: create namespaces, configmaps; " in ran.err
    assert "/api/v1/namespaces" in {one.path for one in api.requests}


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 5), (500, 5), (0, 3)])
def test_cleaning_up_where_nothing_can_be_read_finds_out_nothing(
    inside: Command, api: Api, tmp_path: Path, status: int, code: int
) -> None:
    api.otherwise = refusal(status or 404, "no for you")
    url = api.url if status else "http://127.0.0.1:1"
    ways = {"KUBECONFIG": str(write_kubeconfig(tmp_path / "config", url)), "XDG_STATE_HOME": str(tmp_path)}
    if code == 3:
        complained(inside("learn", "cleanup", **ways), 3)
        return
    for language, said in (("en", "is not known"), ("ko", "남긴 것이 있는지 알 수 없습니다")):
        ran = inside("learn", "cleanup", "--lang", language, **ways)
        assert (ran.code, said in ran.out) == (code, True)
    document = json.loads(inside("learn", "cleanup", "-o", "json", **ways).out)
    assert (document["complete"], document["left"]) == (False, [])
    assert document["gaps"][0]["resource"] == "namespaces"


@pytest.mark.parametrize(("status", "code", "said"), [(401, 3, "does not know these"), (403, 1, "-n NAMESPACE")])
def test_a_namespace_that_may_not_be_made_is_told(
    inside: Command, api: Api, tmp_path: Path, status: int, code: int, said: str
) -> None:
    """It was refused, so nothing was made, and nothing is kept for a later cleanup."""
    api.answers["/api/v1/namespaces"] = refusal(status, "you may not")
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    ran = inside("learn", "conflict", "--yes", "--anyway", KUBECONFIG=config, XDG_STATE_HOME=str(tmp_path))
    assert ran.code == code
    assert said in ran.err
    assert "learn cleanup" not in ran.err
    assert list(tmp_path.rglob("*.journal")) == []
    assert "DELETE" not in {one.method for one in api.requests}


def test_a_namespace_that_is_not_there_leaves_nothing(inside: Command, api: Api, tmp_path: Path) -> None:
    api.otherwise = refusal(403, "you may not")
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    words = ("learn", "conflict", "-n", "shop", "--yes", "--anyway")
    ran = inside(*words, KUBECONFIG=config, XDG_STATE_HOME=str(tmp_path))
    assert (ran.code, "there is no namespace shop" in ran.err) == (4, True)
    assert list(tmp_path.rglob("*.journal")) == []


def test_an_api_server_that_went_away_leaves_a_journal(inside: Command, api: Api, tmp_path: Path) -> None:
    """The namespace was made, then nothing answers any more: the journal stays for `learn cleanup`."""

    def dying(_: object) -> Any:
        return refusal(500, "etcd is gone")

    api.answers["/api/v1/namespaces"] = lambda _: refusal(500, "etcd is gone")
    api.otherwise = dying
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    ran = inside("learn", "conflict", "--yes", KUBECONFIG=config, XDG_STATE_HOME=str(tmp_path))
    assert ran.code == 1
    assert "learn cleanup" in ran.err
    assert len(list((tmp_path / "kcompanion" / "lessons").glob("*.journal"))) == 1
    api.otherwise = refusal(404, "not found")
    api.answers.clear()
    ran = inside("learn", "cleanup", KUBECONFIG=config, XDG_STATE_HOME=str(tmp_path))
    assert "conflict" in ran.out
    assert list((tmp_path / "kcompanion" / "lessons").glob("*.journal")) == []
