"""What is done to the processes, and when: drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from random import Random
from typing import NamedTuple

SESSION = 6.0
"""Seconds without heartbeat after which a member of a group is given up."""

KILL_EVERY = 7.0
"""Seconds between kills, on the average."""

STOP_EVERY = 25.0
CALM = 8.0
"""Seconds at the beginning and at the end in which nothing is done to anybody."""


class Victim(StrEnum):
    """Who is hit."""

    SERVICE = "service"
    TRACKER = "tracker"
    BROKER = "broker"


class Blow(NamedTuple):
    """After `at` seconds of the run a victim is killed, or stopped and resumed, and is down for so many seconds.

    `pick` chooses among the victims that are there.
    """

    at: float
    victim: Victim
    is_kill: bool
    down: float
    pick: int

    @property
    def kind(self) -> str:
        """`kill -9 of a service`, `SIGSTOP of the broker`."""
        return f"{'kill -9' if self.is_kill else 'SIGSTOP'} of {self.victim}"


def blows(seed: int, seconds: float) -> tuple[Blow, ...]:
    """Everything that is done in a run of this length, in order."""
    chance = Random(f"blows {seed}")
    return tuple(sorted((*_kills(chance, seconds), *_stops(chance, seconds))))


def _kills(chance: Random, seconds: float) -> Iterator[Blow]:
    """Evenly enough that each minute has its share; every victim comes in every round."""
    round_of = [*[Victim.SERVICE] * 6, *[Victim.TRACKER] * 2, Victim.BROKER]
    waiting: list[Victim] = []
    for at in _times(chance, seconds, KILL_EVERY):
        if not waiting:
            waiting = chance.sample(round_of, len(round_of))
        victim = waiting.pop()
        # some come back before anybody has missed them, some after others have taken over
        down = chance.choice((0.0, chance.uniform(0, 3), chance.uniform(SESSION, 2 * SESSION)))
        yield Blow(at, victim, True, 0.0 if victim is Victim.BROKER else down, chance.randrange(1_000))


def _stops(chance: Random, seconds: float) -> Iterator[Blow]:
    for at in _times(chance, seconds, STOP_EVERY):
        victim = chance.choice((Victim.SERVICE, Victim.SERVICE, Victim.TRACKER, Victim.TRACKER, Victim.BROKER))
        down = chance.uniform(1, 4) if victim is Victim.BROKER else SESSION + chance.uniform(1, SESSION)
        yield Blow(at, victim, False, down, chance.randrange(1_000))


def _times(chance: Random, seconds: float, every: float) -> Iterator[float]:
    """One moment in each period."""
    periods = max(1, int((seconds - 2 * CALM) / every))
    for period in range(periods):
        yield CALM + (period + chance.random()) * every
