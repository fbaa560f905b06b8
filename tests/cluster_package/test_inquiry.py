"""What lessons need of this machine: found where it is slow, told where it is not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.inquiry import NO_PROGRAM, Inquiry
from kcompanion.learn.needs import NEEDS, Command
from tests.servers import write_kubeconfig


@pytest.fixture
def inquiry(tmp_path: Path) -> Iterator[Inquiry]:
    connection = connect(Target(kubeconfig=str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1"))))
    yield Inquiry(connection, 0.05)
    connection.client.rest_client.close()


def test_a_program_may_take_longer_than_an_answer_of_the_server(inquiry: Inquiry) -> None:
    slow = Command((sys.executable, "-c", "import time; time.sleep(0.3); print('here')"))
    assert (inquiry(slow).status, inquiry(slow).body) == (0, "here\n")


def test_the_operators_program_is_found(inquiry: Inquiry) -> None:
    need = NEEDS["operator"]
    assert need.met(*(inquiry(asked) for asked in need.asks))
    (asked,) = need.asks
    assert isinstance(asked, Command)
    without = Command((asked.argv[0], "-I", "-S", *asked.argv[1:]))  # no packages, no checkout
    assert not need.met(inquiry(without))


def test_what_is_not_installed_is_told(inquiry: Inquiry) -> None:
    assert inquiry(Command(("no-such-program",))).status == NO_PROGRAM
