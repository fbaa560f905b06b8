"""--lang before KCOMPANION_LANG before the locale before English."""

import pytest

from kcompanion.text.language import choose_language


@pytest.mark.parametrize(
    ("flag", "environ", "expected"),
    [
        (None, {}, "en"),
        # the flag beats everything
        ("en", {"KCOMPANION_LANG": "ko", "LC_ALL": "ko_KR.UTF-8"}, "en"),
        ("ko", {"KCOMPANION_LANG": "en", "LC_ALL": "C"}, "ko"),
        # our variable beats the locale
        (None, {"KCOMPANION_LANG": "ko", "LC_ALL": "en_US.UTF-8"}, "ko"),
        (None, {"KCOMPANION_LANG": "en", "LANG": "ko_KR.UTF-8"}, "en"),
        # a language we do not speak is no wish
        (None, {"KCOMPANION_LANG": "fr", "LANG": "ko_KR.UTF-8"}, "ko"),
        (None, {"KCOMPANION_LANG": "", "LANG": "ko_KR.UTF-8"}, "ko"),
        # LC_ALL beats LC_MESSAGES beats LANG, as POSIX says
        (None, {"LC_ALL": "ko_KR.UTF-8", "LC_MESSAGES": "C", "LANG": "C"}, "ko"),
        (None, {"LC_ALL": "C", "LC_MESSAGES": "ko_KR.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        (None, {"LC_MESSAGES": "ko_KR.UTF-8", "LANG": "en_US.UTF-8"}, "ko"),
        (None, {"LC_MESSAGES": "en_US.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        (None, {"LANG": "ko_KR.UTF-8"}, "ko"),
        (None, {"LANG": "ko"}, "ko"),
        (None, {"LANG": "KO_KR"}, "ko"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        # empty counts as not set
        (None, {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ko_KR.UTF-8"}, "ko"),
    ],
)
def test_choose_language(flag: str | None, environ: dict[str, str], expected: str) -> None:
    assert choose_language(flag, environ) == expected
