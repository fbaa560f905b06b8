"""`kcompanion operator run` up to the point where it needs a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command, complained
from tests.servers import Answer, Api, refusal, write_kubeconfig


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "localhost:-1"])
def test_a_wrong_address_is_told_by_the_command_that_was_called(inside: Command, listen: str) -> None:
    complained(
        inside("operator", "run", "-A", "--listen", listen), 2, "ADDRESS:PORT", "`kcompanion operator run --help`"
    )


def test_one_namespace_or_all(inside: Command) -> None:
    complained(inside("operator", "run"), 2, "-n NAMESPACE or -A")


def test_it_goes_where_and_as_whom_it_is_told(kcompanion: Command, api: Api, tmp_path: Path) -> None:
    """And what it says of a server that does not let it in is one line, the last of those it logs."""
    config = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    api.answers["/version"] = Answer({})
    api.otherwise = refusal(403, "leases is forbidden")
    way = ("--kubeconfig", str(config), "--server", api.url, "--as", "ann", "--as-group=a", "--as-group=b")
    ran = kcompanion("operator", "run", "-n", "shop", *way, "--lang", "ko", "--listen", "127.0.0.1:0", timeout=90)
    assert (ran.code, ran.out) == (2, ""), ran
    error, hint = ran.err.splitlines()[-2:]
    assert error.startswith("error: the Lease kube-system/kcompanion-")
    assert error.endswith("leases is forbidden")
    assert "--lease-namespace shop" in hint
    assert "Traceback" not in ran.err
    first = api.requests[0]
    assert (first.values("Impersonate-User"), first.values("Impersonate-Group")) == (["ann"], ["a", "b"])


def test_a_server_that_is_not_there_is_named(kcompanion: Command, tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    ran = kcompanion("operator", "run", "-A", "--kubeconfig", str(config), "--listen", "127.0.0.1:0", timeout=90)
    assert ran.code == 3, ran
    error, hint = ran.err.splitlines()[-2:]
    assert error == "error: the API server does not answer: 127.0.0.1:1: connection refused"
    assert hint == "  → check the kubeconfig's server"
