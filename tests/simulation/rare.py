"""The faults that happen in a few of a hundred seeds, each drawn by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random

from kafka_saga.definition.durations import days
from kafka_saga.definition.model import OnCancel
from kafka_saga.events.commands import Act
from tests.simulation.cast import TURNS, Cast
from tests.simulation.faults import (
    Again,
    Clock,
    Command,
    Fault,
    Kill,
    Late,
    Leave,
    Mass,
    SameIdOther,
    SlowMarkers,
    Stall,
    Stray,
    Trouble,
)
from tests.simulation.strays import KINDS, WEIGHTS


def _kills(rng: Random, cast: Cast) -> Iterator[Fault]:
    for _ in range(rng.choice((1, 1, 2))):
        definition, first = cast.definition(rng), rng.choice((1, 1, 1, 2))
        saga, step = rng.randrange(cast.sagas), cast.step(rng, definition)
        yield Kill(saga, step, first, first + rng.choice((0, 1)), rng.choice((1, 2, 9)), rng.random() < 0.2, definition)


def _strays(rng: Random, cast: Cast) -> Iterator[Fault]:
    for _ in range(rng.choice((1, 1, 2, 3))):
        (kind,) = rng.choices(KINDS, WEIGHTS)
        yield Stray(rng.randrange(60, TURNS), kind, rng.randrange(1000), cast.definition(rng))


def _others(rng: Random, cast: Cast) -> Iterator[Fault]:
    yield SameIdOther(rng.randrange(TURNS), rng.randrange(cast.sagas), cast.definition(rng))


def _clocks(rng: Random, cast: Cast) -> Iterator[Fault]:
    topic, definition = "", cast.definition(rng)
    saga = cast.shapes[definition].saga
    if rng.random() < 0.4:
        topic = rng.choice((*saga.events, "saga.steps", "saga.commands", "saga.lifecycle"))
    off = rng.choice((-300, -300, -2_000, -10_000, -10_000, 200, 200))
    yield Clock(rng.randrange(30, 200), rng.randrange(2), off, topic)
    bounded = [number for number, step in enumerate(saga.steps) if step.deadline is not None]
    for _ in range(2 if bounded else 0):  # handlers that are nearly too late
        slow, error = rng.randrange(12_000, 20_000), rng.choice(("", "retryable"))
        last = 1 + rng.randrange(2)
        yield Trouble(rng.randrange(cast.sagas), rng.choice(bounded), 1, last, slow, error, definition=definition)


def _markers(rng: Random, cast: Cast) -> Iterator[Fault]:
    for _ in range(rng.choice((1, 2))):
        at, turns = rng.randrange(TURNS), rng.randrange(5, 60)
        yield SlowMarkers(at, turns, rng.randrange(1000))
        for _ in range(3):  # a ruling that must not overlook what is undecided
            definition, act = cast.definition(rng), rng.choice((Act.PAUSE, Act.CANCEL, Act.REWIND, Act.REDRIVE))
            step = cast.step(rng, definition)
            yield Command(at + rng.randrange(turns), rng.randrange(cast.sagas), act, step, definition)


def _masses(rng: Random, cast: Cast) -> Iterator[Fault]:
    at = rng.randrange(40, TURNS)
    yield Mass(at, rng.randrange(cast.sagas), cast.definition(rng))
    if rng.random() < 0.5:
        yield from (Leave(at - 5, cast.workers + tracker, 40) for tracker in range(cast.trackers))


def _later(rng: Random, cast: Cast) -> Iterator[Fault]:
    definition = cast.definition(rng)
    is_short = cast.shapes[definition].saga.keep_finished < days(1)
    if is_short or rng.random() < 0.3:
        yield Again(rng.choice((5, 30)), rng.randrange(cast.sagas), definition)
    if not is_short or rng.random() < 0.5:
        act = rng.choice((Act.CANCEL, Act.REWIND, Act.REWIND, Act.REDRIVE, Act.REDRIVE))
        step = cast.step(rng, definition)
        yield Late(rng.choice((1, 10, 120, 120)), rng.randrange(cast.sagas), act, step, definition)


def _redone(rng: Random, cast: Cast) -> Iterator[Fault]:
    """A loop fails for good in a later round, and is taken up again."""
    for definition, found in enumerate(cast.shapes):
        if found.kind == "loop":
            saga, turning = rng.randrange(cast.sagas), cast.turning(definition)
            yield Trouble(saga, turning, 1, 9, 0, "terminal", definition=definition, run=rng.choice((2, 3)))
            yield Command(rng.randrange(200, TURNS), saga, Act.REDRIVE, turning, definition)


def _contested(rng: Random, cast: Cast) -> Iterator[Fault]:
    """A stateful handler runs on while its partitions go to the other instance and come back."""
    services = cast.shapes[0].services
    stateful = [number for number, service in enumerate(services) if service.stateful]
    if not stateful:
        return
    number = rng.choice(stateful)
    names = [step.name for step in cast.shapes[0].saga.steps]
    step = rng.choice(services[number].jobs).step
    one, other = rng.sample((2 * number, 2 * number + 1), 2)
    at, down = rng.randrange(60, 160), rng.randrange(5, 30)
    for saga in range(cast.sagas):
        if rng.random() < 0.5:
            slow = round(step.timeout.total_seconds() * rng.randrange(600, 950))
            yield Trouble(saga, names.index(step.name), 1, 1, slow, "")
    back = at + down
    yield Leave(at, other, down)
    yield Stall(back + rng.randrange(2, 16), one, "", rng.randrange(50, 80))
    yield Leave(back + rng.randrange(40, 60), other, rng.randrange(20, 60))


def _called_off(rng: Random, cast: Cast) -> Iterator[Fault]:
    """A saga is called off, or taken back to its first step, while a handler runs that may be interrupted."""
    definition, saga = cast.definition(rng), rng.randrange(cast.sagas)
    steps = cast.shapes[definition].saga.steps
    slow = [number for number, step in enumerate(steps) if step.on_cancel is OnCancel.INTERRUPT]
    if slow:
        yield Trouble(saga, rng.choice(slow), 1, 3, rng.randrange(8_000, 19_000), "", definition=definition)
        act = rng.choice((Act.CANCEL, Act.CANCEL, Act.REWIND))
        yield Command(rng.randrange(80, TURNS), saga, act, 0, definition)


def _decided(rng: Random, cast: Cast) -> Iterator[Fault]:
    """A step, or undoing it, fails for good; long after, a person decides what is to become of it."""
    definition, saga = cast.definition(rng), rng.randrange(cast.sagas)
    step, undoes = cast.step(rng, definition), rng.random() < 0.3
    yield Trouble(saga, step, 1, 1, rng.choice((0, 300, 2_000)), "terminal", undoes, definition)
    if undoes:
        yield Command(rng.randrange(80, TURNS), saga, Act.CANCEL, 0, definition)
    act = rng.choice((Act.RETRY, Act.SKIP) if undoes else (Act.RETRY, Act.RETRY, Act.REDRIVE, Act.SKIP))
    yield Late(1, saga, act, step, definition)


RARE: Mapping[Callable[[Random, Cast], Iterator[Fault]], float] = {
    _kills: 0.07,
    _strays: 0.07,
    _others: 0.04,
    _clocks: 0.08,
    _markers: 0.06,
    _masses: 0.005,
    _later: 0.09,
    _called_off: 0.1,
    _decided: 0.1,
    _redone: 0.3,  # of those with a loop
    _contested: 0.4,  # of those with a stateful service
}
"""In which share of the seeds each of the rare kinds happens."""
