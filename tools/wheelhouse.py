"""Collects the wheels for machines without a network: `make wheelhouse` writes dist/wheelhouse and its archive.

The wheels are exactly those of requirements.lock and the one of kcompanion built by `make dist`, each with its hash,
so that the installation there checks the same hashes as `make setup` does here. They are for this machine's system,
processor and Python: make it where the target looks alike.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
INSTALL = """\
kcompanion {version} for {tag}, with everything it needs. Nothing is fetched:

    python3 -m venv kcompanion
    kcompanion/bin/pip install --no-index --find-links . --require-hashes -r requirements.txt
    kcompanion/bin/kcompanion --version

or, with pipx, in this folder:

    pipx install --pip-args="--no-index --find-links ." kcompanion

---

{tag}용 kcompanion {version}과 필요한 패키지 전부입니다. 네트워크에서 아무것도 받지 않습니다.
이 폴더에서 위의 두 가지 방법 중 하나로 설치하세요.
"""


def built(dist: Path) -> Path:
    """The wheel that `make dist` left."""
    wheels = sorted(dist.glob("kcompanion-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"there are {len(wheels)} wheels of kcompanion in {dist.name}: run `make dist`")
    return wheels[0]


def collect(wheel: Path, house: Path) -> None:
    """Fills the folder: the locked packages, ours, their hashes, and how to install them."""
    house.mkdir(parents=True, exist_ok=True)
    for old in house.iterdir():
        old.unlink()
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--require-hashes", "-r", str(LOCK), "-d", str(house)], check=True)
    (house / wheel.name).write_bytes(wheel.read_bytes())
    version = wheel.name.split("-")[1]
    ours = f"kcompanion=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    (house / "requirements.txt").write_text(LOCK.read_text(encoding="utf-8") + ours, encoding="utf-8")
    (house / "INSTALL.txt").write_text(INSTALL.format(version=version, tag=tag()), encoding="utf-8")


def tag() -> str:
    """What the wheels fit on: Python, system and processor."""
    return f"cp{sys.version_info.major}{sys.version_info.minor}-{sysconfig.get_platform()}"


def pack(house: Path, archive: Path) -> None:
    """One file to carry over; without owners and times, so that the same wheels give the same tar."""
    with tarfile.open(archive, "w") as tar:  # wheels are compressed already
        for file in sorted(house.iterdir()):
            entry = tar.gettarinfo(file, f"{archive.stem}/{file.name}")
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o644
            with file.open("rb") as content:
                tar.addfile(entry, content)


def main() -> int:
    parser = argparse.ArgumentParser(description="Collect the wheels for an installation without a network.")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="where `make dist` wrote")
    given = parser.parse_args()
    wheel = built(given.dist)
    house = given.dist / "wheelhouse"
    collect(wheel, house)
    archive = given.dist / f"kcompanion-{wheel.name.split('-')[1]}-wheelhouse-{tag()}.tar"
    pack(house, archive)
    print(archive.relative_to(ROOT) if archive.is_relative_to(ROOT) else archive)
    return 0


if __name__ == "__main__":
    sys.exit(main())
