"""5,000 pods and 200 nodes (made up): in 400 MB, and a page that stays light. The seconds are measured in bench/."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from kcompanion.cluster import recording
from tests.report.whole.big import big

ROOT = Path(__file__).parents[3]
MEASURED = """
import sys
from kcompanion.cli.main import run
from tests.peak import peak_kib
code = run(sys.argv[1:])
print(code, peak_kib())
"""


def test_a_large_cluster_takes_little(tmp_path: Path) -> None:
    recording.save(big(), tmp_path / "big.kcr")
    page = tmp_path / "big.html"
    words = ["report", "--from", str(tmp_path / "big.kcr"), "-O", str(page)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], capture_output=True, text=True, check=True, cwd=ROOT, timeout=120
    )
    code, kilobytes = done.stdout.split()
    text = page.read_text(encoding="utf-8")
    assert code == "0"
    assert int(kilobytes) < 400 << 10
    assert len(text) < 3 << 20
    assert len(re.findall(r"<[a-z]", text)) <= 15_000
    assert "team-00" in text
    assert "are not drawn" in text
    assert "ImagePullBackOff" in text
