"""`practice` without a cluster: the list, dry runs, what is refused, and what is kept when something goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from kcompanion.cli.completion import answer
from kcompanion.cluster.attempts import Attempt, Attempts, folder
from kcompanion.practice.cases import PRACTICE
from kcompanion.practice.exercises import BY_ID, EXERCISES
from tests.cli.conftest import Command, complained
from tests.servers import Answer, Api, Request, items, refusal, write_kubeconfig

Printed = Callable[..., tuple[int, str, str]]
SPACES = "/api/v1/namespaces"
HOSTILE = "\x1b[31mred\x1b[0m\u202e"


@pytest.fixture
def printed(inside: Command, tmp_path: Path) -> Printed:
    def call(*words: str) -> tuple[int, str, str]:
        ran = inside(*words, COLUMNS="80", XDG_STATE_HOME=str(tmp_path))
        return ran.code, ran.out, ran.err

    return call


@pytest.fixture
def valid(printed: Printed) -> Callable[[str, str], dict[str, Any]]:
    """The document, if it fits the schema of its kind."""

    def check(kind: str, text: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(text)
        Draft202012Validator(json.loads(printed("schema", kind)[1])).validate(document)
        assert document["kind"] == kind
        return document

    return check


@pytest.fixture
def kubeconfig(api: Api, tmp_path: Path) -> str:
    return str(write_kubeconfig(tmp_path / "config", api.url))


def kept(where: Path) -> Attempts:
    return Attempts(folder({"XDG_STATE_HOME": str(where)}))


def under_way(where: Path, server: str, name: str = "service-1") -> Attempt:
    """An exercise that was started, as it is kept."""
    attempt = Attempt(name, "abc123", server, "test", f"kcompanion-practice-{name}", "example/agnhost:1")
    kept(where).keep(attempt)
    return attempt


def broken(api: Api, attempt: Attempt) -> None:
    """What the API server has of service-1 while it is broken: a Service that finds no pod."""
    labels = {PRACTICE: attempt.run}
    space = f"{SPACES}/{attempt.namespace}"
    meta = {"namespace": attempt.namespace, "uid": "u", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    api.answers[space] = Answer({"metadata": {"name": attempt.namespace, "labels": labels}})
    service = {"metadata": {**meta, "name": "web"}, "spec": {"selector": {"app": "wep"}, "ports": [{"port": 80}]}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": HOSTILE, "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    api.answers[f"{space}/services/web"] = Answer(service)
    api.answers[f"/apis/apps/v1/namespaces/{attempt.namespace}/deployments/web"] = Answer(
        {"metadata": {**meta, "name": "web"}, "spec": spec, "status": {}}
    )
    pod = {
        "metadata": {**meta, "name": HOSTILE, "labels": {"app": "web"}},
        "spec": template["spec"],
        "status": {"phase": "Running"},
    }
    api.answers[f"{space}/pods"] = items(pod)
    api.otherwise = lambda request: items() if "limit" in request.path else refusal(404, "not found")


# ---------------------------------------------------------------------------------------- the list


def test_the_list_needs_no_cluster(printed: Printed) -> None:
    code, out, _ = printed("practice", "list")
    assert code == 0
    assert all(f"  {one.id} " in out for one in EXERCISES)
    assert "KC5" not in out


def test_the_list_as_json(printed: Printed, valid: Callable[[str, str], dict[str, Any]], tmp_path: Path) -> None:
    kept(tmp_path).keep(Attempt("job-1", "r", "s", "c", "n", "i", solved=True, open=False, done=True))
    under_way(tmp_path, "https://one.example")
    told = {one["id"]: one for one in valid("Exercises", printed("practice", "list", "-o", "json")[1])["exercises"]}
    assert list(told) == list(BY_ID)
    assert [name for name, one in told.items() if one["done"]] == ["job-1"]
    assert [name for name, one in told.items() if one["open"]] == ["service-1"]


@pytest.mark.parametrize(("language", "word"), [("en", "Exercises: "), ("ko", "연습 문제: ")])
def test_the_list_in_both_languages(printed: Printed, language: str, word: str) -> None:
    assert printed("practice", "list", "--lang", language)[1].startswith(word)


def test_tab_completes_exercises() -> None:
    assert answer(["practice", "start", "job-"])[:-1] == [one.id for one in EXERCISES if one.topic == "job"]
    assert answer(["practice", "ch"])[0].startswith("check\t")


# ------------------------------------------------------------------------------------------- start


def test_a_dry_run_prints_what_would_be_made(printed: Printed) -> None:
    code, out, _ = printed("practice", "start", "policy-1", "--dry-run", "--image", "mirror.example/a:1")
    assert code == 0
    assert [item["kind"] for item in yaml.safe_load_all(out)] == ["Namespace", "ResourceQuota", "Deployment"]
    assert "mirror.example/a:1" in out
    assert "&id" not in out
    assert "*id" not in out
    listed = json.loads(printed("practice", "start", "policy-1", "--dry-run", "-o", "json")[1])
    made = yaml.safe_load_all(printed("practice", "start", "policy-1", "--dry-run")[1])
    assert (listed["kind"], listed["items"]) == ("List", list(made))
    names = printed("practice", "start", "policy-1", "--dry-run", "-o", "name")[1].split()
    assert names[0] == "namespace/kcompanion-practice-policy-1"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["start", "nothing-1"], 4, "practice list"),
        (["start", "config-1", "-n", "shop"], 2, "namespace of its own"),
        (["check", "--from", "demo:healthy"], 2, "live cluster"),
        (["check"], 4, "no exercise is under way"),
        (["hint", "config-1"], 4, "practice start config-1"),
        (["end"], 4, "no exercise is under way"),
    ],
)
def test_what_cannot_be_done_is_refused(printed: Printed, words: list[str], code: int, said: str) -> None:
    ended, out, err = printed("practice", *words)
    assert (ended, out) == (code, "")
    assert said in err


def test_nobody_to_ask_is_no_consent(inside: Command, api: Api, kubeconfig: str) -> None:
    complained(inside("practice", "start", "config-1", KUBECONFIG=kubeconfig), 2, "--yes")
    assert [request for request in api.requests if request.method != "GET"] == []


def test_a_right_that_is_missing_is_named(inside: Command, api: Api, kubeconfig: str, tmp_path: Path) -> None:
    api.answers[SPACES] = refusal(403, 'User "amy" cannot create resource "namespaces"')
    ran = inside("practice", "start", "config-1", "--yes", KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
    complained(ran, 1, 'cannot create resource "namespaces"')
    assert not kept(tmp_path).all()["config-1"].open


def test_what_is_refused_half_way_is_taken_back(inside: Command, api: Api, kubeconfig: str, tmp_path: Path) -> None:
    """The namespace may be made, the Deployment not: the namespace is deleted again."""
    made: list[Request] = []

    def spaces(request: Request) -> Answer:
        made.append(request)
        return Answer(json.loads(request.body), 201)

    def space(request: Request) -> Answer:
        if any(one.method == "DELETE" for one in api.asked(f"{SPACES}/kcompanion-practice-config-1")[:-1]):
            return refusal(404, "gone")
        return Answer(json.loads(made[0].body))

    api.answers[SPACES] = spaces
    api.answers[f"{SPACES}/kcompanion-practice-config-1"] = space
    api.answers[f"{SPACES}/kcompanion-practice-config-1/serviceaccounts/default"] = Answer({})
    api.otherwise = refusal(403, 'cannot create resource "deployments"')
    ran = inside("practice", "start", "config-1", "--yes", KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
    assert ran.code == 1
    assert 'cannot create resource "deployments"' in ran.err
    assert "what was made is removed" in ran.err
    assert not kept(tmp_path).all()["config-1"].open


def test_what_the_cluster_lacks_is_said_beforehand(inside: Command, api: Api, kubeconfig: str) -> None:
    api.answers["/apis/storage.k8s.io/v1/storageclasses"] = items()
    complained(inside("practice", "start", "storage-1", "--yes", KUBECONFIG=kubeconfig), 1, "storage class")
    assert [request for request in api.requests if request.method != "GET"] == []


def test_one_that_is_under_way_is_not_begun_again(inside: Command, api: Api, kubeconfig: str, tmp_path: Path) -> None:
    under_way(tmp_path, api.url)
    ran = inside("practice", "start", "service-1", "--yes", KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
    complained(ran, 2, "is under way", "practice end service-1")


# ------------------------------------------------------------------------------- hint, check and end


def test_hints_go_from_where_to_what(
    inside: Command, api: Api, kubeconfig: str, tmp_path: Path, valid: Callable[[str, str], dict[str, Any]]
) -> None:
    broken(api, under_way(tmp_path, api.url))
    ways = {"KUBECONFIG": kubeconfig, "XDG_STATE_HOME": str(tmp_path)}
    first, second = inside("practice", "hint", **ways), inside("practice", "hint", **ways)
    assert (first.code, second.code) == (0, 0)
    assert "wep" not in first.out
    assert "spec.selector" in second.out
    third = valid("ExerciseHint", inside("practice", "hint", "-o", "json", **ways).out)
    assert (third["hint"], third["cause"]["code"]) == (3, "KC5169")
    assert kept(tmp_path).all()["service-1"].hints == 3


@pytest.mark.parametrize("language", ["en", "ko"])
def test_not_yet_says_what_is_missing_and_escapes_it(
    inside: Command, api: Api, kubeconfig: str, tmp_path: Path, language: str
) -> None:
    broken(api, under_way(tmp_path, api.url))
    ways = {"KUBECONFIG": kubeconfig, "XDG_STATE_HOME": str(tmp_path)}
    for words in (["check"], ["hint"], ["hint"], ["hint"]):
        ran = inside("practice", *words, "--lang", language, **ways)
        assert ran.code == (1 if words == ["check"] else 0), ran
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
    assert "service/web" in inside("practice", "check", **ways).out


def test_check_as_json(
    inside: Command, api: Api, kubeconfig: str, tmp_path: Path, valid: Callable[[str, str], dict[str, Any]]
) -> None:
    broken(api, under_way(tmp_path, api.url))
    ran = inside("practice", "check", "-o", "json", KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
    told = valid("ExerciseCheck", ran.out)
    assert (ran.code, told["solved"], told["explanation"]) == (1, False, None)
    assert "Service kcompanion-practice-service-1/web" in {one["object"] for one in told["unmet"]}


def test_what_may_not_be_read_leaves_it_open(inside: Command, api: Api, kubeconfig: str, tmp_path: Path) -> None:
    broken(api, under_way(tmp_path, api.url))
    api.answers = {path: api.answers[path] for path in api.answers if path.startswith(SPACES) and "/web" not in path}
    api.otherwise = refusal(403, "you may not")
    ran = inside("practice", "check", KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
    assert ran.code == 5, ran


def test_another_cluster_is_refused(inside: Command, api: Api, kubeconfig: str, tmp_path: Path) -> None:
    under_way(tmp_path, "https://one.example:6443")
    for words in (["check"], ["hint"], ["end"]):
        ran = inside("practice", *words, KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
        complained(ran, 2, "https://one.example:6443", "--context test")


def test_with_several_under_way_one_has_to_be_named(inside: Command, api: Api, kubeconfig: str, tmp_path: Path) -> None:
    under_way(tmp_path, api.url)
    under_way(tmp_path, api.url, "job-1")
    ran = inside("practice", "check", KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
    complained(ran, 2, "job-1, service-1")


def test_a_namespace_that_is_gone_is_told_and_can_be_ended(
    inside: Command, api: Api, kubeconfig: str, tmp_path: Path, valid: Callable[[str, str], dict[str, Any]]
) -> None:
    under_way(tmp_path, api.url)
    ways = {"KUBECONFIG": kubeconfig, "XDG_STATE_HOME": str(tmp_path)}
    complained(inside("practice", "check", **ways), 4, "practice end service-1")
    ran = inside("practice", "end", "-o", "json", **ways)
    told = valid("ExerciseEnd", ran.out)
    assert (ran.code, told["left"], told["solved"]) == (0, [], False)
    assert not kept(tmp_path).all()["service-1"].open


def test_a_namespace_of_somebody_else_is_left_alone(
    inside: Command, api: Api, kubeconfig: str, tmp_path: Path, valid: Callable[[str, str], dict[str, Any]]
) -> None:
    """Another run has the name by now: neither `end` nor `cleanup` deletes it; cleanup names it."""
    attempt = under_way(tmp_path, api.url)
    theirs = {"metadata": {"name": attempt.namespace, "labels": {PRACTICE: "other"}}}
    api.answers[f"{SPACES}/{attempt.namespace}"] = Answer(theirs)
    api.answers[SPACES] = items(theirs)
    ways = {"KUBECONFIG": kubeconfig, "XDG_STATE_HOME": str(tmp_path)}
    ran = inside("practice", "cleanup", "-o", "json", **ways)
    assert valid("PracticeCleanup", ran.out)["others"] == [attempt.namespace]
    assert [request for request in api.requests if request.method == "DELETE"] == []


def test_learn_cleanup_names_it_and_leaves_it_alone(inside: Command, api: Api, kubeconfig: str, tmp_path: Path) -> None:
    attempt = under_way(tmp_path, api.url)
    api.otherwise = items()
    ran = inside("learn", "cleanup", "-o", "json", KUBECONFIG=kubeconfig, XDG_STATE_HOME=str(tmp_path))
    assert json.loads(ran.out)["running"] == [f"practice service-1 {attempt.run} ({attempt.namespace})"]
    assert [request for request in api.requests if request.method == "DELETE"] == []
    assert kept(tmp_path).all()["service-1"].open


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 5), (500, 5)])
@pytest.mark.parametrize("words", [["cleanup"], ["cleanup", "--all"]])
def test_exercises_that_cannot_be_listed_are_not_taken_for_none(
    inside: Command, api: Api, kubeconfig: str, tmp_path: Path, words: list[str], status: int, code: int
) -> None:
    api.otherwise = refusal(status, "no for you")
    ways = {"KUBECONFIG": kubeconfig, "XDG_STATE_HOME": str(tmp_path)}
    if code == 3:
        complained(inside("practice", *words, **ways), 3, "does not know these credentials")
        return
    for language, said in (("en", "cannot be told"), ("ko", "있는지는 알 수 없습니다")):
        ran = inside("practice", *words, "--lang", language, **ways)
        assert (ran.code, said in ran.out, "list namespaces" in ran.out) == (code, True, True)
    assert json.loads(inside("practice", *words, "-o", "json", **ways).out)["complete"] is False


@pytest.mark.parametrize("status", [401, 0])
def test_an_exercise_that_nobody_takes_ends_as_not_reached(
    inside: Command, api: Api, tmp_path: Path, status: int
) -> None:
    api.otherwise = refusal(status or 404, "no for you")
    url = api.url if status else "http://127.0.0.1:1"
    config = str(write_kubeconfig(tmp_path / "elsewhere", url))
    ran = inside("practice", "start", "config-1", "--yes", KUBECONFIG=config, XDG_STATE_HOME=str(tmp_path))
    complained(ran, 3)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"exercise": "service-1", "odd": 1}', "\x00"])
def test_a_score_that_cannot_be_read_is_passed_over(printed: Printed, tmp_path: Path, text: str) -> None:
    where = folder({"XDG_STATE_HOME": str(tmp_path)})
    where.mkdir(parents=True)
    (where / "service-1.json").write_text(text, encoding="utf-8")
    assert printed("practice", "list")[0] == 0
    assert printed("practice", "check")[0] == 4


def test_a_folder_that_cannot_be_made_stops_it_before_anything_is(
    inside: Command, api: Api, kubeconfig: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    state = str(tmp_path / "file")
    ran = inside("practice", "start", "config-1", "--yes", KUBECONFIG=kubeconfig, XDG_STATE_HOME=state)
    complained(ran, 1, "XDG_STATE_HOME")
    assert [request for request in api.requests if request.method != "GET"] == []
