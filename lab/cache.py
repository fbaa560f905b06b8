"""Where the lab keeps what it built: outside the repository, one folder per key.

A key is a name, a version and a digest of the recipe. A folder is complete or absent: it is filled under a
temporary name and then renamed, so that an interrupted build never looks finished.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def root() -> Path:
    """KCOMPANION_LAB_CACHE, else $XDG_CACHE_HOME/kcompanion-lab, else ~/.cache/kcompanion-lab."""
    if given := os.environ.get("KCOMPANION_LAB_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kcompanion-lab"


def digest(*parts: str | bytes) -> str:
    """Twelve hexadecimal digits over the parts, in their order."""
    whole = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:12]


def tree_digest(folder: Path) -> str:
    """The digest of every file under `folder`, by relative path and content."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return digest(*(part for p in files for part in (str(p.relative_to(folder)), p.read_bytes())))


def source_digest(*files: Path | str) -> str:
    """The digest of Python files by what they do: comments and layout do not count."""
    return digest(*(ast.dump(ast.parse(Path(file).read_text())) for file in files))


def entry(key: str, fill: Callable[[Path], None]) -> Path:
    """The folder for `key`; `fill(folder)` is called to make it when it is not there yet, by one run at a time."""
    folder = root() / key
    if folder.is_dir():
        return folder
    with lock(key.replace("/", "-")):
        if not folder.is_dir():  # nobody made it while we waited
            _fill(folder, fill)
    return folder


def _fill(folder: Path, fill: Callable[[Path], None]) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        fill(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@contextmanager
def lock(name: str) -> Iterator[None]:
    """One run at a time for what two runs must not do at once, such as starting the engine."""
    root().mkdir(parents=True, exist_ok=True)
    with (root() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
