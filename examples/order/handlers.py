"""The handlers of the order saga: each asks an outside system, named by its idempotency key."""

from __future__ import annotations

from collections.abc import Mapping

from examples.order.events import (
    OrderPlaced,
    PaymentAuthorized,
    PaymentDeclined,
    ShipmentCreated,
    StockMissing,
    StockReserved,
)
from services.chassis.context import Context
from services.chassis.service import Handler

CREDIT_LIMIT_CENTS = 100_000
"""What the bank of the example lets a customer spend on one order."""

SOLD_OUT = "sold-out"
"""The article that the warehouse of the example never has."""


def pay(order: OrderPlaced, context: Context) -> PaymentAuthorized | PaymentDeclined:
    """Hold the money. The idempotency key is what the bank recognises a second request by."""
    if order.amount_cents > CREDIT_LIMIT_CENTS:
        return PaymentDeclined(order_id=order.order_id, reason="over the credit limit")
    return PaymentAuthorized(
        order_id=order.order_id,
        customer=order.customer,
        items=order.items,
        amount_cents=order.amount_cents,
        authorization=f"auth/{context.idempotency_key}",
    )


def reserve(payment: PaymentAuthorized, context: Context) -> StockReserved | StockMissing:
    """Put the items aside, all or none."""
    missing = tuple(item for item in payment.items if item.sku == SOLD_OUT)
    if missing:
        return StockMissing(order_id=payment.order_id, missing=missing)
    return StockReserved(
        order_id=payment.order_id,
        customer=payment.customer,
        items=payment.items,
        reservation=f"shelf/{context.idempotency_key}",
    )


def ship(stock: StockReserved, context: Context) -> ShipmentCreated:
    """Hand the parcel over."""
    return ShipmentCreated(order_id=stock.order_id, tracking=f"parcel/{context.idempotency_key}")


HANDLERS: Mapping[str, Handler] = {"payment": pay, "stock": reserve, "shipping": ship}
