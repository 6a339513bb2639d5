"""The handlers of the order saga, and its compensations: each asks an outside system, by its idempotency key."""

from __future__ import annotations

from collections.abc import Mapping

from examples.order.book import Book
from examples.order.events import (
    Items,
    OrderPlaced,
    PaymentAuthorized,
    PaymentDeclined,
    ShipmentCreated,
    StockMissing,
    StockReserved,
)
from kafka_saga import Context, Handler, RetryableError

CREDIT_LIMIT_CENTS = 100_000
"""What the bank of the example lets a customer spend on one order."""

SOLD_OUT = "sold-out"
"""The article that the warehouse of the example never has."""

CLOSED_FOR = 2
"""So many times the warehouse of the example is found closed by who brings something back."""


def pay(order: OrderPlaced, context: Context) -> PaymentAuthorized | PaymentDeclined:
    """Hold the money. The idempotency key is what the bank recognises a second request by."""
    if order.amount_cents > CREDIT_LIMIT_CENTS:
        return PaymentDeclined(order_id=order.order_id, reason="over the credit limit")
    authorization = f"auth/{context.idempotency_key}"
    Book().do(authorization, f"bank holds {order.amount_cents} cents of {order.customer}")
    return PaymentAuthorized(
        order_id=order.order_id,
        customer=order.customer,
        items=order.items,
        amount_cents=order.amount_cents,
        authorization=authorization,
    )


def reserve(payment: PaymentAuthorized, context: Context) -> StockReserved | StockMissing:
    """Put the items aside, all or none."""
    missing = tuple(item for item in payment.items if item.sku == SOLD_OUT)
    if missing:
        return StockMissing(order_id=payment.order_id, missing=missing)
    reservation = f"shelf/{context.idempotency_key}"
    Book().do(reservation, f"warehouse puts {_listed(payment.items)} aside")
    return StockReserved(
        order_id=payment.order_id,
        customer=payment.customer,
        items=payment.items,
        reservation=reservation,
    )


def ship(stock: StockReserved, context: Context) -> ShipmentCreated:
    """Hand the parcel over."""
    tracking = f"parcel/{context.idempotency_key}"
    Book().do(tracking, f"carrier has {_listed(stock.items)} for {stock.customer}")
    return ShipmentCreated(order_id=stock.order_id, tracking=tracking)


def release(outcome: PaymentAuthorized | PaymentDeclined, context: Context) -> str:
    """Give the held money free."""
    match outcome:
        case PaymentDeclined(reason=reason):
            return f"nothing to release: the payment was declined ({reason})"
        case PaymentAuthorized(authorization=authorization):
            return _undo(authorization, "released")


def put_back(outcome: StockReserved | StockMissing, context: Context) -> str:
    """Put the items back on their shelf, once the warehouse is open."""
    match outcome:
        case StockMissing():
            return "nothing to put back: the items were missing, and none was put aside"
        case StockReserved(reservation=reservation):
            return _undo(reservation, "put back", closed_for=CLOSED_FOR)


def call_back(shipment: ShipmentCreated, context: Context) -> str:
    """Have the carrier bring the parcel back."""
    return _undo(shipment.tracking, "called back")


def _undo(reference: str, done: str, closed_for: int = 0) -> str:
    book = Book()
    entry = book.ask_to_undo(reference)
    if entry is None:
        return f"nothing to undo: the book {book.path} has no {reference}"
    if entry.is_undone:
        return f"{reference} was {done} before, and stays so (asked {entry.undo_asked} times)"
    if entry.undo_asked <= closed_for:
        raise RetryableError(
            f"closed: {reference} cannot be {done} now, ask again ({entry.undo_asked} of {closed_for})"
        )
    book.undo(reference)
    return f"{reference} is {done}"


def _listed(items: Items) -> str:
    return ", ".join(f"{item.quantity} {item.sku}" for item in items)


HANDLERS: Mapping[str, Handler] = {"payment": pay, "stock": reserve, "shipping": ship}
COMPENSATIONS: Mapping[str, Handler] = {"payment": release, "stock": put_back, "shipping": call_back}
