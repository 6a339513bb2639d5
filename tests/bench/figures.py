"""From what was measured to what is reported: medians, percentiles, ratios. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Round:
    """One round of one system."""

    system: str
    sagas: int = 0
    done_s: float = 0.0
    tracked_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    cpu_us: dict[str, float] = field(default_factory=dict)

    @property
    def throughput(self) -> float:
        """Sagas a second, until both the last event and the tracker's last record are on the log."""
        return self.sagas / max(self.done_s, self.tracked_s)

    @property
    def p50_ms(self) -> float:
        """The median time of an unloaded saga."""
        return percentile(self.latencies_ms, 50)

    def as_dict(self) -> dict[str, object]:
        """For the JSON file."""
        return {
            "system": self.system,
            "sagas": self.sagas,
            "throughput": round(self.throughput, 1),
            "done_s": round(self.done_s, 3),
            "tracked_s": round(self.tracked_s, 3),
            **{f"p{p}_ms": round(percentile(self.latencies_ms, p), 2) for p in (50, 95, 99)},
            "cpu_us_per_saga": {name: round(us, 1) for name, us in self.cpu_us.items()},
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the least value that so many percent of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def summary(rounds: Iterable[Round]) -> dict[str, float]:
    """A system in four figures: the median of the rounds for throughput, all sagas together for the percentiles."""
    own = list(rounds)
    pooled = [value for one in own for value in one.latencies_ms]
    figures = {f"p{p}_ms": round(percentile(pooled, p), 2) for p in (50, 95, 99)}
    return {"throughput": round(median(one.throughput for one in own), 1), **figures}


def ratios(rounds: Sequence[Round]) -> dict[str, float]:
    """The framework against its references: the median of the ratios within each round, since the machine is shared."""
    by_name = {name: [one for one in rounds if one.system == name] for name in ("saga", "lean", "bare")}

    def of(name: str) -> float:
        pairs = zip(by_name["saga"], by_name[name], strict=True)
        return round(median(saga.throughput / other.throughput for saga, other in pairs), 3)

    pairs = zip(by_name["saga"], by_name["lean"], strict=True)
    p50 = round(median(saga.p50_ms / lean.p50_ms for saga, lean in pairs), 3)
    return {"lean_throughput": of("lean"), "bare_throughput": of("bare"), "p50": p50}


def cpu_by_process(rounds: Iterable[Round]) -> dict[str, float]:
    """Median processor microseconds a saga of every process, broker and driver included."""
    found: dict[str, list[float]] = {}
    for one in rounds:
        for name, us in one.cpu_us.items():
            found.setdefault(name, []).append(us)
    return {name: round(median(values), 1) for name, values in found.items()}


def processor_us(rounds: Iterable[Round]) -> float:
    """Processor microseconds a saga of a system's own processes; hardly moved by what else the machine does."""
    return round(sum(us for name, us in cpu_by_process(rounds).items() if ": " not in name), 1)


def differences(before: Mapping[str, float], after: Mapping[str, float], sagas: int) -> dict[str, float]:
    """Processor microseconds a saga between two looks at the processor seconds used."""
    return {name: (after[name] - before[name]) * 1e6 / sagas for name in after}
