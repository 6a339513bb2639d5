"""How the steps of a drawn shape follow one another: which event triggers each, which it emits, and what ends sagas."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from kafka_saga.definition.model import CANCELLED, COMPLETED, FAILED, EndStatus, Step
from kafka_saga.events.event import Event
from tests.simulation.definitions.facts import Fact, Pool

Ends = Mapping[type[Event], EndStatus]


class Wiring(NamedTuple):
    """Steps without bounds, the final events, and the step at which sagas may turn off their way."""

    steps: tuple[Step, ...]
    ends: Ends
    turning: str = ""


class Drafts:
    """Steps that are named by their number as they are added."""

    def __init__(self, pool: Pool) -> None:
        self.steps: list[Step] = []
        self._pool = pool

    def add(self, on: type[Fact], *emits: type[Fact]) -> Step:
        """One step more."""
        self.steps.append(Step(f"{self._pool.definition}{len(self.steps) + 1}", on=on, emits=emits))
        return self.steps[-1]

    def lead(self, on: type[Fact], length: int) -> type[Fact]:
        """So many steps in a row; the event that the last of them emits."""
        for _ in range(length):
            before, on = on, self._pool.event()
            self.add(before, on)
        return on


def chain(rng: Random, pool: Pool) -> Wiring:
    """Two to four steps in a row."""
    drafts = Drafts(pool)
    end = drafts.lead(pool.start, rng.randrange(2, 5))
    return Wiring(tuple(drafts.steps), {end: COMPLETED})


def decision(rng: Random, pool: Pool) -> Wiring:
    """A step with two or three outcomes, of which some end the saga, and others lead on to another step."""
    drafts = Drafts(pool)
    onward = drafts.lead(pool.start, rng.randrange(2))
    outcomes = [pool.event() for _ in range(rng.choice((2, 2, 3)))]
    turning = drafts.add(onward, *outcomes)
    ends: dict[type[Event], EndStatus] = {drafts.lead(outcomes[0], rng.randrange(3)): COMPLETED}
    for other in outcomes[1:]:
        end = drafts.lead(other, 1) if rng.random() < 0.25 else other
        ends[end] = rng.choice((FAILED, FAILED, COMPLETED, CANCELLED))
    return Wiring(tuple(drafts.steps), ends, turning.name)


def fork(rng: Random, pool: Pool) -> Wiring:
    """Two steps on one event, each with an end of its own."""
    drafts = Drafts(pool)
    split = drafts.lead(pool.start, 1)
    ends = [drafts.lead(split, 1) for _ in range(2)]
    ends[1] = drafts.lead(ends[1], rng.randrange(2))
    return Wiring(tuple(drafts.steps), dict.fromkeys(ends, COMPLETED))


def diamond(rng: Random, pool: Pool) -> Wiring:
    """Two ways that meet in one event type which two steps emit: by a fork, or by a decision."""
    drafts, meeting = Drafts(pool), pool.event()
    if rng.random() < 0.5:
        split = drafts.lead(pool.start, 1)
        drafts.add(split, meeting)
        drafts.add(split, meeting)
        turning = ""
    else:
        left, right = pool.event(), pool.event()
        turning = drafts.add(pool.start, left, right).name
        drafts.add(left, meeting)
        drafts.add(right, meeting)
    end = drafts.lead(meeting, 1)
    return Wiring(tuple(drafts.steps), {end: COMPLETED}, turning)


def loop(rng: Random, pool: Pool) -> Wiring:
    """A step whose other outcome leads back: to the event of a step before it, or by a step of its own."""
    drafts, again = Drafts(pool), pool.event()
    drafts.add(pool.start, again)
    before = drafts.lead(again, 1)
    onward = pool.event()
    by_itself = rng.random() < 0.5
    back = again if by_itself else pool.event()
    turning = drafts.add(before, onward, back)
    if not by_itself:
        drafts.add(back, again)
    end = drafts.lead(onward, rng.randrange(2))
    return Wiring(tuple(drafts.steps), {end: COMPLETED}, turning.name)
