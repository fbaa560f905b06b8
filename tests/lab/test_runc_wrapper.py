import json
from pathlib import Path

import pytest

from lab import runc_wrapper

_SETS = {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE"]}


def test_a_new_container_does_not_ask_for_the_capability(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"root": {"path": "/"}, "process": {"args": ["x"], "capabilities": _SETS}}))
    runc_wrapper.rewrite(["--root", "/run/x", "create", "--bundle", str(tmp_path), "0123"])
    spec = json.loads(config.read_text())
    assert spec["process"] == {"args": ["x"], "capabilities": {"bounding": ["CAP_CHOWN"], "effective": []}}
    assert spec["root"] == {"path": "/"}


def test_a_process_in_a_container_does_not_ask_for_it_either(tmp_path: Path) -> None:
    process = tmp_path / "process.json"
    process.write_text(json.dumps({"args": ["sh"], "capabilities": _SETS}))
    runc_wrapper.rewrite(["exec", f"--process={process}", "0123"])
    assert json.loads(process.read_text())["capabilities"]["bounding"] == ["CAP_CHOWN"]


def test_other_commands_are_handed_over_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runc_wrapper.rewrite(["delete", "--force", "0123"])
    runc_wrapper.rewrite(["exec", "--tty", "0123", "sh"])
    assert list(tmp_path.iterdir()) == []


def test_a_process_without_capabilities_stays_valid() -> None:
    assert runc_wrapper.without({"args": ["sh"]}) == {"args": ["sh"], "capabilities": {}}
