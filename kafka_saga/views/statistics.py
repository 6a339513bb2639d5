"""What happened at each step within the last minute and hour: counts, and how long from trigger to outcome. Pure.

They are a function of the states in the table: a state that replaces another takes back what the other had said,
so a repeated record changes nothing. Durations are counted in classes that grow by 5 %, so figures of several workers
add up, and a percentile is right within 2.5 %.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from kafka_saga.api.topology import Figures as Answer
from kafka_saga.tracker.core.state import SagaState, StepStatus

WINDOWS: Mapping[str, int] = {"1m": 60_000, "1h": 3_600_000}
"""Milliseconds of each window."""

SLOT = 5_000
"""Milliseconds that are counted together: a window ends now, and begins within so much of its length before."""

_LONGEST = max(WINDOWS.values())
_GROWTH = math.log(1.05)
_FAILED = "step.failed"


class What(StrEnum):
    """What can happen at a step."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    RETRIED = "retried"


class Fact(NamedTuple):
    """Something that happened at a step, at `at` (milliseconds UTC); `took` is the class of its duration."""

    definition: str
    step: str
    what: What
    at: int
    took: int | None = None


def facts(state: SagaState) -> Counter[Fact]:
    """Everything that a state says of its steps: runs that began or are done, attempts that failed or were retried."""
    return Counter((*_runs(state), *_attempts(state)))


def _runs(state: SagaState) -> Iterator[Fact]:
    for step in state.steps:
        for run in step.runs:
            yield Fact(state.definition, step.name, What.STARTED, run.at)
            if run.outcome is not None and run.ended_at is not None and run.status is not StepStatus.SKIPPED:
                took = class_of(run.ended_at - run.at)
                yield Fact(state.definition, step.name, What.DONE, run.ended_at, took)


def _attempts(state: SagaState) -> Iterator[Fact]:
    for report in state.reports:
        if report.kind == _FAILED:
            yield Fact(state.definition, report.step, What.FAILED, report.at)
    for sent in state.sent:
        if not sent.undoes:
            yield Fact(state.definition, sent.step, What.RETRIED, sent.at)


def class_of(milliseconds: int) -> int:
    """The class that a duration belongs to."""
    return math.floor(math.log(max(0, milliseconds) + 1) / _GROWTH)


def middle_of(number: int) -> int:
    """The duration in the middle of a class (milliseconds)."""
    return max(0, round(math.exp((number + 0.5) * _GROWTH) - 1))


class Tally(msgspec.Struct, frozen=True):
    """What happened at one step in one window; `took`: how many durations of each class."""

    definition: str
    step: str
    window: str
    counts: dict[What, int]
    took: dict[int, int]


class _Slot:
    __slots__ = ("counts", "took")

    def __init__(self) -> None:
        self.counts: Counter[What] = Counter()
        self.took: Counter[int] = Counter()


class Statistics:
    """The facts of the last hour, by step and slot. Of facts older than that, nothing is kept."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, str], dict[int, _Slot]] = {}
        self._latest = 0

    def replace(self, before: Counter[Fact], after: Counter[Fact]) -> None:
        """A saga that had said `before` says `after`."""
        for fact, count in (after - before).items():
            self._add(fact, count)
        for fact, count in (before - after).items():
            self._add(fact, -count)

    def tallies(self, now: int) -> list[Tally]:
        """What happened until `now` (milliseconds UTC), by step and window."""
        return [
            _summed(*name, window, (slot for number, slot in slots.items() if first <= number <= now // SLOT))
            for name, slots in self._steps.items()
            for window, first in ((window, (now - length) // SLOT) for window, length in WINDOWS.items())
        ]

    def _add(self, fact: Fact, count: int) -> None:
        number = fact.at // SLOT
        if number > self._latest:
            self._latest = number
            self._prune()
        if number < self._oldest:
            return
        slot = self._steps.setdefault(fact[:2], {}).setdefault(number, _Slot())
        slot.counts[fact.what] += count
        if fact.took is not None:
            slot.took[fact.took] += count

    @property
    def _oldest(self) -> int:
        return self._latest - _LONGEST // SLOT

    def _prune(self) -> None:
        for slots in self._steps.values():
            for number in [number for number in slots if number < self._oldest]:
                del slots[number]


def merged(tallies: Iterable[Tally]) -> dict[tuple[str, str], dict[str, Answer]]:
    """The tallies of all workers as figures: by definition and step, and window."""
    together: dict[tuple[str, str, str], tuple[Counter[What], Counter[int]]] = {}
    for one in tallies:
        counts, took = together.setdefault((one.definition, one.step, one.window), (Counter(), Counter()))
        counts.update(one.counts)
        took.update(one.took)
    found: dict[tuple[str, str], dict[str, Answer]] = {}
    for (definition, step, window), (counts, took) in sorted(together.items()):
        found.setdefault((definition, step), {})[window] = _answer(counts, took)
    return found


def percentile(took: Mapping[int, int], share: float) -> int | None:
    """The duration (milliseconds) that `share` of all do not exceed; none if there are none."""
    rank = math.ceil(share * sum(took.values()))
    for number in sorted(took):
        rank -= took[number]
        if rank <= 0 < took[number]:
            return middle_of(number)
    return None


def _answer(counts: Counter[What], took: Counter[int]) -> Answer:
    numbers = {what.value: max(0, counts[what]) for what in What}
    return Answer(**numbers, p50_ms=percentile(took, 0.5), p95_ms=percentile(took, 0.95))


def _summed(definition: str, step: str, window: str, slots: Iterable[_Slot]) -> Tally:
    counts: Counter[What] = Counter()
    took: Counter[int] = Counter()
    for slot in slots:
        counts.update(slot.counts)
        took.update(slot.took)
    return Tally(definition, step, window, dict(counts), {number: count for number, count in took.items() if count})
