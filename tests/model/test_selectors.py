"""Label selectors mean what they mean to kubectl."""

from __future__ import annotations

import pytest

from kcompanion.errors import UsageError
from kcompanion.model.selectors import check, matches

LABELS = {"app": "web", "tier": "front", "empty": "", "acme.org/x": "1"}


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "app=web",
        "app==web",
        "app = web",
        "app!=db",
        "nobody!=x",
        "app",
        "!legacy",
        "app in (web,db)",
        "app in (web)",
        "app notin (db, cache)",
        "nobody notin (x)",
        "empty=",
        "acme.org/x=1",
        "app=web,tier in (front,back),!legacy",
    ],
)
def test_holds(selector: str) -> None:
    assert matches(selector, LABELS)


@pytest.mark.parametrize(
    "selector", ["app=db", "app!=web", "!app", "legacy", "app in (db)", "app notin (web)", "empty=x"]
)
def test_does_not_hold(selector: str) -> None:
    assert not matches(selector, LABELS)


@pytest.mark.parametrize("selector", ["a b", "a=b=c", "in (x)", "=x", "a in (b", "a,b c"])
def test_cannot_be_read(selector: str) -> None:
    with pytest.raises(UsageError):
        check(selector)


def test_odd_labels_do_not_crash() -> None:
    assert not matches("app in (web)", {"app": ["web"]})
