"""How a report scrolls in Chromium: how many elements it has, and the longest task of its main thread meanwhile."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

STEP = 400  # pixels for each frame: a fast wheel
_SCROLL = """async step => {
  const tasks = [];
  new PerformanceObserver(list => list.getEntries().forEach(task => tasks.push(task.duration)))
    .observe({type: 'longtask', buffered: false});
  const frame = () => new Promise(requestAnimationFrame);
  for (let y = 0; y < document.documentElement.scrollHeight; y += step) { window.scrollTo(0, y); await frame(); }
  await new Promise(done => setTimeout(done, 500));
  return {elements: document.querySelectorAll('*').length, longestTaskMs: Math.max(0, ...tasks)};
}"""


def scrolled(file: Path) -> dict[str, Any]:
    """Elements, and the longest task in milliseconds; 0 stands for none of 50 ms or more, which is all browsers tell.

    Raises:
        LookupError: there is no Chromium.
    """
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        raise LookupError("no Chromium to scroll in")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(file.as_uri())
        found: dict[str, Any] = page.evaluate(_SCROLL, STEP)
        browser.close()
    return found
