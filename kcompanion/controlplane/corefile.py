"""A Corefile read far enough to say which zones CoreDNS serves and what it does with the rest.

Syntax: https://coredns.io/manual/configuration/ (server blocks `ZONES { PLUGIN ARGS { … } }`, snippets in brackets).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServerBlock:
    """One server block: the zones it answers for and its plugins with their arguments, in order."""

    zones: tuple[str, ...]
    plugins: tuple[tuple[str, tuple[str, ...]], ...]

    def arguments(self, plugin: str) -> tuple[str, ...] | None:
        """The arguments of a plugin, None when the block does not use it."""
        return next((args for name, args in self.plugins if name == plugin), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "zones": list(self.zones),
            "plugins": [{"name": name, "arguments": list(args)} for name, args in self.plugins],
        }


def parse(text: str) -> tuple[ServerBlock, ...]:
    """The server blocks of a Corefile; what is not understood is passed over."""
    blocks: list[ServerBlock] = []
    depth = 0
    zones: tuple[str, ...] = ()
    plugins: list[tuple[str, tuple[str, ...]]] = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        opens, closes = words[-1] == "{", words[0] == "}"
        told = tuple(word for word in words if word not in ("{", "}"))
        if depth == 0 and told:
            zones, plugins = told, []
        elif depth == 1 and told:
            plugins.append((told[0], told[1:]))
        depth += opens - closes
        if depth == 0 and closes and zones and not zones[0].startswith("("):
            blocks.append(ServerBlock(zones, tuple(plugins)))
    return tuple(blocks)
