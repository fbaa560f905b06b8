"""What an air-gapped user carries over: the wheelhouse and the archive of the operator's image.

This needs no cluster, but the package index and Docker to fill them; `make test` does without both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheelhouse_installs_without_an_index(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    subprocess.run([Path(sys.executable).parent / "hatchling", "build", "-d", dist], cwd=ROOT, check=True)
    subprocess.run([sys.executable, ROOT / "tools" / "wheelhouse.py", "--dist", dist], check=True)
    (archive,) = dist.glob("*.tar")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    house = tmp_path / archive.stem
    assert "--no-index" in (house / "INSTALL.txt").read_text(encoding="utf-8")

    # No setting of pip's may lend it another source.
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "LC_ALL": "C.UTF-8"}

    def run(*words: str | Path) -> str:
        return subprocess.run(words, check=True, capture_output=True, text=True, env=bare, cwd=house).stdout

    run(sys.executable, "-m", "venv", tmp_path / "venv")
    programs = tmp_path / "venv" / "bin"
    run(programs / "pip", "install", "--no-index", "--find-links", ".", "--require-hashes", "-r", "requirements.txt")
    assert run(programs / "pip", "check").strip() == "No broken requirements found."
    assert run(programs / "kcompanion", "--version").startswith("kcompanion ")
    told = run(programs / "kcompanion", "controlplane", "--from", "demo:three-nodes")
    assert "kcompanion-control-plane" in told


def test_the_image_archive_can_be_loaded(tmp_path: Path) -> None:
    tool = [sys.executable, str(ROOT / "tools" / "operator_image.py"), "--if-missing", "--save", str(tmp_path)]
    name, archive = subprocess.run(tool, check=True, capture_output=True, text=True).stdout.splitlines()[::-1]
    loaded = subprocess.run(["docker", "load", "-i", archive], check=True, capture_output=True, text=True).stdout
    assert loaded.strip() == f"Loaded image: {name}"
    run = ["docker", "run", "--rm", "--network=none", "--read-only", name, "--version"]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout.startswith("kcompanion ")
