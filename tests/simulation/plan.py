"""What happens in one simulated run: drawn from a seed, printed as code, and made smaller when it has failed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from schemas.events.commands import Act
from tests.simulation.shapes import SHAPES

TURNS = 300
"""Turns of single processes during which faults happen; after them everything comes to rest."""


@dataclass(frozen=True, slots=True)
class Crash:
    """A process dies at a point of its next transaction (or at once), and comes back after `down` turns."""

    at: int
    process: int
    point: str
    down: int


@dataclass(frozen=True, slots=True)
class Leave:
    """A process stops in order, and comes back after `down` turns."""

    at: int
    process: int
    down: int


@dataclass(frozen=True, slots=True)
class Stall:
    """A process stands still at a point of its next transaction (or at once) for longer than its session.

    The point `before_rulings` is that of a transaction that takes in no record: only the offsets that it sends
    unchanged tell it that its task is another's by now.
    """

    at: int
    process: int
    point: str
    turns: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """A process does not learn whether its next transaction was committed; `point` decides whether it was."""

    at: int
    process: int
    point: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The broker rolls back a process's next transaction."""

    at: int
    process: int
    point: str


@dataclass(frozen=True, slots=True)
class Away:
    """The broker does not answer for so many turns."""

    at: int
    turns: int


@dataclass(frozen=True, slots=True)
class Begin:
    """A saga is started, as anyone would; more than once is a duplicate. It may turn off its way at a step."""

    at: int
    saga: int
    turns_at: int = -1


@dataclass(frozen=True, slots=True)
class Foreign:
    """A participant of somebody else's emits again an event that is there: the `pick`th of all."""

    at: int
    pick: int


@dataclass(frozen=True, slots=True)
class Command:
    """A person gives a command about a saga; `step` counts the definition's steps, for those that name one."""

    at: int
    saga: int
    act: Act
    step: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A person pauses a step, or the definition if none is given, for so many turns."""

    at: int
    step: int
    turns: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Attempts of a step of a saga, from one to another, take longer and then may fail."""

    saga: int
    step: int
    first: int
    last: int
    milliseconds: int
    error: str
    compensating: bool = False


Fault = Crash | Leave | Stall | Doubt | Refuse | Away | Begin | Foreign | Command | Hold | Trouble


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: the seed decides who takes turns and what is read when, the rest is listed."""

    seed: int
    shape: str
    sagas: int
    faults: tuple[Fault, ...]
    trackers: int = 2

    @property
    def is_untracked(self) -> bool:
        """Whether no tracker runs."""
        return self.trackers == 0


INSIDE = ("inside", "before_offsets", "before_commit")
STALLS = ("", "before_begin", "inside", "before_offsets")
ERRORS = ("", "", "retryable", "retryable", "retryable", "terminal", "unexpected")


def plan_of(seed: int, sagas: int = 5) -> Plan:
    """The plan of a seed."""
    rng = Random(seed)
    name = rng.choice(tuple(SHAPES))
    steps = len(SHAPES[name].saga.steps)
    trackers = 0 if rng.random() < 0.06 else 2
    processes = 2 * steps + trackers
    faults: list[Fault] = [*_starts(rng, sagas, steps), *_machines(rng, processes)]
    if trackers:
        faults += [*_troubles(rng, sagas, steps), *_people(rng, sagas, steps)]
        faults += _oversleeping(Random(seed * 2 + 1_000_003), 2 * steps, trackers)
    return Plan(seed, name, sagas, tuple(faults), trackers)


def _oversleeping(rng: Random, first: int, trackers: int) -> list[Fault]:
    """A tracker that comes back with rulings after another has taken over; `rng` is its own: it moves no other draw."""
    if rng.random() > 0.3:
        return []
    at, process = rng.randrange(TURNS // 4, TURNS), first + rng.randrange(trackers)
    return [Stall(at, process, "before_rulings", rng.randrange(60, 110))]


def _starts(rng: Random, sagas: int, steps: int) -> list[Fault]:
    found: list[Fault] = []
    for saga in range(sagas):
        turns_at = rng.randrange(steps) if rng.random() < 0.4 else -1
        times = 2 if rng.random() < 0.2 else 1
        found += [Begin(rng.randrange(TURNS // 2), saga, turns_at) for _ in range(times)]
    return found


def _machines(rng: Random, processes: int) -> list[Fault]:
    found: list[Fault] = []
    for _ in range(rng.choice((0, 1, 2, 2, 3, 4, 6))):
        at, process, down = rng.randrange(TURNS), rng.randrange(processes), rng.randrange(1, 60)
        match rng.randrange(8):
            case 0 | 1:
                found.append(Crash(at, process, rng.choice(("", "before_begin", *INSIDE, "after_commit")), down))
            case 2:
                found.append(Leave(at, process, down))
            case 3 | 4:
                found.append(Stall(at, process, rng.choice(STALLS), rng.randrange(30, 80)))
            case 5:
                found.append(Doubt(at, process, rng.choice((*INSIDE, "after_commit"))))
            case 6:
                found.append(Refuse(at, process, rng.choice(INSIDE)))
            case _:
                found.append(Away(at, rng.randrange(1, 40)))
    if rng.random() < 0.3:
        found.append(Foreign(rng.randrange(TURNS), rng.randrange(1000)))
    return found


def _troubles(rng: Random, sagas: int, steps: int) -> list[Fault]:
    found: list[Fault] = []
    for _ in range(rng.randrange(6)):
        first = rng.choice((1, 1, 1, 2))
        last = first + rng.choice((0, 0, 1, 5))
        slow = rng.choice((0, 0, 300, 2_000, 15_000, 15_000, 70_000))
        error = rng.choice(ERRORS)
        undoes = rng.random() < 0.25
        found.append(Trouble(rng.randrange(sagas), rng.randrange(steps), first, last, slow, error, undoes))
    return found


def _people(rng: Random, sagas: int, steps: int) -> list[Fault]:
    acts = (Act.PAUSE, Act.PAUSE, Act.RESUME, Act.CANCEL, Act.CANCEL, Act.RETRY, Act.REDRIVE, Act.REWIND, Act.SKIP)
    found: list[Fault] = []
    for _ in range(rng.choice((0, 0, 1, 2, 2, 3, 5))):
        saga, at = rng.randrange(sagas), rng.randrange(20, TURNS)
        act = rng.choice(acts)
        found.append(Command(at, saga, act, rng.randrange(steps)))
        if act is Act.PAUSE and rng.random() < 0.7:
            found.append(Command(at + rng.randrange(5, 80), saga, Act.RESUME, 0))
    if rng.random() < 0.1:
        found.append(Hold(rng.randrange(TURNS), rng.randrange(-1, steps), rng.randrange(10, 80)))
    return found
