"""What is accepted does not count, is not lost, and comes back when its time is over."""

from datetime import date

import pytest

from kcompanion.errors import UsageError
from kcompanion.explain.accepted import Suppression, sort, suppressions
from kcompanion.explain.sweep import Entry, sweep
from tests.explain.build import deployed, node
from tests.explain.casebook import NOW, world_from

ENTRIES = [
    e
    for e in sweep(world_from([*node(), *deployed("web", 3), *deployed("api", 2)])).entries
    if e.finding.code == "KC5044"
]


def test_a_suppression_sets_aside_what_it_names() -> None:
    row = Suppression("KC5044", "ticket 12", kind="Deployment", namespace="shop", name="we*")
    kept = sort(ENTRIES, [row], (), NOW)
    assert [e.root for e in kept.counted] == ["Deployment/shop/api"]
    assert [(e.root, r.reason) for e, r in kept.suppressed] == [("Deployment/shop/web", "ticket 12")]


@pytest.mark.parametrize("changed", [{"code": "KC5045"}, {"kind": "Pod"}, {"namespace": "other"}, {"name": "w"}])
def test_a_suppression_of_something_else_does_not(changed: dict[str, str]) -> None:
    row = Suppression(**{"code": "KC5044", "reason": "x", "name": "web", **changed})  # type: ignore[arg-type]
    assert len(sort(ENTRIES, [row], (), NOW).counted) == 2


def test_a_kind_may_be_spelled_as_commands_do() -> None:
    assert len(sort(ENTRIES, [Suppression("KC5044", "x", kind="deployment")], (), NOW).counted) == 0


def test_a_suppression_covers_by_all_that_is_affected() -> None:
    finding = ENTRIES[0].finding
    claim = Entry(finding, "APIService/v1.metrics", ("HorizontalPodAutoscaler/shop/a", "Pod/shop/b"), "Pod/shop/b")
    assert Suppression(finding.code, "x", namespace="shop").covers(claim)
    assert not Suppression(finding.code, "x", kind="Pod").covers(claim), "only one of them is a pod"
    assert not Suppression(finding.code, "x", namespace="other").covers(Entry(finding, "Node/a", ("Node/a",), "Node/a"))


def test_what_covers_nothing_is_named() -> None:
    used, idle = Suppression("KC5044", "x", name="web"), Suppression("KC5044", "x", name="nothing")
    assert sort(ENTRIES, [used, idle], (), NOW).unused == (idle,)


def test_an_expired_suppression_counts_again_and_is_named() -> None:
    row = Suppression("KC5044", "x", expires=date(2026, 11, 21))
    kept = sort(ENTRIES, [row], (), NOW)
    assert (len(kept.counted), kept.expired) == (2, (row,))
    assert not sort(ENTRIES, [Suppression("KC5044", "x", expires=date(2026, 11, 22))], (), NOW).counted


def test_what_the_baseline_held_is_known() -> None:
    kept = sort(ENTRIES, (), ENTRIES[:1], NOW)
    assert kept.known == (ENTRIES[0],)
    assert kept.counted == (ENTRIES[1],)


def test_a_good_file_is_read() -> None:
    document = {"suppressions": [{"code": "kc5044", "reason": "r", "expires": date(2027, 1, 1), "namespace": "a"}]}
    assert suppressions(document, "f") == (Suppression("KC5044", "r", date(2027, 1, 1), namespace="a"),)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (None, "no list"),
        ([], "no list"),
        ({"suppressions": "x"}, "no list"),
        ({"suppressions": ["x"]}, "entry 1"),
        ({"suppressions": [{"code": "KC5044"}]}, "reason"),
        ({"suppressions": [{"code": "KC9999", "reason": "r"}]}, "no code 'KC9999'"),
        ({"suppressions": [{"code": "KC5999", "reason": "r"}]}, "no code"),
        ({"suppressions": [{"code": "KC5044", "reason": "r", "until": 1}]}, "'until'"),
        ({"suppressions": [{"code": "KC5044", "reason": "r", "expires": "soon"}]}, "no date"),
    ],
)
def test_a_bad_file_says_where(document: object, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        suppressions(document, "file.yaml")
