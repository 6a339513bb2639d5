"""The rounds: every system in turn while the processes of all three run, so that a round compares like with like."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kafka_saga.broker.records import Outgoing
from tests.bench.figures import Round, differences
from tests.bench.load import starts
from tests.bench.probe import Probe
from tests.bench.systems import Running, cpu_seconds

BLOCK = 20
"""Unloaded sagas of one system before it is the next one's turn."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured: rounds, seconds of load, unloaded sagas a round; `sagas` fixes the load instead."""

    rounds: int = 3
    seconds: float = 15.0
    unloaded: int = 300
    sagas: int | None = None
    warm_up: int = 3_000

    def load(self, throughput: float) -> int:
        """How many sagas make a load, at the best throughput seen before."""
        return self.sagas or max(500, round(throughput * self.seconds))


@dataclass
class Contender:
    """A system under measurement."""

    running: Running
    probe: Probe
    throughput: float = 0.0
    serial: int = 0
    rounds: list[Round] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The system's name."""
        return self.running.system.name

    def unloaded(self, count: int) -> list[float]:
        """Milliseconds of so many sagas, one after the other."""
        return [self.probe.one(start) * 1000 for start in self._starts(count)]

    def loaded(self, count: int, broker: int) -> Round:
        """So many sagas at once."""
        made = self._starts(count)
        before = self._cpu(broker)
        done, tracked = self.probe.all(made)
        self.running.check()
        found = Round(self.name, count, done, tracked, cpu_us=differences(before, self._cpu(broker), count))
        self.throughput = max(self.throughput, found.throughput)
        return found

    def _starts(self, count: int) -> list[Outgoing]:
        self.serial += count
        return starts(self.running.system, self.serial - count, count)

    def _cpu(self, broker: int) -> Mapping[str, float]:
        own = {f"{self.name}: broker": cpu_seconds(broker), f"{self.name}: driver": cpu_seconds(os.getpid())}
        return {**self.running.cpu_seconds(), **own}


def warm_up(contenders: Sequence[Contender], sizes: Sizes, broker: int) -> None:
    """Twice, since the broker's first seconds say nothing about its throughput."""
    for count in (max(200, sizes.warm_up // 5), sizes.warm_up):
        for contender in contenders:
            contender.unloaded(BLOCK)
            contender.loaded(count, broker)


def measure(contenders: Sequence[Contender], sizes: Sizes, broker: int, say: Callable[[str], None]) -> list[Round]:
    """All rounds; the order of the systems rotates."""
    found: list[Round] = []
    for number in range(sizes.rounds):
        at = number % len(contenders)
        order = [*contenders[at:], *contenders[:at]]
        latencies = _unloaded(order, sizes.unloaded)
        for contender in order:
            one = contender.loaded(sizes.load(contender.throughput), broker)
            one.latencies_ms = latencies[contender.name]
            found.append(one)
            say(f"round {number + 1}: {one.system} {one.throughput:,.0f} sagas/s, unloaded p50 {one.p50_ms:.1f} ms")
    return found


def _unloaded(order: Sequence[Contender], count: int) -> dict[str, list[float]]:
    """In blocks, turn by turn."""
    found: dict[str, list[float]] = {contender.name: [] for contender in order}
    while count > 0:
        for contender in order:
            found[contender.name] += contender.unloaded(min(BLOCK, count))
        count -= BLOCK
    return found
