import pytest

from lab import host
from lab.shell import LabError

_STATUS = "Name:\tpython3\nCapPrm:\t000001ffffffffff\nCapBnd:\t{}\n"


@pytest.mark.parametrize(
    ("bounding", "held"),
    [("000001ffffffffff", True), ("000001fffeffffff", False), ("0000000000000000", False)],
)
def test_a_capability_is_read_from_the_bounding_set(bounding: str, held: bool) -> None:
    assert host.capability(_STATUS.format(bounding), 24) is held


def test_an_unreadable_status_holds_no_capability() -> None:
    assert not host.capability("", 24)


def test_nothing_is_installed_when_that_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_INSTALL", "0")
    with pytest.raises(LabError) as caught:
        host.require_program("no-such-program", package="no-such-package")
    assert "no-such-package" in caught.value.do
