"""Stands before runc where CAP_SYS_RESOURCE is not in this machine's bounding set.

`docker run --privileged` asks for every capability, and runc ends with "unable to apply caps" when
one cannot be had. This program takes that one out of what is asked for and hands over to the real
runc. It is copied out of the package and run by the engine, so it imports nothing of the lab.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

LACKING = "CAP_SYS_RESOURCE"


def without(process: dict[str, Any]) -> dict[str, Any]:
    """An OCI process description that no longer asks for the capability."""
    sets: dict[str, list[str]] = process.get("capabilities") or {}
    kept = {kind: [name for name in names if name != LACKING] for kind, names in sets.items()}
    return {**process, "capabilities": kept}


def option(words: Sequence[str], *names: str) -> str | None:
    """The value of a command line option, given as two words or with an equals sign."""
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else words[position + 1]
    return None


def rewrite(words: Sequence[str]) -> None:
    if "create" in words or "run" in words:
        bundle = option(words, "--bundle", "-b") or os.curdir
        path = os.path.join(bundle, "config.json")
        spec = _load(path)
        _save(path, {**spec, "process": without(spec["process"])})
    elif "exec" in words and (process := option(words, "--process", "-p")):
        _save(process, without(_load(process)))


def _load(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as handle:
        loaded: dict[str, Any] = json.load(handle)
    return loaded


def _save(path: str, content: dict[str, Any]) -> None:
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(content, handle)


if __name__ == "__main__":
    rewrite(sys.argv[1:])
    os.execvp("runc", ["runc", *sys.argv[1:]])
