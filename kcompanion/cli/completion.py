"""Completion by Tab: click's scripts for the shells, and the program kubectl asks for `kubectl companion`.

kubectl runs `kubectl_complete-companion WORDS…` (the last word is the one being typed) and reads one candidate per
line, a description after a tab, and a last line `:N` of Cobra's directives (kubernetes/kubernetes#105867).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from kcompanion.cli.main import cli

PROGRAM, VARIABLE = "kcompanion", "_KCOMPANION_COMPLETE"
_FILES, _NO_FILES = 0, 4  # ShellCompDirectiveDefault, ShellCompDirectiveNoFileComp


def script(shell: str) -> str:
    """The completion script of a shell that click knows."""
    found = get_completion_class(shell)
    if found is None:
        raise LookupError(shell)
    return found(cli, {}, PROGRAM, VARIABLE).source()


def plugin_main() -> None:
    """The entry point kubectl calls."""
    print("\n".join(answer(sys.argv[1:])))  # noqa: T201 - the protocol is stdout


def answer(words: Sequence[str]) -> list[str]:
    """The lines for kubectl: candidates and the directive."""
    *before, typed = list(words) or [""]
    items = ShellComplete(cli, {}, PROGRAM, VARIABLE).get_completions(before, typed)
    lines = [_line(item) for item in items if item.type == "plain" and item.value.startswith(typed)]
    wants_files = any(item.type != "plain" for item in items) or _is_file_value(before)
    return [*lines, f":{_FILES if wants_files else _NO_FILES}"]


def _line(item: CompletionItem) -> str:
    return f"{item.value}\t{item.help}" if item.help else str(item.value)


def _is_file_value(before: Sequence[str]) -> bool:
    """Whether what is typed is the value of an option that names a file."""
    if len(before) > 1 and before[0] == "snapshot":
        return True
    return bool(before) and before[-1] in ("--from", "--record", "--kubeconfig")
