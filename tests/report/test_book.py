"""The book and the glossary: every word has its texts, examples come from the cluster, and none is needed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from kcompanion.errors import NotFound, UsageError
from kcompanion.explain.book import RULES
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.report import book, glossary
from kcompanion.report.book.look import Look
from kcompanion.report.book.words import CONDITIONS, PHASES, REASONS
from kcompanion.text import catalog
from tests.explain.casebook import world_from
from tests.report.objects import printed, shop

WORDS = [
    *(("phase", word) for word in PHASES),
    *(("condition", word) for word in CONDITIONS),
    *(("reason", word) for word in REASONS),
    *(("exit-code", word) for word in ("0", "1", "137", "77", "255")),
    *((topic, "") for topic in book.TOPICS),
]


@pytest.mark.parametrize(("topic", "word"), WORDS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_can_be_read(topic: str, word: str, language: str) -> None:
    page = book.page(topic, word, shop())
    assert word in printed(page.sections, language)
    assert page.to_json()["topic"] == topic


def test_examples_are_of_this_cluster() -> None:
    page = book.page("reason", "crashloopbackoff", shop())
    assert (page.word, page.found, page.names) == ("CrashLoopBackOff", 1, ["pod/web-2-abc"])
    assert "kcompanion explain pod/web-2-abc -n default" in printed(page.sections)
    assert book.page("exit-code", "SIGKILL", shop()).found == 1
    assert book.page("phase", "Running", shop()).found == 1
    assert book.page("condition", "Ready", shop()).found == 1
    assert book.page("reason", "OOMKilled", shop(), "elsewhere").found == 0


def test_a_long_message_is_cut_between_words() -> None:
    text = "0/3 nodes are available: " + "1 node has an untolerated taint, " * 9
    event = {"kind": "Event", "metadata": {"name": "e", "namespace": "shop"}, "reason": "FailedScheduling"}
    about = {"kind": "Pod", "namespace": "shop", "name": "web"}
    [example] = book.page(
        "reason", "FailedScheduling", world_from([{**event, "message": text, "involvedObject": about}])
    ).examples
    assert example.what.endswith(" …")
    assert f"{text} ".startswith(example.what.removesuffix("…"))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_could_not_be_read_is_not_counted_as_none(language: str) -> None:
    world = world_from([{"forbidden": ["pods"]}])
    page = book.page("phase", "Pending", world)
    assert (page.found, page.to_json()["found"]) == (None, None)
    assert "0" not in printed(page.sections[-1:], language)
    listed = printed(book.page("phase", "", world).sections, language)
    assert listed.count("?") >= len(PHASES)
    assert not re.search(r"Pending +0", listed)


def test_a_status_word_is_no_phase_and_found_all_the_same() -> None:
    page = book.page("phase", "Terminating", shop())
    assert page.topic == "reason"
    assert "not one of the five phases" in printed(page.sections)


def test_words_that_do_not_exist() -> None:
    with pytest.raises(NotFound, match="Pendin") as failure:
        book.check("phase", "Pendin")
    assert "Pending" in failure.value.hint
    for code in ("256", "-1", "abc", "1" * 9):
        with pytest.raises(UsageError):
            book.check("exit-code", code)


def test_without_a_reading_nothing_is_claimed() -> None:
    page = book.page("phase", "Pending", World(Snapshot(datetime(2026, 1, 1, tzinfo=UTC))))
    assert page.found is None
    assert [gap.resource for gap in page.gaps] == ["pods"]
    assert "could not be read" in printed(page.sections)


def test_reasons_lead_to_rules() -> None:
    codes = {rule.code for rule in RULES}
    page = book.page("reason", "CrashLoopBackOff", shop())
    assert "KC5044" in page.codes
    assert set(page.codes) <= codes


def test_every_term_has_a_name_and_a_text_in_both_languages() -> None:
    for language in ("en", "ko"):
        texts = catalog.area(language, "glossary")
        assert {key.partition(".")[0] for key in texts if key.endswith(".text")} == set(glossary.TERMS)
        assert all(f"{key}.name" in texts for key in glossary.TERMS)


def test_terms_name_objects_of_the_cluster_or_nothing() -> None:
    keys = tuple(glossary.TERMS)
    found = glossary.glossary(keys, Look(shop(), ""))
    assert found.shown["node"] == "Node worker-1"
    assert found.shown["container_runtime"] == "Node worker-1: containerd://2.1"
    assert found.shown["taint"] == "Node worker-1: disk:NoSchedule"
    assert found.shown["port_forward"] == "kubectl port-forward -n default svc/web 8080:80"
    assert found.shown["self_healing"] == "Pod default/web-2-abc: ReplicaSet web-2"
    assert found.shown["cron_job"] is None
    bare = glossary.glossary(keys, None)
    assert set(bare.shown.values()) == {None}
    for language in ("en", "ko"):
        assert len(printed(glossary.sections(found), language)) > len(printed(glossary.sections(bare), language))


def test_a_refusal_that_no_rule_knows_is_among_those_of_failed_create() -> None:
    codes = book.page("reason", "FailedCreate", shop()).codes
    assert (codes[0], codes[-1]) == ("KC5148", "KC5256")
