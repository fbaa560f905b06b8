"""The figures of a run as a table, and as docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.measure import Spread

Figures = Mapping[str, Any]
Row = tuple[str, str, str]
_HEAD: Row = ("what", "figure", "beside it")
_TITLES = {
    "start": "The start",
    "cluster": "The 3-node cluster",
    "pod": "One pod that crashes",
    "scale": "5,000 pods",
    "health": "5,000 pods: health",
    "faults": "Who finds the cause",
}


def table(found: Mapping[str, Figures], gates: Mapping[str, float]) -> str:
    """Columns for the terminal."""
    rows = [_HEAD, *_rows(found, gates)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}".rstrip() for a, b, c in rows)


def page(found: Mapping[str, Figures], gates: Mapping[str, float]) -> str:
    """docs/benchmarks.md: nothing in it that a run did not measure."""
    lines = [
        "# Measurements",
        "",
        "Written by `.venv/bin/python bench/run.py --scale --doc`; do not edit.",
        "",
        "Seconds are wall time of a new process with its files in the page cache: the median, then the lowest and the"
        " highest. They depend on the machine and on what else it does, which the load tells. The bar is on the ratio"
        " of two programs that ran in turns. What is not listed was not measured.",
        "",
    ]
    for name, figures in found.items():
        on = figures["machine"]
        where = f"{on['cores']} cores, {on['system']}, Python {on['python']}, load {on['loadBefore']} when it began"
        rows = ("| " + " | ".join(row) + " |" for row in _rows({name: figures}, gates))
        lines += [f"## {_TITLES[name]}", "", f"{figures['takenAt'][:16].replace('T', ' ')} UTC; {where}.", ""]
        lines += ["| " + " | ".join(_HEAD) + " |", "|---|---|---|", *rows, ""]
    lines += ["Fake nodes are played by kwok: their pods never run anything.", ""]
    return "\n".join(lines)


def _rows(found: Mapping[str, Figures], gates: Mapping[str, float]) -> Iterator[Row]:
    for name, figures in found.items():
        if "notMeasured" in figures:
            yield name, "not measured", str(figures["notMeasured"])
        elif name == "start":
            yield (
                "`kcompanion --help`, seconds",
                _spread(figures["seconds"]),
                f"`python -c pass`: {_spread(figures['besideSeconds'])}",
            )
            yield "· ratio", *_ratio(figures, gates[name])
            yield (
                "· imports kubernetes or kopf",
                "no" if figures["clean"] else "yes",
                "imports: " + (", ".join(figures["imported"]) or "none of the heavy ones"),
            )
        elif name == "cluster":
            yield from _cluster(figures, gates[name])
        elif name == "pod":
            yield from _pod(figures, gates[name])
        elif name == "faults":
            yield from _faults(figures)
        else:
            yield from _scale(figures)


def _cluster(figures: Figures, bar: float) -> Iterator[Row]:
    beside = f"`kubectl get nodes,pods -A -o json`: {_spread(figures['besideSeconds'])}"
    yield "`controlplane`, 3 nodes, seconds", _spread(figures["seconds"]), beside
    yield "· processor seconds", _spread(figures["cpuSeconds"]), _spread(figures["besideCpuSeconds"])
    yield "· ratio", *_ratio(figures, bar)
    yield "· requests", str(figures["requests"]), ""
    yield "· peak memory", f"{figures['peakMiB']} MiB", ""
    for peer, seconds in figures["peers"].items():
        yield f"· {peer}", seconds if isinstance(seconds, str) else _spread(seconds), ""


def _pod(figures: Figures, bar: float) -> Iterator[Row]:
    beside = f"`kubectl describe pod`: {_spread(figures['besideSeconds'])}"
    yield "`explain pod`, seconds", _spread(figures["seconds"]), beside
    yield "· processor seconds", _spread(figures["cpuSeconds"]), _spread(figures["besideCpuSeconds"])
    yield "· ratio", *_ratio(figures, bar)
    yield "· requests", str(figures["requests"]), ""


def _faults(figures: Figures) -> Iterator[Row]:
    """For each program the sum over all faults, then each fault: found or not, bytes printed, requests, seconds."""
    for program, sums in figures["totals"].items():
        told = f"{sums['found']} of {figures['of']} causes in its output"
        yield program, told, f"{sums['bytes']:,} bytes and {sums['requests']} requests in all"
    for peer in figures["notMeasuredPeers"]:
        yield peer, "not measured", "no program of that name in PEERS_DIR"
    for fault, programs in figures["faults"].items():
        for program, found in programs.items():
            numbers = f"{found['bytes']:,} bytes, {found['requests']} requests"
            seconds = f"{found['seconds']['median']:.2f} s"
            yield f"· {fault}: {program}", "found" if found["found"] else "not found", f"{numbers}, {seconds}"


def _scale(figures: Figures) -> Iterator[Row]:
    yield (
        f"{figures['pods']:,} pods",
        str(figures["nodes"]),
        f"`kubectl get nodes,pods -A -o json`: {_spread(figures['kubectlSeconds'])}",
    )
    for command, found in figures["commands"].items():
        file = f", file {found['fileMiB']} MiB" if "fileMiB" in found else ""
        yield f"· `{command}`, seconds", _spread(found["seconds"]), f"peak memory {found['peakMiB']} MiB{file}"
    for count, found in figures.get("stuck", {}).items():
        told = f"{found['lines']} lines, peak memory {found['peakMiB']} MiB"
        yield f"· `health -A`, {count} of them stuck for one cause, seconds", _spread(found["seconds"]), told


def _spread(figures: Figures) -> str:
    return str(Spread(**figures))


def _ratio(figures: Figures, bar: float) -> tuple[str, str]:
    return _spread(figures["ratio"]), f"bar: {bar:.0f}"
