"""Korean particles, chosen by the sound a word ends in: `노드가`, `파드는`, `etcd이(가)`.

Hangul syllables tell their final consonant by their code point, digits by how they are read. Of a Latin word the
sound is not known, so the particle is written both ways, as Korean technical writing does.
"""

from __future__ import annotations

_FINAL_DIGITS = {"0": True, "1": True, "3": True, "6": True, "7": True, "8": True}
_RIEUL_DIGITS = "178"  # 일, 칠, 팔 end in ㄹ
_HANGUL_FIRST, _HANGUL_LAST, _FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8
_BOTH_FORMS = {
    "이/가": "이(가)",
    "은/는": "은(는)",
    "을/를": "을(를)",
    "와/과": "와(과)",
    "과/와": "와(과)",
    "으로/로": "(으)로",
    "이다/다": "(이)다",
}


def particle(word: str, forms: str) -> str:
    """The fitting one of `forms` (`이/가`: with and without a final consonant) for a word."""
    with_final, _, without = forms.partition("/")
    last = next((char for char in reversed(word) if char.isalnum()), "")
    final = _final_consonant(last)
    if final is None:
        return _BOTH_FORMS.get(forms, f"{with_final}({without})")
    if with_final == "으로" and _ends_in_rieul(last):
        return without
    return with_final if final else without


def _final_consonant(char: str) -> bool | None:
    if char.isascii() and char.isdigit():
        return _FINAL_DIGITS.get(char, False)
    if char and _HANGUL_FIRST <= ord(char) <= _HANGUL_LAST:
        return (ord(char) - _HANGUL_FIRST) % _FINALS != 0
    return None


def _ends_in_rieul(char: str) -> bool:
    if char.isascii() and char.isdigit():
        return char in _RIEUL_DIGITS
    return (ord(char) - _HANGUL_FIRST) % _FINALS == _RIEUL
