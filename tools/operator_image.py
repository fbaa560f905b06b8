"""Builds the operator's image: `make operator-image`, or `python tools/operator_image.py --base IMAGE --load`.

`make image-archive` (`--save dist`) also writes it into one file, for clusters that reach no registry.

The packages are fetched on this machine, by the hashes of requirements.lock and for the base image's own Python, and
copied in: builds without a package index in their containers work, and the image holds what was tested.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # lab and kcompanion, when started by the path of this file

from kcompanion import __version__  # noqa: E402 - after the path
from lab import cache, cluster, docker, engine, workloads  # noqa: E402 - after the path
from lab.shell import LabError, run, say, step  # noqa: E402 - after the path
from tools import wheelhouse  # noqa: E402 - after the path

IMAGE = f"kcompanion.dev/operator:{__version__}"
OFFICIAL = "docker.io/library/python:3.13-slim"
PLACE = ROOT / "build" / "operator-image"
LABEL = "kcompanion.dev/built-from"
SOURCES = ("kcompanion", "operators", "manifests", "Dockerfile", "pyproject.toml", "requirements.lock")
PATIENCE = 20.0  # seconds until a registry that does not answer counts as out of reach
ASK = "import json, platform, sys; print(json.dumps([*sys.version_info[:2], *platform.libc_ver()]))"


def base_image(wish: str) -> str:
    """The base that was wished for; without a wish the official one, or the lab's where that cannot be pulled."""
    name = wish or OFFICIAL
    if docker.inspect("image", [name]) or docker.pull(name, first=PATIENCE, whole=600):
        return name
    if wish and wish != workloads.PYTHON:
        raise LabError(f"the image {wish}", "pull or build it first, or leave OPERATOR_BASE out")
    return workloads.python()


def fingerprint() -> str:
    """Tells one state of what goes into the image from another."""
    files = [file for name in SOURCES for file in sorted([ROOT / name, *(ROOT / name).rglob("*")]) if file.is_file()]
    whole = hashlib.sha256()
    for file in files:
        if "__pycache__" not in file.parts:
            whole.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:16]


def up_to_date() -> bool:
    """Whether the engine has the image, built from the files as they are now."""
    return docker.label(IMAGE, LABEL) == fingerprint()


def fetch(base: str, into: Path) -> None:
    """Unpacks the locked packages for the base's Python, and ours."""
    asked = ["docker", "run", "--rm", "--network=none", "--entrypoint=python3", base, "-c", ASK]
    major, minor, libc, version = json.loads(run(asked))
    if libc != "glibc":
        raise LabError(
            "a base image with glibc", "take a Debian, Ubuntu, Fedora or UBI one: the wheels are built for it"
        )
    shutil.rmtree(into, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--target", str(into)]
    machine = platform.machine()
    oldest, newest = 17, int(version.split(".")[1])
    fits = [word for n in range(newest, oldest - 1, -1) for word in ("--platform", f"manylinux_2_{n}_{machine}")]
    fits += ["--platform", f"manylinux2014_{machine}", "--platform", f"linux_{machine}"]
    python = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", f"{major}.{minor}", *fits]
    run([*pip, *python, "--require-hashes", "-r", str(ROOT / "requirements.lock")])
    dist = PLACE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run([Path(sys.executable).parent / "hatchling", "build", "-t", "wheel", "-d", str(dist)])
    run([*pip, "--upgrade", "--no-index", str(wheelhouse.built(dist))])


def build(base: str) -> str:
    """Builds the image and returns its name."""
    context = PLACE / "context"
    context.mkdir(parents=True, exist_ok=True)
    with step(f"fetching the operator's packages for {base}"):
        fetch(base, context / "packages")
    with step(f"building {IMAGE}"):
        words = ["--build-arg", f"BASE={base}", "--file", str(ROOT / "Dockerfile"), "--tag", IMAGE]
        label = ["--label", f"{LABEL}={fingerprint()}"]
        run(["docker", "build", "--quiet", "--network=none", *words, *label, str(context)])
    return IMAGE


def save(folder: Path) -> Path:
    """Writes the image as docker, ctr and kind load it, compressed; whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"kcompanion-{__version__}-operator-image-linux-{platform.machine()}.tar.gz"
    part = file.with_suffix(".part")
    with step(f"saving {IMAGE}"), gzip.GzipFile(part, "wb", compresslevel=3, mtime=0) as archive:
        with subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE) as saving:
            assert saving.stdout
            shutil.copyfileobj(saving.stdout, archive, 1 << 20)
        if saving.returncode:
            raise LabError(f"the image {IMAGE}", "see what docker said above")
    return part.rename(file)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the operator's image.")
    parser.add_argument("--base", default="", help=f"base image [{OFFICIAL}, else the lab's own Python image]")
    parser.add_argument("--load", action="store_true", help="put it on the nodes of the lab's running clusters")
    parser.add_argument("--cluster", choices=[one.name for one in cluster.ALL], help="only of this one")
    parser.add_argument("--if-missing", action="store_true", help="build only if there is none of this very code")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="also write it there as an archive")
    options = parser.parse_args()
    try:
        engine.ensure()
        with cache.lock("operator-image"):  # tests ask for it side by side
            if not (options.if_missing and up_to_date()):
                build(base_image(options.base))
        if options.load:
            chosen = [one for one in cluster.ALL if options.cluster in (None, one.name)]
            workloads.load([one for one in chosen if cluster.present(one)], [IMAGE])
        if options.save:
            print(save(options.save))
    except LabError as error:
        say(f"missing: {error.missing}")
        say(f"do: {error.do}")
        return 1
    print(IMAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
