"""Runs kcompanion with its requests counted: `python bench/counted.py FILE controlplane …` writes the count to FILE."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

from kcompanion.cli.main import run
from kcompanion.cluster.transport import Transport


def main(target: Path, words: list[str]) -> int:
    sent: list[str] = []
    lock = threading.Lock()
    request = Transport.request

    def counting(self: Transport, path: str, **options: Any) -> Any:  # noqa: ANN401 - passed on as it came
        with lock:
            sent.append(path.partition("?")[0])
        return request(self, path, **options)

    Transport.request = counting  # type: ignore[method-assign]
    code = run(words)
    target.write_text(json.dumps({"requests": len(sent), "paths": sorted(sent)}))
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
