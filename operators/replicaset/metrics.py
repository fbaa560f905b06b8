"""Counters and histograms in Prometheus's text format.

What Kubernetes measures too has its name, its labels, its buckets and its meaning, so that the same query reads both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate, repeat
from operator import mul

LATENCY = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def exponential(first: float, factor: float, count: int) -> tuple[float, ...]:
    """Edges that grow by a factor, multiplied as Prometheus does: to the last digit the same."""
    return tuple(accumulate(repeat(factor, count - 1), mul, initial=first))


Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float]


class Counter:
    """Numbers that only grow, one for each set of labels; those that have none begin at 0."""

    def __init__(self, *, labelled: bool) -> None:
        self._values: dict[Labels, float] = {} if labelled else {(): 0.0}

    def add(self, amount: float = 1, **labels: str) -> None:
        key = tuple(labels.items())
        self._values[key] = self._values.get(key, 0) + amount

    def samples(self) -> Iterable[Sample]:
        return tuple(self._values.items())

    def total(self) -> float:
        return sum(self._values.values())


class Histogram:
    """How long something took, or how large it was."""

    def __init__(self, edges: tuple[float, ...]) -> None:
        self._edges = edges
        self._counts = [0] * (len(edges) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._edges, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: Labels) -> Iterable[str]:
        count = 0
        for edge, number in zip((*map(_edge, self._edges), "+Inf"), self._counts, strict=True):
            count += number
            yield f"{name}_bucket{_text((*labels, ('le', edge)))} {count}"
        yield f"{name}_sum{_text(labels)} {self._sum:.6f}"
        yield f"{name}_count{_text(labels)} {count}"


class Registry:
    """What /metrics prints: counters, histograms, and functions that are asked at that moment."""

    def __init__(self, **common: str) -> None:
        self._common = tuple(common.items())
        self._families: list[tuple[str, str, str, Callable[[str], Iterable[str]]]] = []

    def carrying(self, *names: str) -> Registry:
        """The same registry, for what shall carry only these of the labels that are common to all."""
        part = Registry(**{name: value for name, value in self._common if name in names})
        part._families = self._families
        return part

    def counter(self, name: str, meaning: str, *, labelled: bool = False) -> Counter:
        counter = Counter(labelled=labelled)
        self.reading(name, meaning, counter.samples, kind="counter")
        return counter

    def histogram(self, name: str, meaning: str, edges: tuple[float, ...] = LATENCY) -> Histogram:
        histogram = Histogram(edges)
        self._families.append((name, "histogram", meaning, lambda n: histogram.lines(n, self._common)))
        return histogram

    def reading(self, name: str, meaning: str, read: Callable[[], Iterable[Sample]], kind: str = "gauge") -> None:
        def lines(full: str) -> Iterable[str]:
            for labels, value in read():
                yield f"{full}{_text((*self._common, *labels))} {_number(value)}"

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
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def _edge(value: float) -> str:
    return repr(value).removesuffix(".0")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"
