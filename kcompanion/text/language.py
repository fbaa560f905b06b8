"""Which language to speak: --lang, then KCOMPANION_LANG, then the locale, then English."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "ko")


def choose_language(flag: str | None, environ: Mapping[str, str]) -> str:
    """`en` or `ko`. Locale variables count in POSIX order (LC_ALL, LC_MESSAGES, LANG)."""
    for wish in (flag, environ.get("KCOMPANION_LANG")):
        if wish in LANGUAGES:
            return str(wish)
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(variable):
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"
