"""The order saga of `examples/`, whole, on the in-memory log."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.order.book import Book
from examples.order.definition import ORDER
from examples.order.events import PaymentDeclined, ShipmentCreated, StockMissing
from examples.order.handlers import CLOSED_FOR, COMPENSATIONS, HANDLERS
from kafka_saga.definition.durations import hours
from kafka_saga.events.compensated import compensated_event
from kafka_saga.events.lifecycle import RetryScheduled
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus, StepStatus
from kafka_saga.worker.service import Service
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS as CHAIN_HANDLERS
from tests.scenarios.conftest import Worlds

ANNOUNCED = ("ce_type", RetryScheduled.event_type.encode())


@pytest.fixture(autouse=True)
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.setenv("SAGA_ORDER_BOOK", str(tmp_path / "order.sqlite"))
    return Book()


def owner(step: str) -> Service:
    return Service(f"order-{step}", {ORDER: {step: HANDLERS[step]}}, compensations={ORDER: {step: COMPENSATIONS[step]}})


@pytest.fixture
def shop(worlds: Worlds) -> System:
    world = worlds((ORDER,))
    for step in HANDLERS:
        world.start(owner(step))
    world.start_tracker()
    world.settle()
    return world


def order(order_id: str, sku: str = "book", amount_cents: int = 1_999) -> dict[str, object]:
    items = [{"sku": sku, "quantity": 1}]
    return {"order_id": order_id, "customer": "Ada", "items": items, "amount_cents": amount_cents}


def test_an_order_is_paid_reserved_and_shipped(shop: System) -> None:
    shop.publish("order.placed", order("A-1"))
    shop.settle()
    assert shop.events(ShipmentCreated) == [ShipmentCreated(order_id="A-1", tracking="parcel/A-1@once/shipping/0")]
    saga = shop.saga("A-1@once")
    assert saga.status is SagaStatus.COMPLETED
    assert [(step.name, step.status, step.attempt) for step in saga.steps] == [
        ("payment", StepStatus.DONE, 1),
        ("stock", StepStatus.DONE, 1),
        ("shipping", StepStatus.DONE, 1),
    ]


def test_a_declined_payment_ends_the_order_as_failed_and_nothing_else_runs(shop: System, book: Book) -> None:
    shop.publish("order.placed", order("A-2", amount_cents=1_000_000))
    shop.settle()
    assert [event.order_id for event in shop.events(PaymentDeclined)] == ["A-2"]
    saga = shop.saga("A-2@once")
    assert (saga.status, saga.end, saga.error) == (SagaStatus.FAILED, "payment.declined", "ended by payment.declined")
    assert [step.status for step in saga.steps] == [StepStatus.COMPENSATED, StepStatus.SKIPPED, StepStatus.SKIPPED]
    (undone,) = shop.events(compensated_event("payment.compensated"))
    assert undone.note == "nothing to release: the payment was declined (over the credit limit)"
    assert book.entries() == ()


def test_missing_stock_ends_the_order_as_failed(shop: System) -> None:
    shop.publish("order.placed", order("A-3", sku="sold-out"))
    shop.settle()
    assert len(shop.events(StockMissing)) == 1
    assert shop.saga("A-3@once").status is SagaStatus.FAILED


def test_missing_stock_releases_the_payment(shop: System, book: Book) -> None:
    shop.publish("order.placed", order("A-7", sku="sold-out"))
    shop.advance(60)
    assert [(entry.reference, entry.is_undone) for entry in book.entries()] == [("auth/A-7@once/payment/0", True)]
    assert shop.saga("A-7@once").status is SagaStatus.FAILED


def test_a_warehouse_that_is_closed_at_first_holds_the_payment_back_until_it_took_the_items(
    shop: System, book: Book
) -> None:
    shop.stop("order-shipping/1")
    shop.publish("order.placed", order("A-8"))
    shop.advance(hours(12).total_seconds() + 600)
    assert [(entry.reference, entry.undo_asked, entry.is_undone) for entry in book.entries()] == [
        ("auth/A-8@once/payment/0", 1, True),
        ("shelf/A-8@once/stock/0", CLOSED_FOR + 1, True),
    ]
    retries = [record for record in shop.records("saga.lifecycle") if ANNOUNCED in record.headers]
    told = [(one.step, one.attempt, one.is_compensation) for one in shop.events(RetryScheduled, retries)]
    assert told == [("stock", 2, True), ("stock", 3, True)]
    undone = {step: shop.records(f"{step}.compensated")[0].timestamp for step in ("stock", "payment")}
    assert undone["stock"] < undone["payment"]
    assert shop.saga("A-8@once").status is SagaStatus.FAILED


def test_an_order_placed_again_starts_nothing_and_leaves_a_trace(shop: System) -> None:
    for _ in range(3):
        shop.publish("order.placed", order("A-4"))
    shop.settle()
    assert len(shop.events(ShipmentCreated)) == 1
    reports = [dict(record.headers) for record in shop.records("saga.steps")]
    assert [report["ce_type"] for report in reports] == [b"step.skipped", b"step.skipped"]
    traces = [record for record in shop.saga("A-4@once").unmatched if record.type == "step.skipped"]
    assert [trace.why for trace in traces] == ["this saga was started before"] * 2


def test_the_tracker_was_away_and_catches_up(shop: System) -> None:
    shop.stop("tracker/1")
    shop.publish("order.placed", order("A-5"))
    shop.settle()
    assert len(shop.events(ShipmentCreated)) == 1
    shop.start_tracker("2")
    shop.settle()
    assert shop.saga("A-5@once").status is SagaStatus.COMPLETED


def test_a_killed_service_and_a_killed_tracker_are_replaced(shop: System) -> None:
    shop.kill("order-stock/1")
    shop.kill("tracker/1")
    shop.publish("order.placed", order("A-6"))
    shop.start(owner("stock"), "2")
    shop.start_tracker("2")
    shop.advance(15)
    shop.settle()
    assert shop.saga("A-6@once").status is SagaStatus.COMPLETED
    assert len(shop.events(ShipmentCreated)) == 1


def test_two_definitions_are_tracked_side_by_side(worlds: Worlds) -> None:
    world = worlds((ORDER, CHAIN))
    for step in HANDLERS:
        world.start(owner(step))
    for step, link in CHAIN_HANDLERS.items():
        world.start(Service(f"chain-{step}", {CHAIN: {step: link}}))
    world.start_tracker("1")
    world.start_tracker("2")
    for number in range(20):
        world.publish("order.placed", order(f"B-{number}"))
        world.publish("chain.started", {"name": f"c{number}", "number": 1})
    world.settle()
    assert {world.saga(f"B-{n}@once").status for n in range(20)} == {SagaStatus.COMPLETED}
    assert {world.saga(f"c{n}@1").status for n in range(20)} == {SagaStatus.COMPLETED}
    kinds = [dict(record.headers)["ce_type"] for record in world.records("saga.lifecycle")]
    assert (kinds.count(b"saga.started"), kinds.count(b"saga.completed")) == (40, 40)
