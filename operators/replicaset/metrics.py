"""Counters and histograms in Prometheus's text format; the names are Kubernetes' own where it has them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping

LATENCY = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float]


class Counter:
    """Numbers that only grow, one for each set of labels."""

    def __init__(self) -> None:
        self._values: dict[Labels, float] = {}

    def add(self, amount: float = 1, **labels: str) -> None:
        key = tuple(labels.items())
        self._values[key] = self._values.get(key, 0) + amount

    def samples(self) -> Iterable[Sample]:
        return tuple(self._values.items()) or (((), 0.0),)

    def total(self) -> float:
        return sum(self._values.values())


class Histogram:
    """How long something took."""

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(LATENCY, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str, labels: str) -> Iterable[str]:
        count, comma = 0, "," if labels else ""
        for edge, number in zip((*map(str, LATENCY), "+Inf"), self._counts, strict=True):
            count += number
            yield f'{name}_bucket{{{labels}{comma}le="{edge}"}} {count}'
        yield f"{name}_sum{{{labels}}} {self._sum:.6f}"
        yield f"{name}_count{{{labels}}} {count}"


class Registry:
    """What /metrics prints: counters, histograms, and functions that are asked at that moment."""

    def __init__(self, **common: str) -> None:
        self._common = tuple(common.items())
        self._families: list[tuple[str, str, str, Callable[[str], Iterable[str]]]] = []

    def counter(self, name: str, meaning: str) -> Counter:
        counter = Counter()
        self.reading(name, meaning, counter.samples, kind="counter")
        return counter

    def histogram(self, name: str, meaning: str) -> Histogram:
        histogram = Histogram()
        self._families.append((name, "histogram", meaning, lambda n: histogram.lines(n, _text(self._common))))
        return histogram

    def reading(self, name: str, meaning: str, read: Callable[[], Iterable[Sample]], kind: str = "gauge") -> None:
        def lines(full: str) -> Iterable[str]:
            for labels, value in read():
                yield f"{full}{{{_text((*self._common, *labels))}}} {_number(value)}"

        self._families.append((name, kind, meaning, lines))

    def gauge(
        self, name: str, meaning: str, read: Callable[[], float], kind: str = "gauge", labels: Labels = ()
    ) -> None:
        self.reading(name, meaning, lambda: ((labels, read()),), kind)

    def text(self) -> str:
        lines: list[str] = []
        for name, kind, meaning, family in self._families:
            lines += (f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", *family(name))
        return "\n".join(lines) + "\n"


def labelled(values: Mapping[tuple[str, str, int], int]) -> Iterable[Sample]:
    """The client's count of requests as samples."""
    for (verb, resource, code), count in sorted(values.items()):
        yield (("verb", verb), ("resource", resource), ("code", str(code))), count


def _text(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"
