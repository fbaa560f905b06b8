"""`bench/run.py [--scale] [--doc]`: prints a table, writes build/bench/*.json; 1 when a ratio is above its bar."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import document  # noqa: E402 - found only once the path is set
from bench.measure import machine  # noqa: E402
from bench.parts import KUBECONFIG, PARTS  # noqa: E402

TARGET = ROOT / "build" / "bench"
# part: the highest ratio allowed of our median to that of the program beside it. The scripts run anywhere; only a ratio
# of two programs in the same minutes can be a bar. They leave room for a machine that is busy with other things.
GATES = {"start": 12.0, "cluster": 15.0, "pod": 15.0}


_ORDER = (*PARTS, "scale", "health", "faults")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", action="store_true", help="also 5,000 pods on fake nodes beside the cluster")
    parser.add_argument("--faults", action="store_true", help="also the demo faults, beside kubectl and the peers")
    parser.add_argument("--doc", action="store_true", help="write docs/benchmarks.md from build/bench")
    parser.add_argument("--only", choices=_ORDER, help="just this part")
    parser.add_argument("--pods", type=int, default=5000, help="of the parts with many: fewer to try them [5000]")
    options = parser.parse_args()
    if options.doc and options.pods != parser.get_default("pods"):
        parser.error("what is published is measured with 5,000 pods: leave out --doc or --pods")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was put into the cluster is taken out
    parts = dict(PARTS)
    if options.scale or options.only == "scale":
        from bench.scale import Size, scale  # noqa: PLC0415 - needs the lab

        parts["scale"] = partial(scale, Size(options.pods))
    if options.scale or options.only == "health":
        from bench.scale import Size, health  # noqa: PLC0415 - as above

        parts["health"] = partial(health, Size(options.pods))
    if options.faults or options.only == "faults":
        from bench.faults import faults  # noqa: PLC0415 - needs kubectl

        parts["faults"] = faults
    found = {name: _measured(name, part) for name, part in parts.items() if options.only in (None, name)}
    failed = [name for name, bar in GATES.items() if _ratio(found.get(name)) > bar]
    failed += [name for name, figures in found.items() if figures.get("clean") is False]
    table = document.table(found, GATES)
    print(table)
    if options.doc:
        kept = {name: json.loads(file.read_text()) for name in _ORDER if (file := TARGET / f"{name}.json").is_file()}
        document.write(ROOT / "docs" / "benchmarks.md", kept, GATES)
    for name in failed:
        print(f"above its bar: {name}", file=sys.stderr)
    return 1 if failed else 0


def _measured(name: str, part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    head = {"takenAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "machine": machine()}
    if name != "start" and not KUBECONFIG.is_file():
        figures: dict[str, Any] = {"notMeasured": "there is no cluster: run `make cluster`"}
    else:
        try:
            figures = part()
        except LookupError as error:
            figures = {"notMeasured": str(error)}
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / f"{name}.json").write_text(json.dumps({**head, **figures}, indent=2, sort_keys=True) + "\n")
    return {**head, **figures}


def _ratio(figures: dict[str, Any] | None) -> float:
    return float(figures["ratio"]["median"]) if figures and "ratio" in figures else 0.0


if __name__ == "__main__":
    sys.exit(main())
