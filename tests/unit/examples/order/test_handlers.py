"""What the order saga does outside, and undoes, against the real book."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from examples.order.__main__ import main
from examples.order.book import Book, Entry, book_path
from examples.order.definition import ORDER
from examples.order.events import Item, OrderPlaced, PaymentAuthorized, PaymentDeclined, StockMissing, StockReserved
from examples.order.handlers import (
    CLOSED_FOR,
    COMPENSATIONS,
    HANDLERS,
    call_back,
    pay,
    put_back,
    release,
    reserve,
    ship,
)
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError

PLACED = OrderPlaced(order_id="A-1", customer="Ada", items=(Item(sku="tea", quantity=2),), amount_cents=1240)


@pytest.fixture(autouse=True)
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.setenv("SAGA_ORDER_BOOK", str(tmp_path / "new" / "order.sqlite"))
    return Book()


@pytest.fixture
def at(tmp_path: Path) -> Callable[[str], Context]:
    return lambda step: Context("A-1@once", "A-1", step, 1, 0, BlobStore(str(tmp_path / "blobs")))


At = Callable[[str], Context]


def authorized(at: At) -> PaymentAuthorized:
    event = pay(PLACED, at("payment"))
    assert isinstance(event, PaymentAuthorized)
    return event


def reserved(at: At) -> StockReserved:
    event = reserve(authorized(at), at("stock"))
    assert isinstance(event, StockReserved)
    return event


def test_every_step_has_a_handler_and_a_compensation() -> None:
    assert set(HANDLERS) == set(COMPENSATIONS) == {step.name for step in ORDER.steps if step.compensates}


def test_what_is_done_is_in_the_book_once_however_often_it_is_asked_for(at: At, book: Book) -> None:
    assert ship(reserved(at), at("shipping")) == ship(reserved(at), at("shipping"))
    assert book.entries() == (
        Entry("auth/A-1@once/payment/0", "bank holds 1240 cents of Ada", 2, 0, is_undone=False),
        Entry("shelf/A-1@once/stock/0", "warehouse puts 2 tea aside", 2, 0, is_undone=False),
        Entry("parcel/A-1@once/shipping/0", "carrier has 2 tea for Ada", 2, 0, is_undone=False),
    )


def test_a_payment_is_released_once_and_the_second_time_says_so(at: At, book: Book) -> None:
    event = authorized(at)
    assert release(event, at("payment")) == "auth/A-1@once/payment/0 is released"
    assert release(event, at("payment")) == "auth/A-1@once/payment/0 was released before, and stays so (asked 2 times)"
    assert [(entry.undo_asked, entry.is_undone) for entry in book.entries()] == [(2, True)]


def test_a_parcel_is_called_back(at: At, book: Book) -> None:
    shipment = ship(reserved(at), at("shipping"))
    assert call_back(shipment, at("shipping")) == "parcel/A-1@once/shipping/0 is called back"
    assert [entry.is_undone for entry in book.entries()] == [False, False, True]


def test_the_warehouse_is_closed_at_first_and_then_takes_the_items_back(at: At, book: Book) -> None:
    event = reserved(at)
    for _ in range(CLOSED_FOR):
        with pytest.raises(RetryableError, match=r"^closed: shelf/A-1@once/stock/0 cannot be put back now"):
            put_back(event, at("stock"))
        assert not book.entries()[1].is_undone
    assert put_back(event, at("stock")) == "shelf/A-1@once/stock/0 is put back"
    assert book.entries()[1] == Entry(
        "shelf/A-1@once/stock/0", "warehouse puts 2 tea aside", 1, CLOSED_FOR + 1, is_undone=True
    )


def test_the_retries_of_the_compensation_outlast_a_closed_warehouse() -> None:
    assert ORDER.steps_by_name["stock"].compensation_retry.attempts > CLOSED_FOR


def test_a_declined_payment_and_missing_stock_have_nothing_to_undo(at: At, book: Book) -> None:
    declined = pay(PLACED.model_copy(update={"amount_cents": 100_001}), at("payment"))
    assert isinstance(declined, PaymentDeclined)
    assert release(declined, at("payment")) == "nothing to release: the payment was declined (over the credit limit)"
    missing = StockMissing(order_id="A-1", missing=PLACED.items)
    assert put_back(missing, at("stock")).startswith("nothing to put back")
    assert book.entries() == ()


def test_what_the_book_does_not_know_is_not_undone_and_said(at: At, book: Book) -> None:
    event = authorized(at).model_copy(update={"authorization": "auth/other"})
    assert release(event, at("payment")) == f"nothing to undo: the book {book.path} has no auth/other"


def test_who_asks_for_what_was_undone_came_too_late(at: At, book: Book) -> None:
    release(authorized(at), at("payment"))
    with pytest.raises(TerminalError, match="it stays undone"):
        authorized(at)
    assert [entry.is_undone for entry in book.entries()] == [True]


def test_a_book_that_cannot_be_written_is_tried_again(at: At, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SAGA_ORDER_BOOK", str(tmp_path / "file" / "order.sqlite"))
    with pytest.raises(RetryableError, match="set SAGA_ORDER_BOOK"):
        authorized(at)


def test_the_book_lies_in_the_saga_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_ORDER_BOOK")
    monkeypatch.setenv("SAGA_HOME", "/h")
    assert book_path() == Path("/h/order.sqlite")


def test_many_who_ask_at_once_are_all_counted(book: Book) -> None:
    def ask(_: int) -> None:
        book.do("auth/1", "bank holds 1 cents of Ada")
        book.ask_to_undo("auth/1")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(64)))
    assert book.entries() == (Entry("auth/1", "bank holds 1 cents of Ada", 64, 64, is_undone=False),)


def test_the_book_is_printed_for_people(at: At, capsys: pytest.CaptureFixture[str]) -> None:
    release(authorized(at), at("payment"))
    main(["book"])
    assert capsys.readouterr().out == (
        "undone  asked 1, to undo 1  auth/A-1@once/payment/0  bank holds 1240 cents of Ada\n"
    )


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["payment", "stock"]])
def test_what_is_no_step_is_answered_by_the_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"^usage: python -m examples.order \{payment,stock,shipping,book\}$"):
        main(arguments)
