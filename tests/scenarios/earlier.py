"""Sagas in every state at one moment, on the log of the version that `tests/fixtures/log_before` was made with.

`python -m tests.scenarios.earlier FILE` makes such a file with the code that is checked out. The one that is kept was
made before `Saga.describe` left out defaults and states had a format: make no new one in its place, but another beside
it when the log changes again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from examples.order.definition import ORDER
from examples.order.events import (
    OrderPlaced,
    PaymentAuthorized,
    PaymentDeclined,
    ShipmentCreated,
    StockMissing,
    StockReserved,
)
from kafka_saga.definition.durations import days, hours, minutes, seconds
from kafka_saga.definition.model import CANCELLED, COMPLETED, FAILED, OnCancel, OnConflict, OnFailure, Retry, Saga, Step
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.event import Event
from kafka_saga.steps.definition_registry import agree
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.executor import Interference
from kafka_saga.testing.script import Script, ScriptRule
from kafka_saga.testing.system import System
from kafka_saga.wire.control import PREFIX
from kafka_saga.worker.service import Handler, Service
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS as CHAIN_HANDLERS
from tests.support.kept_log import keep
from topology.code_review import CODE_REVIEW


class Sailing(Event):
    event_type: ClassVar[str] = "voyage.begun"

    ship: str
    run: str = "1"


class Loaded(Sailing):
    event_type: ClassVar[str] = "voyage.loaded"


class Stowaway(Sailing):
    event_type: ClassVar[str] = "voyage.stowaway"


class Refused(Sailing):
    event_type: ClassVar[str] = "voyage.refused"


class Wrecked(Sailing):
    event_type: ClassVar[str] = "voyage.wrecked"


class Landed(Sailing):
    event_type: ClassVar[str] = "voyage.landed"


PATIENT = Retry(attempts=4, first=minutes(10), factor=3.0, max_delay=hours(1), jitter=0)

VOYAGE = Saga(
    name="voyage",
    version=3,
    starts_on=Sailing,
    key="{ship}",
    run="{run}",
    steps=(
        Step(
            "load",
            on=Sailing,
            emits=(Loaded, Refused),
            also=(Stowaway,),
            timeout=hours(1),
            deadline=days(1),
            retry=PATIENT,
            compensates=True,
            compensation_retry=PATIENT,
            on_cancel=OnCancel.INTERRUPT,
        ),
        Step("sail", on=Loaded, emits=(Landed, Wrecked), timeout=hours(2)),
    ),
    ends={Landed: COMPLETED, Refused: CANCELLED, Wrecked: FAILED},
    deadline=days(3),
    on_failure=OnFailure.COMPENSATE,
    on_conflict=OnConflict.SUPERSEDE,
    settle_timeout=minutes(2),
    keep_finished=days(5),
    description="Every option there is has another value than its default.",
)
DEFINITIONS = (CODE_REVIEW, ORDER, CHAIN, VOYAGE)

BUSY, WRONG = RetryableError("busy"), TerminalError("leaks")


def load(event: Sailing, _: Context) -> Loaded:
    return Loaded(ship=event.ship, run=event.run)


def sail(event: Loaded, _: Context) -> Landed:
    return Landed(ship=event.ship, run=event.run)


def pay(event: OrderPlaced, _: Context) -> PaymentAuthorized | PaymentDeclined:
    if event.customer == "Bob":
        return PaymentDeclined(order_id=event.order_id, reason="over the credit limit")
    return PaymentAuthorized(**{**dict(event), "authorization": "auth"})


def reserve(event: PaymentAuthorized, _: Context) -> StockReserved | StockMissing:
    if event.customer == "Eve":
        return StockMissing(order_id=event.order_id, missing=event.items)
    return StockReserved(order_id=event.order_id, customer=event.customer, items=event.items, reservation="shelf")


def ship(event: StockReserved, _: Context) -> ShipmentCreated:
    return ShipmentCreated(order_id=event.order_id, tracking="parcel")


def undo(event: Event, _: Context) -> str:
    return f"{event.event_type} is undone"


def services(voyage: Saga = VOYAGE) -> tuple[Service, ...]:
    """A service for each step."""
    order: Mapping[str, Handler] = {"payment": pay, "stock": reserve, "shipping": ship}
    return (
        *(
            Service(f"order-{step}", {ORDER: {step: one}}, compensations={ORDER: {step: undo}})
            for step, one in order.items()
        ),
        *(Service(f"chain-{step}", {CHAIN: {step: one}}) for step, one in CHAIN_HANDLERS.items()),
        Service("voyage-load", {voyage: {"load": load}}, compensations={voyage: {"load": undo}}),
        Service("voyage-sail", {voyage: {"sail": sail}}),
    )


def earlier() -> System:
    """A world at the moment that is kept."""
    script = Script()
    world = System(DEFINITIONS, interfere=script)
    agree(world.cluster, DEFINITIONS, world.clock)
    for service in services():
        world.start(service)
    world.start_tracker()
    world.settle()
    _disturb(script)
    _begin(world)
    world.advance(5)
    _command(world)
    world.advance(10)
    return world


def _disturb(script: Script) -> None:
    long = Interference(minutes(50).total_seconds())
    script.rules += [
        ScriptRule("load", long, saga_id="running@1"),
        ScriptRule("load", long, saga_id="superseded@1"),
        ScriptRule("load", long, saga_id="called-off@1"),
        ScriptRule("load", Interference(error=BUSY), saga_id="retrying@1"),
        ScriptRule("sail", Interference(error=WRONG), saga_id="undoing@1"),
        ScriptRule("load", Interference(error=BUSY), saga_id="undoing@1", compensating=True),
        ScriptRule("sail", Interference(error=WRONG), saga_id="stuck@1"),
        ScriptRule("load", Interference(error=WRONG), saga_id="stuck@1", compensating=True),
        ScriptRule("three", Interference(error=WRONG), saga_id="broken@1"),
        ScriptRule("two", Interference(seconds(100).total_seconds()), saga_id="paused@1"),
        ScriptRule("two", Interference(error=BUSY), saga_id="paused-while-it-fails@1"),
    ]


def _begin(world: System) -> None:
    give(world.cluster, "pause-held", SagaCommand(command=Act.PAUSE, scope=f"{PREFIX}held", author="ann"))
    world.settle()
    for name in ("done", "running", "retrying", "undoing", "stuck", "superseded", "called-off"):
        world.publish("voyage.begun", {"ship": name})
    for name in ("done-too", "broken", "paused", "paused-while-it-fails", "held-back"):
        world.publish("chain.started", {"name": name, "number": 1})
    for name, customer in (("O-1", "Ada"), ("O-2", "Bob"), ("O-3", "Eve")):
        items = [{"sku": "book", "quantity": 1}]
        said = {"order_id": name, "customer": customer, "items": items, "amount_cents": 1_999}
        world.publish("order.placed", said)
    world.settle()


def _command(world: System) -> None:
    give(world.cluster, "cancel", about(Act.CANCEL, "called-off@1", "the captain is ill"))
    give(world.cluster, "pause", about(Act.PAUSE, "paused@1", "look into it"))
    give(world.cluster, "pause-2", about(Act.PAUSE, "paused-while-it-fails@1", "look into it"))
    give(world.cluster, "refused", about(Act.RESUME, "done@1", "for nothing"))
    world.publish("voyage.begun", {"ship": "superseded", "run": "2"})


if __name__ == "__main__":
    keep(earlier(), Path(sys.argv[1]))
