"""What may happen to a saga, for the tests of what is told of it: one trip, and a tracker that may be another after
each act."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from kafka_saga.definition.durations import hours, minutes, seconds
from kafka_saga.definition.model import COMPLETED, OnConflict, OnFailure, Retry, Saga, Step
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events import lifecycle as told
from kafka_saga.events.commands import Act
from kafka_saga.events.event import Event
from kafka_saga.testing.kit import SagaTest
from kafka_saga.wire.codec import Codec

TWICE = Retry(attempts=2, first=seconds(1), jitter=0)


class Begun(Event):
    event_type: ClassVar[str] = "trip.begun"

    name: str
    run: str = "1"


class Booked(Begun):
    event_type: ClassVar[str] = "trip.booked"


class Paid(Begun):
    event_type: ClassVar[str] = "trip.paid"


ASKING = Saga(
    name="trip",
    version=1,
    starts_on=Begun,
    key="{name}",
    run="{run}",
    steps=(
        Step(
            "book", on=Begun, emits=(Booked,), timeout=minutes(30), retry=TWICE, compensates=True,
            compensation_retry=TWICE,
        ),
        Step("pay", on=Booked, emits=(Paid,), retry=TWICE, timeout=minutes(30), deadline=minutes(30)),
    ),
    ends={Paid: COMPLETED},
    deadline=hours(5),
    settle_timeout=minutes(2),
    on_failure=OnFailure.INCIDENT,
    on_conflict=OnConflict.SUPERSEDE,
)  # fmt: skip
UNDOING = replace(ASKING, on_failure=OnFailure.COMPENSATE)

BUSY, WRONG = RetryableError("busy"), TerminalError("card lost")
SAGA = "ann@1"


def book(event: Begun, _: Context) -> Booked:
    return Booked(name=event.name, run=event.run)


def pay(event: Booked, _: Context) -> Paid:
    return Paid(name=event.name, run=event.run)


def cancel(event: Booked, _: Context) -> str:
    return f"the seat of {event.name} is free again"


class Around:
    """A world in which every act of a case may be followed by another tracker."""

    def __init__(self, definition: Saga, *, taking_over: bool) -> None:
        self.world = SagaTest(definition, {"book": book, "pay": pay}, {"book": cancel})
        self._taking_over = taking_over

    def begin(self, run: str = "1") -> None:
        self.world.given(Begun(name="ann", run=run))
        self._next()

    def wait(self, **time: float) -> None:
        self.world.advance(**time)
        self._next()

    def command(self, act: Act, reason: str = "", **more: str) -> None:
        self.world.command(act, SAGA, reason, **more)
        self._next()

    def pause(self, scope: str) -> None:
        self.world.pause(scope, "audit")
        self._next()

    def resume(self, scope: str) -> None:
        self.world.resume(scope, "all is well")
        self._next()

    def told(self) -> list[told.Lifecycle]:
        """What was told of the saga, in order."""
        mine = [
            record for record in self.world.system.records(SAGA_LIFECYCLE)
            if ("ce_subject", SAGA.encode()) in record.headers
        ]  # fmt: skip
        kinds = [dict(record.headers)["ce_type"] or b"" for record in mine]
        found = [_codec.decode(kind.decode(), record.value) for kind, record in zip(kinds, mine, strict=True)]
        return [event for event in found if isinstance(event, told.Lifecycle)]

    def _next(self) -> None:
        if self._taking_over:
            self.world.kill("tracker")
            self.world.start_tracker()
        self.world.advance(seconds=30)  # the session of the dead ends, and the other one reads on


_codec = Codec(told.LIFECYCLE)


def it_completes(around: Around) -> None:
    around.begin()


def a_step_fails_at_first(around: Around) -> None:
    around.world.fail("book", BUSY, times=1)
    around.begin()
    around.wait(minutes=1)


def a_step_fails_for_good(around: Around) -> None:
    around.world.fail("pay", WRONG)
    around.begin()
    around.wait(minutes=1)


def undoing_fails_at_first(around: Around) -> None:
    around.world.fail("book", BUSY, times=1, compensating=True)
    a_step_fails_for_good(around)


def undoing_fails_for_good_and_a_person_does_without(around: Around) -> None:
    around.world.fail("book", BUSY, compensating=True)
    a_step_fails_for_good(around)
    around.command(Act.SKIP, step="book")


def it_is_cancelled_while_a_step_fails(around: Around) -> None:
    around.world.delay("pay", minutes(5))
    around.world.fail("pay", BUSY)
    around.begin()
    around.command(Act.CANCEL, "the customer rang")
    around.wait(minutes=10)


def a_deadline_passes_before_the_outcome_comes(around: Around) -> None:
    around.world.delay("pay", minutes(25))
    around.world.kill("pay")
    around.begin()
    around.wait(minutes=10)
    around.world.start("pay")
    around.wait(minutes=22)
    around.wait(hours=1)


def the_sagas_own_deadline_passes(around: Around) -> None:
    around.world.fail("book", WRONG)
    around.begin()
    around.wait(hours=6)


def it_is_paused_and_resumed(around: Around) -> None:
    around.world.delay("book", minutes(5))
    around.begin()
    around.command(Act.PAUSE, "look into it")
    around.wait(hours=2)
    around.command(Act.RESUME, "it is fine")
    around.wait(minutes=1)


def two_pauses_last_at_once(around: Around) -> None:
    around.world.delay("book", minutes(5))
    around.begin()
    around.command(Act.PAUSE, "look into it")
    around.pause("prefix:an")
    around.wait(hours=2)
    around.command(Act.RESUME, "it is fine")
    around.wait(hours=2)
    around.resume("prefix:an")
    around.wait(minutes=1)


def an_incident_is_solved_by_a_redrive(around: Around) -> None:
    around.world.fail("pay", WRONG, times=1)
    around.begin()
    around.wait(minutes=1)
    around.command(Act.REDRIVE, "a new card")
    around.wait(minutes=1)


def a_command_does_not_apply(around: Around) -> None:
    around.begin()
    around.command(Act.RESUME)


def it_yields_to_a_later_one(around: Around) -> None:
    around.world.delay("pay", minutes(5))
    around.begin()
    around.begin(run="2")
    around.wait(minutes=10)
