"""Both languages say the same things, and no text can fail when it is filled in."""

import re
from importlib import resources

import pytest

from kcompanion.model.message import Message, say
from kcompanion.text import catalog
from kcompanion.text.language import LANGUAGES

AREAS = sorted({name for language in LANGUAGES for name in catalog.areas(language)})
PARTICLES = {"이/가", "은/는", "을/를", "와/과", "과/와", "으로/로", "이다/다"}
COMPONENTS = [
    "kube_apiserver",
    "etcd",
    "kube_scheduler",
    "kube_controller_manager",
    "cloud_controller_manager",
    "kubelet",
    "kube_proxy",
    "container_runtime",
    "dns",
    "cni",
]
HANGUL = re.compile("[가-힣]")
MARK = re.compile(r"\{(\w+)(?:\|([^}]+))?\}")
EVERY_AREA = [(language, name) for language in LANGUAGES for name in AREAS]


def wrong_with(text: str) -> str:
    """What no text may have, empty when it has none of it."""
    rest = MARK.sub("", text)
    faults = {
        "empty": not text.strip(),
        "white space at an end": text != text.strip(),
        "two spaces": re.search(r"[\w.,:] {2,}\w", text) is not None,
        "a tab": "\t" in text,
        "a brace that is no placeholder": "{" in rest or "}" in rest,
    }
    return ", ".join(fault for fault, there in faults.items() if there)


def test_there_are_texts() -> None:
    assert set(AREAS) >= {"common", "component", "version"}


@pytest.mark.parametrize("name", AREAS)
def test_both_languages_have_the_same_ids(name: str) -> None:
    english, korean = catalog.area("en", name), catalog.area("ko", name)
    assert sorted(set(english) - set(korean)) == [], "not in Korean"
    assert sorted(set(korean) - set(english)) == [], "not in English"


@pytest.mark.parametrize("name", AREAS)
def test_both_languages_have_the_same_placeholders(name: str) -> None:
    english, korean = catalog.area("en", name), catalog.area("ko", name)
    differing = {
        key: (catalog.placeholders(english[key]), catalog.placeholders(korean[key]))
        for key in english.keys() & korean.keys()
        if catalog.placeholders(english[key]) != catalog.placeholders(korean[key])
    }
    assert differing == {}


@pytest.mark.parametrize(("language", "name"), EVERY_AREA)
def test_texts_are_whole(language: str, name: str) -> None:
    texts = catalog.area(language, name)
    assert {key: wrong_with(text) for key, text in texts.items() if wrong_with(text)} == {}


@pytest.mark.parametrize(("language", "name"), EVERY_AREA)
def test_particles_are_known_and_only_korean(language: str, name: str) -> None:
    known = PARTICLES if language == "ko" else set()
    unknown = {
        key: forms - known
        for key, text in catalog.area(language, name).items()
        if (forms := {match[2] for match in MARK.finditer(text) if match[2]}) - known
    }
    assert unknown == {}


@pytest.mark.parametrize(("language", "name"), EVERY_AREA)
def test_texts_can_be_filled_in(language: str, name: str) -> None:
    for key, text in catalog.area(language, name).items():
        values = tuple((word, "노드") for word in catalog.placeholders(text))
        assert "{" not in catalog.phrase(Message(f"{name}.{key}", values), language)
        assert catalog.has(language, f"{name}.{key}")


def test_english_has_no_hangul() -> None:
    assert {
        f"{name}.{key}" for name in AREAS for key, text in catalog.area("en", name).items()
        if HANGUL.search(text)
    } == set()  # fmt: skip


def test_korean_never_pairs_a_placeholder_with_two_particles() -> None:
    twice = re.compile(r"\|[^}]+\}(?:이|가|은|는|을|를|와|과|로|으로)(?![가-힣])")
    assert {
        f"{name}.{key}" for name in AREAS for key, text in catalog.area("ko", name).items()
        if twice.search(text)
    } == set()  # fmt: skip


def test_catalogues_are_where_the_package_is_installed() -> None:
    folder = resources.files("kcompanion.text")
    assert all((folder / language / "common.toml").is_file() for language in LANGUAGES)


def test_phrase_fills_in_values_and_nested_messages() -> None:
    assert catalog.phrase(say("common.findings", count=3), "en") == "Findings: 3"
    assert catalog.phrase(say("common.findings", count=3), "ko") == "발견 사항: 3건"
    nested = say("common.findings", count=say("common.status.ok"))
    assert catalog.phrase(nested, "ko") == "발견 사항: 정상건"


def test_phrase_cleans_what_came_from_the_cluster() -> None:
    assert catalog.phrase(say("common.findings", count="\x1b"), "en", ascii) == "Findings: '\\x1b'"


def test_phrase_names_the_id_that_has_no_text() -> None:
    with pytest.raises(LookupError, match=r"nowhere\.to\.be\.found"):
        catalog.phrase(say("nowhere.to.be.found"), "ko")


def test_an_area_that_is_not_there_is_empty() -> None:
    assert catalog.area("en", "nowhere") == {}
    assert not catalog.has("en", "nowhere.at.all")


def test_placeholders_are_named_without_their_particles() -> None:
    assert catalog.placeholders("{pod|을/를} {node}에") == {"pod", "node"}


def test_every_component_says_what_who_and_why() -> None:
    texts = catalog.area("en", "component")
    assert {f"{one}.{part}" for one in COMPONENTS for part in ("title", "what", "talks", "why")} <= {*texts}
    assert {key.split(".")[0] for key in texts} == set(COMPONENTS)
