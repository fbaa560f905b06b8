"""The frame around commands: help, lazy imports, exit codes, completion, schemas, formats."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from kcompanion import __version__
from kcompanion.cli.completion import answer, script
from kcompanion.cli.main import COMMANDS, run
from kcompanion.cli.output import Answer, exit_code
from kcompanion.errors import CompanionError, NotAuthenticated, NotFound, Unreachable, UsageError
from kcompanion.model.finding import Finding, Severity
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot
from kcompanion.report.document import Document
from tests.cli.conftest import DATA, ROOT, Command
from tests.servers import Api, items, write_kubeconfig

LIMIT = 170  # seconds, so that a program that hangs is named by its test
RECORDED = ("version", "controlplane", "nodes", "addons", "whoami", "doctor")


def test_help_names_every_command(inside: Command) -> None:
    ran = inside("--help")
    assert ran.code == 0
    assert [name for name in COMMANDS if f"  {name} " not in ran.out] == []
    assert "Exit codes" in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(inside: Command, name: str) -> None:
    ran = inside(name, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: kcompanion {name} ")


def test_version_of_the_program(kcompanion: Command) -> None:
    assert kcompanion("--version").out == f"kcompanion {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["nodes", "--help"],
        ["--version"],
        ["schema"],
        ["practice", "list"],
        ["version", "--from", str(DATA / "kind.kcr")],
    ],
)
def test_what_needs_no_cluster_loads_no_client(words: list[str]) -> None:
    check = (
        "import sys; from kcompanion.cli.main import run; run(sys.argv[1:]);"
        "print([m for m in ('kubernetes', 'urllib3', 'kopf', 'cryptography', 'pydantic') if m in sys.modules],"
        "file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check, *words], capture_output=True, text=True, cwd=ROOT, check=True, timeout=LIMIT
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_as_a_plugin_it_is_called_kubectl_companion(tmp_path: Path) -> None:
    program = tmp_path / "kubectl-companion"
    program.write_text(f"#!{sys.executable}\nfrom kcompanion.cli.main import main\nmain()\n")
    program.chmod(0o755)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [program, "nodes", "--help"], capture_output=True, text=True, env=env, check=True, timeout=LIMIT
    )
    assert done.stdout.startswith("Usage: kubectl companion nodes ")


def test_exit_codes_of_failures() -> None:
    codes = {UsageError: 2, Unreachable: 3, NotAuthenticated: 3, NotFound: 4, CompanionError: 1}
    assert {error: error.exit_code for error in codes} == codes


def test_undecided_comes_before_findings() -> None:
    finding = Finding("KC0001", Severity.WARNING, "Pod/x", say("x.y"))
    snapshot = Snapshot(datetime.now(UTC))

    def code(fail_on: str | None, *, undecided: bool) -> int:
        answer = Answer("X", snapshot, {}, Document(), findings=[finding], undecided=undecided)
        return exit_code(answer, fail_on)

    assert code(None, undecided=False) == 0
    assert code("warning", undecided=False) == 1
    assert code("critical", undecided=False) == 0
    assert code("warning", undecided=True) == 5


def test_not_found_comes_before_undecided_and_unreachable_before_not_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1"))
    assert run(["nodes", "no-such-node", "--from", str(DATA / "kind.kcr")]) == 4
    assert run(["nodes", "no-such-node", "--kubeconfig", config]) == 3
    assert run(["nodes", "no-such-node", "--kubeconfig", config, "-o", "nonsense"]) == 2
    assert capsys.readouterr().err.count("error: ") == 3


def test_a_bug_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["nodes", "--from", "\0"]) in (1, 2)
    assert capsys.readouterr().err.startswith("error: ")


def test_a_reader_that_goes_away_is_no_failure() -> None:
    command = f"{sys.executable} -m kcompanion controlplane --from {DATA / 'kind.kcr'} -o json | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False, timeout=LIMIT
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("recording", ["kind", "kind-ha", "restricted"])
def test_json_fits_its_schema_and_is_the_same_every_time(
    capsys: pytest.CaptureFixture[str], name: str, recording: str
) -> None:
    words = [name, "--from", str(DATA / f"{recording}.kcr"), "-o", "json"]
    codes = run(words), run([*words, "--lang", "ko"])
    both = capsys.readouterr().out
    half = len(both) // 2
    assert both[:half] == both[half:]
    assert codes[0] == codes[1]
    document = json.loads(both[:half])
    Draft202012Validator(schema(capsys, document["kind"])).validate(document)
    assert both[:half] == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def schema(capsys: pytest.CaptureFixture[str], kind: str) -> dict[str, object]:
    assert run(["schema", kind]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_schemas_are_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    run(["schema"])
    kinds = capsys.readouterr().out.split()
    assert kinds == sorted(kinds)
    assert "ControlPlane" in kinds
    for kind in kinds:
        found = schema(capsys, kind.lower())
        Draft202012Validator.check_schema(found)
        assert found["title"] == kind
        assert not Draft202012Validator(found).is_valid({})
        assert "additionalProperties" not in found  # additive: later fields fit too


def test_snapshot_info(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(DATA / "kind.kcr")
    assert run(["snapshot", "inspect", file, "-o", "json"]) == 0
    info = json.loads(capsys.readouterr().out)
    Draft202012Validator(schema(capsys, "SnapshotInfo")).validate(info)
    assert info["anonymized"] is True
    assert {row["kind"]: row["count"] for row in info["objects"]}["Node"] == 3
    assert run(["snapshot", "inspect", file]) == 0
    assert "Taken out" in capsys.readouterr().out
    assert run(["snapshot", "inspect", file, "--lang", "ko"]) == 0
    assert "지운 값" in capsys.readouterr().out
    assert run(["snapshot", "inspect", "demo:faulty", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["anonymized"] is False


def test_contexts_fit_their_schema(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "config", "https://x", {"token": "t"})
    assert run(["contexts", "--kubeconfig", str(config), "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(schema(capsys, "Contexts")).validate(document)


def test_yaml_says_what_json_says(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["nodes", "--from", str(DATA / "kind.kcr"), "-o"]
    run([*words, "json"])
    as_json = capsys.readouterr().out
    run([*words, "yaml"])
    assert yaml.safe_load(capsys.readouterr().out) == json.loads(as_json)


def test_a_recording_gives_what_was_shown(kcompanion: Command, api: Api, tmp_path: Path) -> None:
    api.otherwise = items({"metadata": {"name": "n1", "uid": "1"}})
    config = write_kubeconfig(tmp_path / "config", api.url)
    now = ("--now", "2026-11-21T07:00:00Z", "-o", "json")
    live = kcompanion("nodes", "--record", "x.kcr", *now, KUBECONFIG=str(config))
    again = kcompanion("nodes", "--from", "x.kcr", *now)
    assert (live.code, live.out) == (again.code, again.out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(inside: Command, shell: str) -> None:
    ran = inside("completion", shell)
    assert ran.code == 0
    assert "_KCOMPANION_COMPLETE" in ran.out
    assert ran.out == script(shell)


def test_bash_completes(kcompanion: Command) -> None:
    ran = kcompanion(COMP_WORDS="kcompanion cont", COMP_CWORD="1", _KCOMPANION_COMPLETE="bash_complete")
    assert [line.partition(",")[2] for line in ran.out.splitlines()] == ["controlplane", "contexts"]


@pytest.mark.parametrize(
    ("words", "candidate", "directive"),
    [
        (["contr"], "controlplane", 4),
        (["snapshot", "in"], "inspect", 4),
        (["nodes", "--from", ""], "", 0),
        (["nodes", "-o", "w"], "wide", 4),
        (["nodes", "--no-h"], "--no-headers", 4),
        (["zzz"], "", 4),
        ([], "controlplane", 4),
    ],
)
def test_kubectl_asks_for_completions(words: list[str], candidate: str, directive: int) -> None:
    *lines, last = answer(words)
    assert last == f":{directive}"
    assert candidate == "" or candidate in [line.partition("\t")[0] for line in lines]


def test_a_second_ctrl_c_does_not_disturb_the_end() -> None:
    """Temporary files are removed last, credentials among them."""
    code = (
        "import atexit, os, signal; from kcompanion.cli.main import main; "
        "atexit.register(lambda: [os.kill(os.getpid(), number) for number in (signal.SIGINT, signal.SIGTERM)]); "
        "main(['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
