"""Particles follow the sound a word ends in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompanion.text.josa import particle


@pytest.mark.parametrize(
    ("word", "forms", "expected"),
    [
        # Hangul: with and without a final consonant
        ("노드", "이/가", "가"),
        ("클러스터", "은/는", "는"),
        ("파드", "을/를", "를"),
        ("컨트롤 플레인", "이/가", "이"),
        ("레플리카셋", "은/는", "은"),
        ("토큰", "을/를", "을"),
        ("토큰", "와/과", "와"),  # forms are given with the final consonant's first
        ("토큰", "과/와", "과"),
        ("노드", "과/와", "와"),
        # a final ㄹ takes 로, every other final consonant 으로
        ("노드", "으로/로", "로"),
        ("터널", "으로/로", "로"),
        ("볼륨", "으로/로", "으로"),
        ("토큰", "이다/다", "이다"),
        ("노드", "이다/다", "다"),
        # digits as they are read: 영 일 이 삼 사 오 육 칠 팔 구
        *[(digit, "이/가", "이") for digit in "013678"],
        *[(digit, "이/가", "가") for digit in "2459"],
        *[(digit, "으로/로", "로") for digit in "178"],
        *[(digit, "으로/로", "으로") for digit in "036"],
        *[(digit, "으로/로", "로") for digit in "2459"],
        ("워커10", "은/는", "은"),
        # signs at the end do not sound
        ("노드(대기)", "이/가", "가"),
        ('"토큰"', "을/를", "을"),
        ("10.0.0.3/24", "을/를", "를"),
        # Latin letters: the sound is not known
        ("etcd", "이/가", "이(가)"),
        ("kube-proxy", "은/는", "은(는)"),
        ("kubelet", "을/를", "을(를)"),
        ("worker", "와/과", "와(과)"),
        ("worker", "과/와", "와(과)"),
        ("worker", "으로/로", "(으)로"),
        ("worker", "이다/다", "(이)다"),
        ("", "이/가", "이(가)"),
        ("…", "을/를", "을(를)"),
    ],
)
def test_particle(word: str, forms: str, expected: str) -> None:
    assert particle(word, forms) == expected


@given(st.text(), st.sampled_from(["이/가", "은/는", "을/를", "과/와", "으로/로", "이다/다"]))
def test_any_word_gets_one_of_the_forms(word: str, forms: str) -> None:
    chosen = particle(word, forms)
    assert chosen in forms.split("/") or "(" in chosen


@given(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
def test_every_syllable_decides(syllable: str) -> None:
    assert particle(syllable, "이/가") in ("이", "가")
    assert particle(syllable, "으로/로") in ("으로", "로")
