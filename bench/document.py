"""The figures of a run as a table, and as docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
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
    "operator": "The operator beside the built-in controller",
}
_LAST = "Fake nodes are played by kwok: their pods never run anything."


def table(found: Mapping[str, Figures], gates: Mapping[str, float]) -> str:
    """Columns for the terminal."""
    rows = [_HEAD, *_rows(found, gates)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}".rstrip() for a, b, c in rows)


def write(path: Path, found: Mapping[str, Figures], gates: Mapping[str, float]) -> None:
    """Writes the page anew; parts without new figures stay as they are."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(page(found, gates, before), encoding="utf-8")


def page(found: Mapping[str, Figures], gates: Mapping[str, float], before: str = "") -> str:
    """docs/benchmarks.md: nothing in it that a run did not measure."""
    lines = [
        "# Measurements",
        "",
        "Written by `bench/run.py --scale --doc` and `bench/replicasets.py --doc`; do not edit.",
        "",
        "Seconds are wall time of a new process with its files in the page cache: the median, then the lowest and the"
        " highest. They depend on the machine and on what else it does, which the load tells. The bar is on the ratio"
        " of two programs that ran in turns. What is not listed was not measured.",
        "",
    ]
    kept = dict(_sections(before))
    for name, title in _TITLES.items():
        if name in found:
            lines += _section(name, found[name], gates)
        elif title in kept:
            lines += [f"## {title}", *kept[title]]
    return "\n".join([*lines, _LAST, ""])


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """The parts of a page that was written before: title, and the lines below it."""
    for part in text.replace(f"{_LAST}\n", "").split("\n## ")[1:]:
        title, *lines = part.split("\n")
        yield title, [*"\n".join(lines).rstrip().split("\n"), ""]


def _section(name: str, figures: Figures, gates: Mapping[str, float]) -> list[str]:
    on = figures["machine"]
    where = f"{on['cores']} cores, {on['system']}, Python {on['python']}, load {on['loadBefore']} when it began"
    rows = ("| " + " | ".join(row) + " |" for row in _rows({name: figures}, gates))
    head = [f"## {_TITLES[name]}", "", f"{figures['takenAt'][:16].replace('T', ' ')} UTC; {where}.", ""]
    return [*head, *_NOTES.get(name, ()), "| " + " | ".join(_HEAD) + " |", "|---|---|---|", *rows, ""]


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
        elif name == "operator":
            yield from _operator(figures)
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
        file += _BARS.get(command, "")
        yield f"· `{command}`, seconds", _spread(found["seconds"]), f"peak memory {found['peakMiB']} MiB{file}"
    if smooth := figures.get("scrolled"):
        task = f"{smooth['longestTaskMs']:.0f} ms" if smooth["longestTaskMs"] else "under 50 ms"
        yield "· PAGE scrolled in Chromium: longest task of the main thread", task, "bar: 200 ms"
        yield "· elements of PAGE", f"{smooth['elements']:,}", "bar: 15,000"
    for count, found in figures.get("stuck", {}).items():
        told = f"{found['lines']} lines, peak memory {found['peakMiB']} MiB"
        yield f"· `health -A`, {count} of them stuck for one cause, seconds", _spread(found["seconds"]), told


def limits(setting: Figures) -> str:
    """`100/200`, as `--kube-api-qps` and `--kube-api-burst` have it."""
    return "no limit" if setting["qps"] >= 1000 else f"{setting['qps']:.0f}/{setting['burst']}"


_BARS = {"report -O PAGE": "; bars: 10 s, 400 MB, 3 MB"}
_NOTES = {
    "scale": (
        "Bare pods, all of them well, in one namespace: without owners, Services and failures a report has less to"
        " judge and to show than of most clusters of that size.",
        "",
    ),
    "faults": (
        "Found means that the fact a person needs stands somewhere in the output. kubectl-mole waits whether a state"
        " lasts; it was given 20 seconds at most. The peers are of August 2026: kubectl-mole 0.5.0 and"
        " kubectl-status 0.7.25.",
        "",
    ),
    "operator": (
        "Stand-in mode beside a kube-controller-manager with only its ReplicaSet controller, in turns on one cluster,"
        " as the same ServiceAccount; pods are on fake nodes. Figures are medians, then the lowest and the highest;"
        " beside ours stands the built-in's.",
        "",
    ),
}
_OPERATOR_ROWS = (
    ("pods exist, seconds", "podsSeconds"),
    ("status is ready, seconds", "readySeconds"),
    ("pods created a second", "podsPerSecond"),
    ("down to 0, seconds", "downSeconds"),
    ("100 killed until ready again, seconds", "recoverySeconds"),
    ("requests per replica", "requestsPerReplica"),
    ("of them PUT (status)", "requestsPUT"),
    ("processor seconds per 1,000 pods", "cpuSecondsPer1000"),
    ("memory, MiB", "memoryMiB"),
    ("pods too many", "overshoot"),
)


def _operator(figures: Figures) -> Iterator[Row]:
    for setting in figures["settings"]:
        ours, theirs = setting["ours"], setting["builtIn"]
        what = f"**0 → {setting['replicas']:,} at {limits(setting)}** ({setting['runs']} runs each), seconds"
        ratio = f"ratio {setting['ratio']:.2f}, bar {setting['bar']}"
        yield what, _ranged(setting, "ours", "upSeconds"), f"{_ranged(setting, 'builtIn', 'upSeconds')}; {ratio}"
        for label, name in _OPERATOR_ROWS:
            if ours.get(name) or theirs.get(name):
                yield f"· {label}", _ranged(setting, "ours", name), _ranged(setting, "builtIn", name)
    if figures.get("realTime"):
        yield "API server, etcd and both controllers had real-time priority", "yes", "other load did not count"
    if steady := figures.get("steady"):
        yield f"**{steady['pods']:,} pods, nothing happening for {steady['seconds']:.0f} s**, MiB", *_steady(steady)
        yield "· requests beside watches", f"{steady['requests']:.0f}", "bar: 0"
        yield "· processor, percent of a core", f"{steady['cpuPercent']:.1f}", ""


def _ranged(setting: Figures, whose: str, name: str) -> str:
    median = f"{setting[whose].get(name, 0):.2f}"
    lowest, highest = setting["spread"][whose].get(name, (0, 0))
    return median if lowest == highest else f"{median} ({lowest:.2f} – {highest:.2f})"


def _steady(steady: Figures) -> tuple[str, str]:
    return f"{steady['memoryMiB']:.0f}", "bar: 200"


def _spread(figures: Figures) -> str:
    return str(Spread(**figures))


def _ratio(figures: Figures, bar: float) -> tuple[str, str]:
    return _spread(figures["ratio"]), f"bar: {bar:.0f}"
