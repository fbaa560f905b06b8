from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kcompanion.access.contexts import Context, contexts, findings, without_login
from kcompanion.access.credentials import credential
from tests.pki import Authority

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CANARY = "c4n4ry"


def nothing(path: str) -> str | None:
    return None


def one(user: dict[str, Any], cluster: dict[str, Any] | None = None, **context: Any) -> Context:
    target = {"server": "https://10.0.0.1:6443"} if cluster is None else cluster
    bodies = {"c": {"cluster": "k", "user": "u", **context}}
    (found,) = contexts("c", bodies, {"k": target}, {"u": user}, nothing, NOW)
    return found


def codes(context: Context) -> set[str]:
    return {f.code for f in findings([context], [], any_current=True)}


def with_certificate(folder: Path, days: float) -> dict[str, Any]:
    file, _ = Authority(folder).issue("admin", group="ops", ends=NOW + timedelta(days=days))
    return {"client-certificate-data": base64.b64encode(file.read_bytes()).decode()}


@pytest.mark.parametrize(
    ("user", "kinds"),
    [
        ({}, ()),
        ({"token": CANARY}, ("token",)),
        ({"tokenFile": "/t"}, ("token-file",)),
        ({"username": "a", "password": CANARY}, ("basic",)),
        ({"auth-provider": {"name": "gcp", "config": {"access-token": CANARY}}}, ("auth-provider",)),
        ({"exec": {"command": "/usr/bin/aws", "args": [CANARY], "env": [{"name": "A", "value": CANARY}]}}, ("exec",)),
    ],
)
def test_kinds_of_credentials_are_named_and_never_shown(user: dict[str, Any], kinds: tuple[str, ...]) -> None:
    found = one(user)
    assert found.credential.kinds == kinds
    assert CANARY not in json.dumps(found.to_json())


def test_of_an_exec_plugin_only_the_program_is_told() -> None:
    assert credential({"exec": {"command": "/usr/local/bin/aws"}}, nothing).program == "aws"


@pytest.mark.parametrize(
    ("days", "left", "code"),
    [(100.5, 100, None), (29.5, 29, "KC4002"), (0.5, 0, "KC4002"), (-0.5, -1, "KC4001"), (-10, -10, "KC4001")],
)
def test_the_end_of_a_certificate(tmp_path: Path, days: float, left: int, code: str | None) -> None:
    found = one(with_certificate(tmp_path, days))
    assert found.days == left
    assert codes(found) == ({code} if code else set())


def test_a_certificate_in_a_file_is_read(tmp_path: Path) -> None:
    file, _ = Authority(tmp_path).issue("admin", ends=NOW + timedelta(days=99, hours=1))
    body = {"c": {"cluster": "k", "user": "u"}}
    users = {"u": {"client-certificate": str(file)}}
    (found,) = contexts("c", body, {"k": {}}, users, lambda path: Path(path).read_text(), NOW)
    assert found.days == 99


def test_a_certificate_that_cannot_be_read_is_told() -> None:
    assert codes(one({"client-certificate": "/gone"})) == {"KC4007"}
    assert codes(one({"client-certificate-data": "not base64!"})) == {"KC4007"}


def test_parts_that_are_missing_are_told() -> None:
    (found,) = contexts("c", {"c": {"cluster": "x", "user": "y"}}, {}, {}, nothing, NOW)
    assert found.missing == ("cluster 'x'", "user 'y'")
    (told,) = findings([found], [], any_current=True)
    assert (told.code, told.severity) == ("KC4003", "critical")


def test_an_unchecked_server_and_old_providers_are_told() -> None:
    assert codes(one({"auth-provider": {"name": "x"}}, {"insecure-skip-tls-verify": True})) == {"KC4004", "KC4008"}


def test_no_current_context_and_open_files_are_told() -> None:
    told = findings([one({})], ["/k"], any_current=False)
    assert {f.code for f in told} == {"KC4005", "KC4006"}


def test_a_server_address_is_shown_without_login() -> None:
    assert without_login(f"https://me:{CANARY}@host:6443/k8s") == "https://host:6443/k8s"
    assert without_login("https://host/a@b") == "https://host/a@b"
    assert without_login("nonsense") == "nonsense"
