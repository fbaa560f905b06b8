"""The tools agree with the code: style, format, types, layers. The locks say what we promise.

Each tool is run as `make lint` runs it, so that its configuration is tested too.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent  # where the venv keeps the tools
LIMIT = 170  # seconds, so that a program that hangs is named by its test
LOCKS = ("requirements.lock", "requirements-dev.lock")


def check(tool: str, *arguments: str) -> None:
    """Runs a tool of the venv at the root; what it found becomes the failure."""
    done = subprocess.run(
        [BIN / tool, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    if done.returncode != 0:
        pytest.fail(f"{tool} {' '.join(arguments)}\n{done.stdout}", pytrace=False)


def test_ruff_finds_nothing() -> None:
    check("ruff", "check", "--output-format", "concise")


def test_code_is_formatted() -> None:
    check("ruff", "format", "--check", "--output-format", "concise")


@pytest.mark.first
def test_types_hold() -> None:
    check("mypy")


def test_imports_point_one_way() -> None:
    check("lint-imports", "--no-logo")


def locked(name: str) -> dict[str, tuple[Version, int]]:
    """Package to its version and the number of its hashes."""
    packages: dict[str, tuple[Version, int]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text()):
        if found := re.match(r"([a-z0-9.-]+)==(\S+)", block):
            packages[found[1]] = (Version(found[2]), block.count("--hash=sha256:"))
    return packages


def declared(name: str) -> list[Requirement]:
    """What pyproject.toml asks of a lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    words = list(project["project"]["dependencies"])
    if name == "requirements-dev.lock":
        words += [word for group in project["dependency-groups"].values() for word in group]
    return [Requirement(word) for word in words]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_what_is_declared(name: str) -> None:
    packages = locked(name)
    stale = [
        str(wanted)
        for wanted in declared(name)
        if wanted.name.lower() not in packages or not wanted.specifier.contains(packages[wanted.name.lower()][0])
    ]
    assert stale == [], "run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_hashes_and_no_addresses(name: str) -> None:
    assert [package for package, (_, hashes) in locked(name).items() if hashes == 0] == []
    assert not re.search(r"://|--(extra-)?index|--find-links", (ROOT / name).read_text())


def test_both_locks_run_the_same_versions() -> None:
    development = locked("requirements-dev.lock")
    assert {name: development.get(name) for name in locked("requirements.lock")} == locked("requirements.lock")
