"""Screenshots of the reports of shipped recordings, for the docs: `make screenshots`.

Needs Chromium (CHROMIUM names another one). PNGs depend on the fonts of the machine, so no test compares them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# name, recording, language, width, height, scheme, what is at the top
SHOTS = (
    ("report.en", "ha-one-down", "en", 1280, 1160, "light", "#summary"),
    ("report.ko", "ha-one-down", "ko", 1280, 1160, "light", "#summary"),
    ("report-dark.en", "faulty", "en", 1600, 1000, "dark", "#findings"),
    ("report-wide.ko", "ha-one-down", "ko", 1600, 1000, "dark", "#picture"),
    ("report-phone.en", "ha-one-down", "en", 390, 844, "dark", "#control-plane"),
    ("report-phone.ko", "faulty", "ko", 390, 844, "light", "#summary"),
)


def main() -> None:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        for name, recording, language, width, height, scheme, top in SHOTS:
            file = Path(folder) / f"{name}.html"
            words = ["report", "--from", f"demo:{recording}", "--lang", language, "-O", str(file)]
            subprocess.run([sys.executable, "-m", "kcompanion", *words], check=True, cwd=ROOT, capture_output=True)
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type] # a word of the table
            page.goto(file.as_uri())
            page.locator(top).scroll_into_view_if_needed()
            page.evaluate(f"document.querySelector({top!r}).scrollIntoView()")
            page.screenshot(path=ROOT / "docs" / "img" / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
