"""Two order sagas for the tracker's tests: one that compensates, and one that asks a person."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from kafka_saga.definition.durations import days, minutes
from kafka_saga.definition.model import COMPLETED, FAILED, OnFailure, Retry, Saga, Step
from kafka_saga.events.event import Event


class Placed(Event):
    event_type: ClassVar[str] = "order.placed"


class Authorized(Event):
    event_type: ClassVar[str] = "payment.authorized"


class Declined(Event):
    event_type: ClassVar[str] = "payment.declined"


class Reserved(Event):
    event_type: ClassVar[str] = "stock.reserved"


class Missing(Event):
    event_type: ClassVar[str] = "stock.missing"


class Shipped(Event):
    event_type: ClassVar[str] = "shipment.created"


TWICE_MORE = Retry(attempts=3)

ORDER = Saga(
    name="order",
    version=1,
    starts_on=Placed,
    key="k",
    run="r",
    steps=(
        Step(
            "payment", on=Placed, emits=(Authorized, Declined), deadline=minutes(15), compensates=True,
            compensation_retry=TWICE_MORE,
        ),
        Step("stock", on=Authorized, emits=(Reserved, Missing), retry=TWICE_MORE, compensates=True),
        Step("shipping", on=Reserved, emits=(Shipped,), compensates=True),
    ),
    ends={Declined: FAILED, Missing: FAILED, Shipped: COMPLETED},
    deadline=days(2),
    on_failure=OnFailure.COMPENSATE,
)  # fmt: skip

CAREFUL = replace(ORDER, on_failure=OnFailure.INCIDENT, deadline=None)
