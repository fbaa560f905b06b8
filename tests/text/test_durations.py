"""Durations in a sentence: of its language, wherever the value came from as one."""

import pytest

from kcompanion.model.message import say
from kcompanion.model.times import human_age
from kcompanion.text.catalog import phrase


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (55, "55s", "55초"),
        (330, "5m30s", "5분 30초"),
        (3 * 3600, "3h", "3시간"),
        (3 * 86400 + 3600, "3d1h", "3일 1시간"),
        (9 * 365 * 86400, "9y", "9년"),
    ],
)
def test_a_duration_is_spelled_in_the_language_of_its_sentence(seconds: int, english: str, korean: str) -> None:
    told = say("nodes.ago", age=human_age(seconds))
    assert phrase(told, "en") == f"{english} ago"
    assert phrase(told, "ko") == f"{korean} 전"
    assert told.to_json()["values"] == {"age": english}


def test_text_that_looks_like_one_is_left_alone() -> None:
    assert phrase(say("nodes.ago", age="55s"), "ko") == "55s 전"
