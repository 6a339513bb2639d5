"""A histogram of seconds that takes a quarter of a microsecond an observation, for what is observed of every record.

The client library's own takes several times as long, most of it for locks. Here one thread writes; one that reads
meanwhile may see a sum that is an observation ahead.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

Key = tuple[str, ...]


class Series:
    """The observations with one set of label values. `bounds` are upper bounds, in seconds."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """It took so long."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Cumulative counts by upper bound, and the sum."""
        counts, total = tuple(self._counts), 0
        found: list[tuple[str, float]] = []
        for bound, number in zip((*map(str, self._bounds), "+Inf"), counts, strict=True):
            total += number
            found.append((bound, total))
        return found, self._sum


class Durations(Collector):
    """A histogram with labels, in the registry it is registered with."""

    def __init__(self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self._name = name
        self._text = text
        self._labels = tuple(labels)
        self._bounds = tuple(bounds)
        self._series: dict[Key, Series] = {}

    def of(self, key: Key) -> Series:
        """The series with these label values."""
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(self._bounds)
        return found

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """As `Collector.describe`: the name, for the registry."""
        yield HistogramMetricFamily(self._name, self._text, labels=self._labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """As `Collector.collect`."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for key, series in tuple(self._series.items()):
            buckets, total = series.buckets()
            family.add_metric(key, buckets, total)
        yield family
