"""The testing kit, as its users write: the order saga of `examples/`, given, when, then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.order.definition import ORDER
from examples.order.events import Item, OrderPlaced, PaymentAuthorized, ShipmentCreated, StockReserved
from examples.order.handlers import COMPENSATIONS, HANDLERS
from kafka_saga.definition.durations import minutes
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.commands import Act
from kafka_saga.testing import NotAsExpectedError, RefusedError, SagaTest
from kafka_saga.tracker.core.state import StepStatus

CLOSED = RetryableError("the bank is closed")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SagaTest]:
    monkeypatch.setenv("SAGA_ORDER_BOOK", str(tmp_path / "order.sqlite"))
    with SagaTest(ORDER, HANDLERS, COMPENSATIONS) as world:
        yield world


def placed(order_id: str = "A-1", sku: str = "book") -> OrderPlaced:
    return OrderPlaced(order_id=order_id, customer="Ada", items=(Item(sku=sku, quantity=1),), amount_cents=1_999)


def test_an_order_runs_to_its_end(world: SagaTest) -> None:
    order = world.given(placed())
    order.then.completed().step("shipping", StepStatus.DONE, attempts=1)
    assert order.outcome(ShipmentCreated) == ShipmentCreated(order_id="A-1", tracking="parcel/A-1@once/shipping/0")
    assert order.attempts == (("payment", 1), ("stock", 1), ("shipping", 1))


def test_a_handler_that_fails_twice_is_tried_a_third_time(world: SagaTest) -> None:
    world.fail("payment", CLOSED, times=2)
    order = world.given(placed())
    order.then.running().step("payment", StepStatus.RETRYING, attempts=1)
    world.advance(minutes=1)
    order.then.completed().step("payment", StepStatus.DONE, attempts=3)
    assert order.attempts[:3] == (("payment", 1), ("payment", 2), ("payment", 3))


def test_what_was_done_is_undone_in_reverse_order(world: SagaTest) -> None:
    world.fail("shipping", TerminalError("no such street"))
    order = world.given(placed())
    world.advance(hours=1)
    order.then.failed(because="no such street").compensated("stock", "payment")
    assert world.compensated == ("stock", "payment")


def test_a_deadline_passes_when_its_time_has_come_and_not_before(world: SagaTest) -> None:
    world.fail("payment", RetryableError("the bank is closed", retry_after=20 * 60))
    order = world.given(placed())
    world.advance(minutes=14)
    order.then.running()
    world.advance(minutes=1, seconds=20)
    order.then.failed(because="deadline")


def test_a_paused_order_goes_on_when_it_is_resumed(world: SagaTest) -> None:
    world.fail("stock", RetryableError("the warehouse is closed"), times=1)
    order = world.given(placed())
    order.pause("stocktaking").then.paused()
    world.advance(hours=1)
    assert order.outcome(StockReserved) is None
    order.resume()
    world.advance(minutes=1)
    order.then.completed()


def test_a_cancelled_order_is_undone(world: SagaTest) -> None:
    world.fail("stock", RetryableError("the warehouse is closed"))
    order = world.given(placed())
    order.cancel("changed their mind")
    world.advance(minutes=5)
    order.then.cancelled(because="changed their mind").compensated("payment")


def test_a_service_that_is_down_delays_and_a_new_one_goes_on(world: SagaTest) -> None:
    world.kill("stock")
    order = world.given(placed())
    order.then.running().step("stock", StepStatus.QUEUED)
    world.start("stock")
    world.advance(seconds=30)
    order.then.completed()


def test_orders_complete_while_the_tracker_is_down(world: SagaTest) -> None:
    world.stop_tracker()
    order = world.given(placed())
    assert order.outcome(PaymentAuthorized) is not None
    assert order.outcome(ShipmentCreated) is not None
    with pytest.raises(KeyError, match="A-1@once"):
        order.state  # noqa: B018  # nobody follows it
    world.start_tracker()
    world.run()
    order.then.completed()


def test_what_is_not_as_expected_is_said_with_the_reason(world: SagaTest) -> None:
    world.delay("stock", minutes(10))
    order = world.given(placed())
    with pytest.raises(NotAsExpectedError, match=r"saga A-1@once is running, not completed\. .*stock"):
        order.then.completed()


def test_a_day_passes_in_an_instant(world: SagaTest) -> None:
    world.fail("payment", CLOSED, times=1)
    began = time.perf_counter()
    order = world.given(placed())
    world.advance(days=1)
    order.then.completed()
    assert time.perf_counter() - began < 2


def test_a_refused_command_fails_the_test_and_says_why(world: SagaTest) -> None:
    order = world.given(placed())
    order.then.completed()
    with pytest.raises(RefusedError, match=r"^saga A-1@once: pause is refused: .+\. Completed "):
        order.pause("too late")
    with pytest.raises(RefusedError, match=r"rewind is refused: .*nowhere"):
        order.rewind("back to where nobody was", step="nowhere")


def test_a_reason_is_not_taken_for_a_step(world: SagaTest) -> None:
    world.fail("payment", TerminalError("the card has expired"), times=1)
    order = world.given(placed())
    order.redrive("a new card").then.completed()


def test_a_refusal_can_be_what_a_test_is_about(world: SagaTest) -> None:
    order = world.given(placed())
    world.command(Act.PAUSE, order.saga_id, "too late")
    order.then.completed()


def test_a_tracker_that_is_down_refuses_nothing(world: SagaTest) -> None:
    world.stop_tracker()
    world.given(placed()).pause("nobody hears")
