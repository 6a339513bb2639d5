"""One service does steps of two definitions: each saga goes its way, and what is kept for a key is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import ClassVar

import pytest

from kafka_saga.definition.model import COMPLETED, FAILED, OnFailure, Saga, Step
from kafka_saga.definition.topics import DEAD_LETTERS, state_topic
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.event import Event
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.executor import Interference
from kafka_saga.testing.script import Script, ScriptRule
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus, StepStatus
from kafka_saga.worker.service import Service


class Ordered(Event):
    event_type: ClassVar[str] = "sale.ordered"

    customer: str
    number: int


class Charged(Ordered):
    event_type: ClassVar[str] = "sale.charged"


class Shipped(Ordered):
    event_type: ClassVar[str] = "sale.shipped"


class Returned(Event):
    event_type: ClassVar[str] = "refund.returned"

    customer: str
    number: int


class Refunded(Returned):
    event_type: ClassVar[str] = "refund.refunded"


class Kept(Returned):
    event_type: ClassVar[str] = "refund.kept"


SALE = Saga(
    name="sale",
    version=1,
    starts_on=Ordered,
    key="{customer}",
    run="sale-{number}",
    steps=(
        Step("charge", on=Ordered, emits=(Charged,), compensates=True),
        Step("ship", on=Charged, emits=(Shipped,)),
    ),
    ends={Shipped: COMPLETED},
    on_failure=OnFailure.COMPENSATE,
)

REFUND = Saga(
    name="refund",
    version=1,
    starts_on=Returned,
    key="{customer}",
    run="refund-{number}",
    steps=(Step("refund", on=Returned, emits=(Refunded, Kept), compensates=True),),
    ends={Refunded: COMPLETED, Kept: FAILED},
)


def noted(context: Context) -> None:
    """The step adds itself to what the bank keeps for the customer."""
    context.state.set((context.state.get() or b"") + f"{context.saga_id.partition('@')[2]} ".encode())


def charge(event: Ordered, context: Context) -> Charged:
    noted(context)
    return Charged(customer=event.customer, number=event.number)


def refund(event: Returned, context: Context) -> Refunded:
    noted(context)
    return Refunded(customer=event.customer, number=event.number)


def ship(event: Charged, _: Context) -> Shipped:
    return Shipped(customer=event.customer, number=event.number)


def undo(event: Event, _: Context) -> str:
    return f"{event.event_type} is undone"


BANK = Service(
    "bank",
    {SALE: {"charge": charge}, REFUND: {"refund": refund}},
    compensations={SALE: {"charge": undo}, REFUND: {"refund": undo}},
    stateful=True,
)

WorldOf = Callable[..., System]


@pytest.fixture
def world_of() -> Iterator[WorldOf]:
    """Makes a system of the bank, the carrier and the tracker, in which these rules interfere."""
    with ExitStack() as stack:

        def make(*rules: ScriptRule) -> System:
            world = System((SALE, REFUND), interfere=Script(list(rules)))
            stack.callback(world.close)
            world.start(BANK)
            world.start(Service("carrier", {SALE: {"ship": ship}}))
            world.start_tracker()
            world.settle()
            return world

        yield make


def order(world: System, customer: str, number: int = 1) -> str:
    """Somebody buys something; the saga's id."""
    world.publish("sale.ordered", {"customer": customer, "number": number})
    world.settle()
    return f"{customer}@sale-{number}"


def send_back(world: System, customer: str, number: int = 1) -> str:
    """Somebody sends something back; the saga's id."""
    world.publish("refund.returned", {"customer": customer, "number": number})
    world.settle()
    return f"{customer}@refund-{number}"


def kept(world: System, customer: str) -> list[str]:
    """Whose handlers have added to what the bank keeps for a customer."""
    found = [record.value for record in world.records(state_topic("bank")) if record.key == customer.encode()]
    return (found[-1] or b"").decode().split() if found else []


def steer(world: System, act: Act, scope: str) -> None:
    """A person pauses or resumes a wide scope."""
    give(world.cluster, f"{act} {scope}", SagaCommand(command=act, scope=scope, author="test", reason=""))
    world.settle()


def test_sagas_of_both_definitions_run_through(world_of: WorldOf) -> None:
    world = world_of()
    sale, back = order(world, "ann"), send_back(world, "ann")

    assert [world.saga(one).status for one in (sale, back)] == [SagaStatus.COMPLETED] * 2
    assert [world.saga(one).definition for one in (sale, back)] == ["sale", "refund"]
    assert world.records(DEAD_LETTERS) == []


@pytest.mark.parametrize("step", ["charge", "refund"])
def test_a_failed_attempt_is_tried_again_in_either_definition(world_of: WorldOf, step: str) -> None:
    world = world_of(ScriptRule(step, Interference(error=RetryableError("the bank is closed")), times=1))
    sagas = {"charge": order(world, "ann"), "refund": send_back(world, "ann")}
    assert world.saga(sagas[step]).step(step).status is StepStatus.RETRYING

    world.advance(5)

    assert world.saga(sagas[step]).step(step).attempt == 2
    assert {world.saga(one).status for one in sagas.values()} == {SagaStatus.COMPLETED}


def test_what_one_definition_has_done_is_undone_by_its_own_compensation(world_of: WorldOf) -> None:
    world = world_of(ScriptRule("ship", Interference(error=TerminalError("no such address")), times=None))
    sale, back = order(world, "ann"), send_back(world, "ann")
    world.advance(5)

    assert (world.saga(sale).status, world.saga(back).status) == (SagaStatus.FAILED, SagaStatus.COMPLETED)
    assert len(world.records("charge.compensated")) == 1
    assert world.records("refund.compensated") == []


@pytest.mark.parametrize("scope", ["definition:refund", "step:refund/refund"])
def test_pausing_one_definition_leaves_the_other_running(world_of: WorldOf, scope: str) -> None:
    world = world_of()
    steer(world, Act.PAUSE, scope)
    back, sale = send_back(world, "ann"), order(world, "ann")
    world.advance(3600)
    assert world.saga(sale).status is SagaStatus.COMPLETED
    assert world.records("refund.refunded") == []

    steer(world, Act.RESUME, scope)

    assert world.saga(back).status is SagaStatus.COMPLETED


def test_what_was_taken_in_before_the_pause_holds_up_no_saga_of_the_other_definition(world_of: WorldOf) -> None:
    world = world_of(ScriptRule("refund", Interference(seconds=60), times=1))
    backs = [send_back(world, "ann", number) for number in (1, 2, 3)]
    sale = order(world, "ann")
    assert world.saga(sale).step("charge").status is StepStatus.QUEUED

    steer(world, Act.PAUSE, "definition:refund")
    world.advance(3600)
    assert world.saga(sale).status is SagaStatus.COMPLETED
    assert kept(world, "ann") == ["refund-1", "sale-1"]

    steer(world, Act.RESUME, "definition:refund")
    world.settle()
    assert {world.saga(one).status for one in backs} == {SagaStatus.COMPLETED}
    assert kept(world, "ann") == ["refund-1", "sale-1", "refund-2", "refund-3"]


def test_a_saga_that_is_cancelled_while_its_handler_runs_is_undone_and_the_other_goes_on(world_of: WorldOf) -> None:
    world = world_of(ScriptRule("refund", Interference(seconds=60), times=None))
    back = send_back(world, "ann")
    give(world.cluster, "no", about(Act.CANCEL, back, "keep it"))
    sale = order(world, "ben")
    assert world.saga(sale).status is SagaStatus.COMPLETED

    world.advance(120)

    assert world.saga(back).status is SagaStatus.CANCELLED
    assert len(world.records("refund.compensated")) == 1


def test_a_record_that_cannot_be_read_is_the_dead_letter_of_its_definition_alone(world_of: WorldOf) -> None:
    world = world_of()
    world.publish("refund.returned", {"customer": "ann"})
    world.publish("sale.ordered", {"number": "many"})
    sale, back = order(world, "ann"), send_back(world, "ann")

    letters = [dict(record.headers) for record in world.records(DEAD_LETTERS)]
    assert sorted(letter["dlq_topic"] or b"" for letter in letters) == [b"refund.returned", b"sale.ordered"]
    assert {letter["dlq_service"] for letter in letters} == {b"bank"}
    assert {world.saga(one).status for one in (sale, back)} == {SagaStatus.COMPLETED}


def test_what_is_kept_for_a_key_is_shared_by_the_definitions(world_of: WorldOf) -> None:
    world = world_of()
    order(world, "ann")
    send_back(world, "ann")
    send_back(world, "ben")
    world.kill("bank/1")
    world.start(BANK, "2")
    world.advance(30)

    order(world, "ann", 2)

    assert kept(world, "ann") == ["sale-1", "refund-1", "sale-2"]
    assert kept(world, "ben") == ["refund-1"]


def test_handlers_of_a_key_run_one_after_the_other_whatever_their_definition(world_of: WorldOf) -> None:
    world = world_of(ScriptRule("charge", Interference(seconds=60), times=None))
    sale, back = order(world, "ann"), send_back(world, "ann")
    assert world.saga(back).status is SagaStatus.RUNNING

    world.advance(61)

    assert {world.saga(one).status for one in (sale, back)} == {SagaStatus.COMPLETED}
    assert kept(world, "ann") == ["sale-1", "refund-1"]
