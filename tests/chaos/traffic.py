"""What people start and ask for during a run, and when: drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from kafka_saga.definition.model import Saga
from kafka_saga.definition.template import saga_id
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.lifecycle import IncidentRaised
from kafka_saga.wire import control
from kafka_saga.wire.ids import split_id
from tests.chaos.definitions import ERRAND, PARCEL, Matter, Trouble
from tests.chaos.handlers import SAGAS

TROUBLES = {
    Trouble.NONE: 66, Trouble.SLOW: 7, Trouble.VERY_SLOW: 1, Trouble.ONCE: 8, Trouble.TWICE: 3,
    Trouble.ASTONISHED: 4, Trouble.ALWAYS: 2, Trouble.NEVER: 6, Trouble.LATER: 3,
}  # fmt: skip
UNDOING = {
    Trouble.NONE: 80, Trouble.SLOW: 4, Trouble.ONCE: 8, Trouble.TWICE: 4, Trouble.ALWAYS: 2, Trouble.NEVER: 2,
}  # fmt: skip
HELD_STEP = control.of_step(ERRAND.name, "carry")
HOLD_EVERY = 40.0
AUTHOR = "chaos"


class Publish(NamedTuple):
    """A plain record for a definition's first topic; `saga` is the id that it starts, none if it is garbage."""

    at: float
    topic: str
    value: bytes
    saga: str | None


class Ask(NamedTuple):
    """A command."""

    at: float
    command: SagaCommand


Happening = Publish | Ask


def traffic(seed: int, seconds: float, rate: float) -> tuple[Happening, ...]:
    """Everything that happens in a run of this length, `rate` sagas a second, in order."""
    chance = Random(f"traffic {seed}")
    found: list[Happening] = []
    for number in range(max(1, int(seconds * rate))):
        at = (number + chance.random()) / rate
        saga = PARCEL if chance.random() < 0.65 else ERRAND
        found += _one(chance, saga, number, at)
    found += _holds(chance, seconds)
    return tuple(sorted(found, key=lambda each: each.at))


def answer(incident: IncidentRaised, before: int, chance: Random) -> SagaCommand | None:
    """What a person does about an incident of a saga with so many answered `before`; none: it stays open."""
    acts = [Act(command) for command in incident.commands]
    if before > 3 or not acts or (before == 0 and chance.random() < 0.05):
        return None
    final = Act.CANCEL if Act.CANCEL in acts else acts[-1]
    act = final if before == 3 else chance.choice(acts)
    return about(act, SAGAS[incident.definition], incident.saga_id, incident.step, chance)


def about(act: Act, saga: Saga, saga_id: str, step: str | None, chance: Random) -> SagaCommand:
    """A command about one saga; the step is drawn, if it needs one and none is given."""
    scope = control.of_saga(saga_id)
    if act not in {Act.RETRY, Act.REDRIVE, Act.REWIND, Act.SKIP}:
        return SagaCommand(command=act, scope=scope, author=AUTHOR, reason=f"{act.value} by chance")
    named = saga.steps_by_name[step or chance.choice(list(saga.steps_by_name))]
    key, run = split_id(saga_id)
    given = Matter(key=key, run=int(run)).model_dump_json() if act is Act.SKIP else None
    return SagaCommand(
        command=act,
        scope=scope,
        author=AUTHOR,
        reason=f"{act.value} by chance",
        step=named.name,
        outcome=named.emits[0].event_type if given else None,
        content=given,
    )


def _one(chance: Random, saga: Saga, number: int, at: float) -> Iterator[Happening]:
    """A start, with whatever follows it."""
    first = _first(chance, saga, number, 1)
    yield first._replace(at=at)
    if chance.random() < 0.02:
        yield first._replace(at=at + chance.uniform(0, 5))
    if chance.random() < 0.01:
        yield Publish(at, saga.starts_on.event_type, chance.choice((b"{", b'{"key": "%d"}' % number, b"")), None)
    if saga is PARCEL and chance.random() < 0.08:
        yield _first(chance, saga, number, 2)._replace(at=at + chance.uniform(0, 3))
    yield from _asked(chance, saga, first.saga or "", at)


def _first(chance: Random, saga: Saga, number: int, run: int) -> Publish:
    start = saga.starts_on
    assert issubclass(start, Matter)
    event = start(
        key=f"{saga.name}-{number}",
        run=run,
        step=chance.choice(list(saga.steps_by_name)),
        trouble=chance.choices(list(TROUBLES), list(TROUBLES.values()))[0],
        undoing=chance.choices(list(UNDOING), list(UNDOING.values()))[0],
    )
    return Publish(0, start.event_type, event.model_dump_json().encode(), saga_id(saga, event))


def _asked(chance: Random, saga: Saga, name: str, at: float) -> Iterator[Ask]:
    draw = chance.random()
    if draw < 0.04:
        yield Ask(at + _soon(chance), about(Act.CANCEL, saga, name, None, chance))
    elif draw < 0.09:
        pause = at + _soon(chance)
        yield Ask(pause, about(Act.PAUSE, saga, name, None, chance))
        if chance.random() < 0.9:
            yield Ask(pause + chance.uniform(0.5, 10), about(Act.RESUME, saga, name, None, chance))
    elif draw < 0.12:
        act = chance.choice((Act.REWIND, Act.REWIND, Act.REDRIVE, Act.SKIP, Act.RETRY))
        yield Ask(at + chance.uniform(0.2, 8), about(act, saga, name, None, chance))


def _soon(chance: Random) -> float:
    """Mostly while the saga is on its way: most take some tenths of a second."""
    return chance.uniform(0, 0.4) if chance.random() < 0.7 else chance.uniform(0, 4)


def _holds(chance: Random, seconds: float) -> Iterator[Ask]:
    """Now and then a step is paused for everybody."""
    for period in range(int(seconds / HOLD_EVERY)):
        at = (period + 0.2 + chance.random() * 0.5) * HOLD_EVERY
        for act, when in ((Act.PAUSE, at), (Act.RESUME, at + chance.uniform(2, 6))):
            yield Ask(when, SagaCommand(command=act, scope=HELD_STEP, author=AUTHOR, reason="for everybody"))
