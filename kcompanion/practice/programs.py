"""What the lab's program `mishap` does on purpose, done by agnhost instead, which every cluster can pull.

The demo manifests run `mishap`, whose image is only on the lab's nodes. An exercise runs anywhere, so its containers
say the same in agnhost's commands or in a line of shell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MISHAP = "kcompanion.dev/lab/mishap:1"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:"
LONG = 600  # seconds: who sleeps that long only wants to be there


class NotTranslated(Exception):
    """Something that only the lab's program can do."""


def portable(container: Mapping[str, Any], image: str) -> dict[str, Any]:
    """The container with an image that can be pulled, doing the same.

    Raises:
        NotTranslated: only the lab's program can do that.
    """
    made = dict(container)
    ours = container.get("image") == MISHAP
    if ours or str(container.get("image", "")).startswith(AGNHOST):
        made["image"] = image
    if ours and "args" in container:
        made |= _program([str(word) for word in container["args"]], keep="command" in container)
    return {key: _hooked(value) for key, value in made.items()}


def _program(words: Sequence[str], *, keep: bool) -> dict[str, Any]:
    """`command` and `args` for agnhost; a container's own `command` is the very thing that is broken, and is kept."""
    match list(words):
        case ["sleep", seconds] if float(seconds) >= LONG:
            return {"args": ["pause"]}
        case ["serve", port]:
            return {"args": ["netexec", f"--http-port={port}"]}
        case ["eat", megabytes]:
            return {"args": _eating(megabytes)}
    if keep:
        raise NotTranslated(" ".join(words))
    return {"command": ["/bin/sh", "-c", _shell(words)], "args": []}


def _eating(megabytes: str) -> list[str]:
    return ["stress", "--mem-total", f"{megabytes}Mi", "--mem-alloc-size", "20Mi", "--mem-alloc-sleep", "100ms"]


def _shell(words: Sequence[str]) -> str:
    match list(words):
        case ["exit" | "sleep", number]:
            return f"{words[0]} {number}"
        case ["eat", megabytes]:
            return " ".join(["exec", "/agnhost", *_eating(megabytes)])
        case ["after", seconds, *rest]:
            return f"sleep {seconds}; {_shell(rest)}"
    raise NotTranslated(" ".join(words))


def _hooked(value: Any) -> Any:  # noqa: ANN401 - any part of a container
    """A part of a container with the commands of its probes and hooks translated."""
    if isinstance(value, Mapping):
        return {key: _command(one) if key == "exec" else _hooked(one) for key, one in value.items()}
    return value


def _command(action: Mapping[str, Any]) -> dict[str, Any]:
    words = [str(word) for word in action.get("command", ())]
    return {"command": ["/bin/sh", "-c", _shell(words[1:])] if words[:1] == ["mishap"] else words}
