"""`why` and `why-not` on recordings of the lab and on the healthy cluster."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run
from kcompanion.cluster import recording

CASES = Path(__file__).parents[1] / "explain" / "cases"
HEALTHY = Path(recording.__file__).parents[1] / "recordings" / "three-nodes.kcr"
SPREAD = ["-n", "demo-kc5072", "--from", str(CASES / "KC5072" / "positive.kcr")]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(list(words))
    return code, capsys.readouterr().out


def test_why_not_tells_each_predicate_with_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "why-not", "lost", "kcompanion-worker", *SPREAD)
    assert code == 0
    assert "cannot go to kcompanion-worker" in out
    assert "PodTopologySpread" in out
    assert "maxSkew 1" in out
    assert "nodeTaintsPolicy: Honor" in out  # what would have to change
    assert "not the scheduler's own words" in " ".join(out.split())


def test_why_tells_every_node_and_the_schedulers_words(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "why", "pod/lost", *SPREAD)
    assert code == 0
    assert "fits on none of the 3 nodes" in out
    assert all(f"kcompanion-{name}" in out for name in ("control-plane", "worker ", "worker2"))
    assert "0/3 nodes are available" in out


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("explain", [(), ("--explain",)])
def test_both_languages(capsys: pytest.CaptureFixture[str], language: str, explain: tuple[str, ...]) -> None:
    for words in (("why", "lost"), ("why-not", "lost", "node/kcompanion-worker")):
        code, out = told(capsys, *words, *SPREAD, "--lang", language, *explain)
        assert code == 0
        assert "kcompanion-worker" in out


@pytest.mark.parametrize(
    ("words", "kind"), [(("why", "lost"), "Why"), (("why-not", "lost", "kcompanion-worker"), "WhyNot")]
)
def test_json_fits_its_schema(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], kind: str) -> None:
    run(["schema", kind])
    schema = json.loads(capsys.readouterr().out)
    code, out = told(capsys, *words, *SPREAD, "-o", "json")
    assert code == 0
    document = json.loads(out)
    Draft202012Validator(schema).validate(document)
    assert document["kind"] == kind
    assert document["recomputed"] is True


def test_a_running_pod_is_judged_as_if_it_were_to_be_placed_now(capsys: pytest.CaptureFixture[str]) -> None:
    pod = _pod("kube-proxy")
    node = pod["spec"]["nodeName"]
    words = ["why-not", pod["metadata"]["name"], node, "-n", "kube-system", "--from", str(HEALTHY)]
    code, out = told(capsys, *words)
    assert code == 0
    assert "would fit there now too" in " ".join(out.split())
    code, out = told(capsys, "why", pod["metadata"]["name"], "-n", "kube-system", "--from", str(HEALTHY))
    assert code == 0
    assert f"is on {node}" in " ".join(out.split())
    assert "DaemonSet kube-proxy" in out


@pytest.mark.parametrize("language", ["en", "ko"])
def test_wide_tells_the_predicates_of_the_pods_own_node(capsys: pytest.CaptureFixture[str], language: str) -> None:
    words = ("why", _pod("kube-proxy")["metadata"]["name"], "-n", "kube-system", "--from", str(HEALTHY))
    for wide, shown in (((), False), (("-o", "wide"), True)):
        code, out = told(capsys, *words, *wide, "--lang", language)
        assert code == 0
        assert ("NodeResourcesFit" in out) is shown


def test_what_would_have_to_change_is_told_of_all_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "why", "lost", *SPREAD)
    assert code == 0
    assert "nodeTaintsPolicy: Honor" in out
    assert "kcompanion why-not lost" in " ".join(out.split())


def test_a_static_pod_was_never_scheduled(capsys: pytest.CaptureFixture[str]) -> None:
    name = _pod("etcd")["metadata"]["name"]
    code, out = told(capsys, "why", name, "-n", "kube-system", "--from", str(HEALTHY))
    assert code == 0
    assert "No scheduler was asked" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("why", "nobody"), 4),
        (("why-not", "nobody", "kcompanion-worker"), 4),
        (("why-not", "lost", "no-such-node"), 4),
        (("why-not", "node/lost", "kcompanion-worker"), 2),
        (("why", "deployment/lost"), 2),
        (("why", "lost", "-A"), 2),
        (("why-not", "lost"), 2),
    ],
)
def test_exit_codes(words: tuple[str, ...], code: int) -> None:
    where = SPREAD if "-A" not in words else SPREAD[2:]
    assert run([*words, *where]) == code


def _pod(prefix: str) -> dict:  # type: ignore[type-arg]  # JSON
    snapshot = recording.load(HEALTHY)
    pods = (item for reading in snapshot.readings.values() if isinstance(reading.body, list) for item in reading.body)
    return next(p for p in pods if p.get("spec", {}).get("nodeName") and p["metadata"]["name"].startswith(prefix))
