"""What the lab's program does, said in agnhost's commands or in a line of shell."""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.practice.programs import MISHAP, NotTranslated, portable


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["sleep", "3600"], {"args": ["pause"]}),
        (["sleep", "2"], {"command": ["/bin/sh", "-c", "sleep 2"], "args": []}),
        (["exit", "127"], {"command": ["/bin/sh", "-c", "exit 127"], "args": []}),
        (["serve", "8080"], {"args": ["netexec", "--http-port=8080"]}),
        (["after", "2", "exit", "0"], {"command": ["/bin/sh", "-c", "sleep 2; exit 0"], "args": []}),
    ],
)
def test_commands(args: list[str], told: dict[str, Any]) -> None:
    assert portable({"image": MISHAP, "args": args}, "i") == {"image": "i", **told}


def test_memory_is_taken_by_agnhost() -> None:
    made = portable({"image": MISHAP, "args": ["after", "2", "eat", "200"]}, "i")
    assert made["command"][2].startswith("sleep 2; exec /agnhost stress --mem-total 200Mi ")


@pytest.mark.parametrize("args", [["serve", "8080", "--slow", "5"], ["crash"], ["after", "1", "hang"]])
def test_what_only_the_lab_can_do_is_refused(args: list[str]) -> None:
    with pytest.raises(NotTranslated):
        portable({"image": MISHAP, "args": args}, "i")


def test_a_command_of_its_own_is_what_is_broken_and_stays() -> None:
    made = portable({"image": MISHAP, "command": ["/usr/bin/mishapp"], "args": ["sleep", "600"]}, "i")
    assert made == {"image": "i", "command": ["/usr/bin/mishapp"], "args": ["pause"]}


def test_commands_of_probes_and_hooks_are_said_in_shell() -> None:
    hook = {"postStart": {"exec": {"command": ["mishap", "exit", "3"]}}}
    probe = {"exec": {"command": ["no-such-program"]}, "periodSeconds": 2}
    made = portable({"image": MISHAP, "args": ["sleep", "600"], "lifecycle": hook, "readinessProbe": probe}, "i")
    assert made["lifecycle"]["postStart"]["exec"]["command"] == ["/bin/sh", "-c", "exit 3"]
    assert made["readinessProbe"] == probe


def test_other_images_stay() -> None:
    assert (
        portable({"image": "registry.example.invalid/shop/web:1"}, "i")["image"]
        == "registry.example.invalid/shop/web:1"
    )
