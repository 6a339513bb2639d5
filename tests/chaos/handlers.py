"""The handlers of parcels and errands: each does what its event says will befall it, and writes down what it does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from kafka_saga.definition.model import Saga, Step
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.worker.service import Handler, Service
from tests.chaos.definitions import DEADLINE, DEFINITIONS, ERRAND, PARCEL, Matter, Trouble
from tests.chaos.journal import What, note

USUAL = 0.06
"""Seconds that a handler takes at most, if nothing befalls it."""

SLOW = (1.0, 5.0)


def handler(step: Step) -> Handler:
    """The handler of a step, which passes its event on."""
    outcome = step.emits[0]
    assert issubclass(outcome, Matter)

    async def handle(event: Matter, context: Context) -> Matter:
        note(What.BEGUN, context)
        await befall(event.trouble if event.step == context.step else Trouble.NONE, context)
        note(What.DONE, context)
        return outcome(**event.model_dump())

    return handle


def inline(step: Step) -> Handler:
    """The same as a plain function, which runs in the loop of its service and cannot take its time."""
    outcome = step.emits[0]
    assert issubclass(outcome, Matter)

    def handle(event: Matter, context: Context) -> Matter:
        note(What.BEGUN, context)
        fail(event.trouble if event.step == context.step else Trouble.NONE, context)
        note(What.DONE, context)
        return outcome(**event.model_dump())

    return handle


def undo(step: Step) -> Callable[[Matter, Context], Awaitable[str]]:
    """The compensation of a step."""

    async def undone(event: Matter, context: Context) -> str:
        note(What.BEGUN, context)
        await befall(event.undoing if event.step == context.step else Trouble.NONE, context)
        note(What.DONE, context)
        return f"{step.name} is undone"

    return undone


async def befall(trouble: Trouble, context: Context) -> None:
    """Take the time that it takes, then fail if it fails."""
    chance = random.Random(f"{context.idempotency_key} {context.attempt}")
    match trouble:
        case Trouble.SLOW:
            await _work(chance.uniform(*SLOW), context)
        case Trouble.VERY_SLOW:
            await _work(2 if context.attempt == 1 else DEADLINE.total_seconds() - 1, context)
        case _:
            await asyncio.sleep(chance.uniform(0, USUAL))
    fail(trouble, context)


def fail(trouble: Trouble, context: Context) -> None:
    """Raise what the trouble asks for at this attempt."""
    match trouble:
        case Trouble.ONCE | Trouble.TWICE if context.attempt <= (1 if trouble is Trouble.ONCE else 2):
            raise RetryableError("not now", retry_after=0.5 if context.attempt == 2 else None)
        case Trouble.VERY_SLOW if context.attempt == 1:
            raise RetryableError("too slow")
        case Trouble.ASTONISHED if context.attempt == 1:
            raise ValueError("what is this")
        case Trouble.ALWAYS:
            raise RetryableError("not now either")
        case Trouble.NEVER:
            raise TerminalError("this cannot be done")
        case Trouble.LATER if context.epoch == 0:
            raise TerminalError("this cannot be done yet")
        case _:
            pass


async def _work(seconds: float, context: Context) -> None:
    pieces = max(1, round(seconds / 0.2))
    for piece in range(pieces):
        context.progress(piece, pieces, "at work")
        await asyncio.sleep(seconds / pieces)


def _service(name: str, saga: Saga, *steps: str, plain: tuple[str, ...] = ()) -> Service:
    owned = [saga.steps_by_name[step] for step in steps]
    return Service(
        name,
        {saga: {step.name: inline(step) if step.name in plain else handler(step) for step in owned}},
        compensations={saga: {step.name: undo(step) for step in owned if step.compensates}},
    )


SERVICES = {
    service.name: service
    for service in (
        *(_service(f"parcel-{step.name}", PARCEL, step.name) for step in PARCEL.steps),
        _service("errand", ERRAND, *ERRAND.steps_by_name, plain=("fetch",)),
    )
}
"""Every step of a parcel has a service of its own; errands have one for all."""

STEPS = {step.name: service.name for service in SERVICES.values() for step in (job.step for job in service.jobs)}
"""Who owns which step."""

SAGAS = {saga.name: saga for saga in DEFINITIONS}
