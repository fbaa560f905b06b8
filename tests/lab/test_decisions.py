import pytest

from lab import __main__ as command_line
from lab import engine, images, recover
from lab.images import Source
from lab.recover import Plan
from lab.shell import LabError

_ALL = ["a", "b"]


def test_an_image_of_ours_is_used_while_its_recipe_is_the_same() -> None:
    assert images.source("1234", "1234") is Source.PRESENT
    assert images.source("1233", "1234") is Source.BUILD


def test_an_official_image_is_used_and_a_missing_one_pulled() -> None:
    assert images.source("", "1234") is Source.PRESENT
    assert images.source(None, "1234") is Source.PULL


def test_a_healthy_cluster_is_reused() -> None:
    assert recover.plan(_ALL, _ALL, complaint="", complete=True) is Plan.REUSE
    assert recover.plan(_ALL, _ALL, complaint="", complete=False) is Plan.REUSE


def test_a_cluster_that_was_complete_gets_time_before_it_is_made_anew() -> None:
    assert recover.plan(_ALL, _ALL, complaint="not running: a", complete=True) is Plan.RESTART
    assert recover.plan(_ALL, ["a"], complaint="not running: b", complete=True) is Plan.RECREATE


def test_a_creation_that_never_ended_is_not_waited_for() -> None:
    assert recover.plan(_ALL, _ALL, complaint="no answer", complete=False) is Plan.RECREATE
    assert recover.plan(_ALL, [], complaint="not running: a, b", complete=True) is Plan.CREATE


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (LabError("an engine", "start Docker"), 1, "missing: an engine\ndo: start Docker\n"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "/x"), 1, "missing: /x (No space left on device)"),
    ],
)
def test_a_failure_is_two_lines_and_an_exit_code(
    error: BaseException,
    code: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(engine, "ensure", fail)
    assert command_line.main(["cluster"]) == code
    captured = capsys.readouterr()
    assert text in captured.err
    assert captured.out == ""
