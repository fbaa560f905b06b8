"""`make demo` as a person without a terminal, a cluster or rights starts it, in both languages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What each step has to say; the numbers are those of the recordings.
TOLD = {
    "en": (
        "1. A small shop",
        "✔ Nodes: 3 of 3 well",
        "Nothing is left of dns",
        "the pod needs 64 cpu",
        "✖ Terminating",
        "1 too few, so create 1",
        "All 6 claims held",
        "to keep:",
    ),
    "ko": (
        "1. kind에서 기록한",
        "✔ 노드: 3개 중 3개 정상",
        "하나도 남지 않은 것: dns",
        "cpu 64 필요",
        "✖ Terminating",
        "web-rzfs8",
        "주장 6개가 모두",
        "남깁니다.",
    ),
}


def run(where: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the demo in a folder of its own: it writes report.html beside itself."""
    shutil.copytree(ROOT / "demo", where / "demo")
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(where), **environ}
    command = ["bash", str(where / "demo" / "demo.sh"), *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=env,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=170,
    )


def test_the_demo_tells_its_story(tmp_path: Path) -> None:
    done = run(tmp_path, COLUMNS="80", LANG="C.UTF-8")
    assert done.returncode == 0, done.stderr
    assert [word for word in TOLD["en"] if word not in done.stdout] == []
    assert "\x1b" not in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80 and line[0] == " " and "http" not in line] == []
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_it_speaks_korean(tmp_path: Path) -> None:
    done = run(tmp_path, "--lang", "ko", LANG="C.UTF-8")
    assert done.returncode == 0, done.stderr
    assert [word for word in TOLD["ko"] if word not in done.stdout] == []
