"""The catalogues: TOML files per language and area, looked up by message id.

The area is the first word of an id (`leader.held` is `held` in `leader.toml`), so that a command loads only what it
says. Placeholders are `{name}`; in Korean `{name|이/가}` adds the fitting particle. Every id exists in both languages
with the same placeholders; a test holds that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources as files
from typing import Any

from kcompanion.model.message import Message
from kcompanion.model.times import Age
from kcompanion.text.durations import spelled
from kcompanion.text.josa import particle

_PLACEHOLDER = re.compile(r"\{(\w+)(?:\|([^}]+))?\}")


@cache
def area(language: str, name: str) -> Mapping[str, str]:
    """All texts of an area, by the rest of their ids (`verdict.ok`); empty when there is no such area."""
    file = files.files("kcompanion.text") / language / f"{name}.toml"
    try:
        return dict(_flat(tomllib.loads(file.read_text(encoding="utf-8")), ""))
    except FileNotFoundError:
        return {}


def areas(language: str) -> tuple[str, ...]:
    """The names of all areas of a language."""
    folder = files.files("kcompanion.text") / language
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def has(language: str, message_id: str) -> bool:
    name, _, rest = message_id.partition(".")
    return rest in area(language, name)


def phrase(message: Message, language: str, clean: Callable[[str], str] = lambda value: value) -> str:
    """The sentence for a message.

    Args:
        message: its id and values; values that are messages are phrased too.
        language: `en` or `ko`.
        clean: applied to every text value that came from the cluster before it is put in.
    """
    name, _, rest = message.id.partition(".")
    template = area(language, name).get(rest) or area("en", name).get(rest)
    if template is None:
        raise LookupError(f"no text for {message.id!r}")
    values = {key: _worded(value, language, clean) for key, value in message.values}

    def fill(match: re.Match[str]) -> str:
        word = values[match[1]]
        return word + (particle(word, match[2]) if match[2] else "")

    return _PLACEHOLDER.sub(fill, template)


def placeholders(template: str) -> frozenset[str]:
    """The names of the placeholders of a text."""
    return frozenset(match[1] for match in _PLACEHOLDER.finditer(template))


def _worded(value: Any, language: str, clean: Callable[[str], str]) -> str:  # noqa: ANN401 - any printable
    if isinstance(value, Message):
        return phrase(value, language, clean)
    if isinstance(value, Age):
        return spelled(value, language)
    return clean(str(value))


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, str(value).strip("\n")))
    return rows
