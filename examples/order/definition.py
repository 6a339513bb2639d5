"""The saga of an order: payment, stock, shipping; each can be undone."""

from __future__ import annotations

from examples.order.events import (
    OrderPlaced,
    PaymentAuthorized,
    PaymentDeclined,
    ShipmentCreated,
    StockMissing,
    StockReserved,
)
from kafka_saga import COMPLETED, FAILED, OnFailure, Retry, Saga, Step, days, hours, minutes, seconds

# A warehouse that does not answer is worth a longer wait than a payment that a customer is watching.
STUBBORN = Retry(attempts=10, first=seconds(2), max_delay=minutes(5))

# An order runs once, whoever publishes it again: the run is the same for all, and the key tells orders apart.
ORDER = Saga(
    name="order",
    version=1,
    starts_on=OrderPlaced,
    key="{order_id}",
    run="once",
    steps=(
        Step(
            "payment",
            on=OrderPlaced,
            emits=(PaymentAuthorized, PaymentDeclined),
            timeout=seconds(30),
            deadline=minutes(15),
            compensates=True,
        ),
        Step(
            "stock",
            on=PaymentAuthorized,
            emits=(StockReserved, StockMissing),
            timeout=minutes(1),
            retry=STUBBORN,
            compensates=True,
            compensation_retry=STUBBORN,
        ),
        Step(
            "shipping",
            on=StockReserved,
            emits=(ShipmentCreated,),
            timeout=minutes(2),
            deadline=hours(12),
            retry=STUBBORN,
            compensates=True,
        ),
    ),
    # A failed end undoes what was done: a payment that was authorized is released when stock is missing.
    ends={PaymentDeclined: FAILED, StockMissing: FAILED, ShipmentCreated: COMPLETED},
    deadline=days(2),
    on_failure=OnFailure.COMPENSATE,
    description="Takes the money for an order, reserves its items and ships them; or undoes all of it.",
)
