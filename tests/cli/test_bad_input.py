"""Whatever is wrong, the person gets one line that says what, one that helps, and the right exit code."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import DATA, Command, complained
from tests.pki import LONG_AGO, Authority
from tests.servers import Answer, Api, refusal, serving, tls, write_kubeconfig


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


def test_no_kubeconfig(kcompanion: Command) -> None:
    complained(kcompanion("version"), 3, "no kubeconfig was found", "KUBECONFIG")


def test_broken_yaml(inside: Command, config: Path) -> None:
    config.write_text("contexts: [")
    complained(inside("version", "--kubeconfig", str(config)), 3, "is not YAML")


def test_a_context_that_is_not_there(inside: Command, config: Path) -> None:
    write_kubeconfig(config, "https://127.0.0.1:1", name="prod")
    complained(inside("version", KUBECONFIG=str(config)), 3, "connection refused")
    complained(inside("version", "--context", "staging", KUBECONFIG=str(config)), 3, "'staging'", "it has: prod")


def test_a_server_of_another_ca(inside: Command, config: Path, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    with serving(tls(authority.issue("server", "127.0.0.1"))) as server:
        write_kubeconfig(config, server.url, certificate_authority=other.file)
        complained(inside("version", KUBECONFIG=str(config)), 3, "not signed by the CA")


def test_an_ended_client_certificate(inside: Command, config: Path, authority: Authority) -> None:
    certificate, key = authority.issue("jane", ends=LONG_AGO.replace(year=2025))
    with serving(tls(authority.issue("server", "127.0.0.1"))) as server:
        server.otherwise = refusal(401, "Unauthorized")
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        write_kubeconfig(config, server.url, user, certificate_authority=authority.file)
        complained(inside("nodes", KUBECONFIG=str(config)), 3, "(401)", "ended on 2025-01-01T00:00:00Z")


def test_unknown_credentials(inside: Command, config: Path, api: Api) -> None:
    api.otherwise = refusal(401, "Unauthorized")
    write_kubeconfig(config, api.url, {"token": "old"})
    for command in ("version", "nodes"):
        complained(inside(command, KUBECONFIG=str(config)), 3, "does not know these credentials")


def test_an_exec_plugin_that_fails(kcompanion: Command, config: Path, api: Api) -> None:
    write_kubeconfig(config, api.url, {"exec": {"command": "sh", "args": ["-c", "echo login first >&2; exit 1"]}})
    complained(kcompanion("version", KUBECONFIG=str(config)), 3, "exec plugin sh ended with 1: login first")
    assert api.requests == []


def test_a_server_that_hangs(kcompanion: Command, config: Path, api: Api) -> None:
    def took(server: str) -> float:
        write_kubeconfig(config, server)
        started = time.monotonic()
        complained(kcompanion("nodes", "--deadline", "2s", KUBECONFIG=str(config)), 3, "does not answer")
        return time.monotonic() - started

    api.otherwise = api.hang
    start_of_python = took("http://127.0.0.1:1")  # refused at once
    assert took(api.url) - start_of_python < 2 + 2


def test_a_web_page_instead_of_an_api(inside: Command, config: Path, api: Api) -> None:
    api.otherwise = Answer("<html>", headers={"Content-Type": "text/html"})
    write_kubeconfig(config, api.url)
    complained(inside("controlplane", KUBECONFIG=str(config)), 3, "a proxy or a login")


def test_everything_forbidden_is_undecided_not_well(inside: Command, config: Path, api: Api) -> None:
    api.otherwise = refusal(403, "forbidden")
    write_kubeconfig(config, api.url)
    for command in ("controlplane", "nodes", "addons"):
        ran = inside(command, "-o", "json", KUBECONFIG=str(config))
        assert (ran.code, ran.err) == (5, ""), command
        assert json.loads(ran.out)["complete"] is False


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["nodez"], "Did you mean 'nodes'"),
        (["nodes", "--nope"], "No such option"),
        (["nodes", "-n", "a", "-A"], "exclude each other"),
        (["nodes", "--from", "a", "--record", "b"], "exclude each other"),
        (["nodes", "--deadline", "soon"], "not a duration"),
        (["nodes", "--now", "noon"], "not a time"),
        (["nodes", "-o", "xml"], "xml"),
        (["nodes", "--as-group", "a"], "--as"),
        (["snapshot", "save"], "FILE"),
        (["snapshot", "save", "/"], "is a folder"),
        (["nodes", "--from", "/no/such/file"], "there is no file"),
        (["snapshot", "inspect", "/"], "cannot be read"),
        (["diff", "demo:three-nodes", "/no/such/file"], "name a file"),
        (["serve", "-o", "json"], "No such option"),
        (["completion", "tcsh"], "tcsh"),
    ],
)
def test_usage(inside: Command, config: Path, words: list[str], word: str) -> None:
    write_kubeconfig(config, "https://127.0.0.1:1")
    complained(inside(*words, KUBECONFIG=str(config)), 2, word)


def test_an_unknown_schema_is_not_found(inside: Command) -> None:
    complained(inside("schema", "Nope"), 4, "ControlPlane")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"junk", "is not a recording"),
        (gzip.compress(b"{}", mtime=0), "is not a recording"),
        (DATA.joinpath("kind.kcr").read_bytes()[:5000], "is cut off"),
        (gzip.compress(b'{"format":"kcompanion-recording","version":99}', mtime=0), "newer kcompanion"),
        (gzip.compress(b" " * (70 << 20), compresslevel=1, mtime=0), "more than any cluster"),
    ],
)
def test_recordings_that_are_none(inside: Command, tmp_path: Path, data: bytes, word: str) -> None:
    path = tmp_path / "x.kcr"
    path.write_bytes(data)
    complained(inside("controlplane", "--from", str(path)), 2, word)


HOSTILE = "\x1b[31mred\x1b[0m\x07<script>alert(1)</script>\u202e\n\rend"


def test_hostile_names_in_a_recording_stay_text(inside: Command, tmp_path: Path) -> None:
    document = json.loads(gzip.decompress(DATA.joinpath("kind.kcr").read_bytes()))
    text = json.dumps(document).replace("node-1", json.dumps(HOSTILE)[1:-1])
    path = tmp_path / "x.kcr"
    path.write_bytes(gzip.compress(text.encode()))
    for command in ("controlplane", "nodes", "addons"):
        ran = inside(command, "--from", str(path), "--color", "never")
        assert "Traceback" not in ran.err
        assert ran.code in (0, 5)
        assert [char for char in ran.out + ran.err if char in "\x1b\x07\r\u202e"] == []
    broken = tmp_path / "y\x1b[31m.kcr"
    assert "\x1b" not in inside("nodes", "--from", str(broken)).err


def test_a_kubeconfig_with_hostile_names(inside: Command, config: Path) -> None:
    write_kubeconfig(config, "https://127.0.0.1:1", name=HOSTILE)
    assert yaml.safe_load(config.read_text())
    ran = inside("contexts", KUBECONFIG=str(config))
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\x1b" not in inside("version", "--context", HOSTILE + "x", KUBECONFIG=str(config)).err
