"""The events of an order: placed, then paid, then reserved, then shipped; or declined, or missing.

Every event carries what the next step needs, so that a service reads no event but its own trigger.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from kafka_saga import Event, Value

OrderId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\s@]+$")]
Cents = Annotated[int, Field(gt=0, description="hundredths of the shop's currency")]


class Item(Value):
    """So many of one article."""

    sku: Annotated[str, Field(min_length=1)]
    quantity: Annotated[int, Field(ge=1)]


Items = Annotated[tuple[Item, ...], Field(min_length=1)]


class OrderPlaced(Event):
    """A customer has ordered; anyone may publish it as plain JSON."""

    event_type: ClassVar[str] = "order.placed"

    order_id: OrderId
    customer: Annotated[str, Field(min_length=1)]
    items: Items
    amount_cents: Cents


class PaymentAuthorized(Event):
    """The money is held; `authorization` is what releases it again."""

    event_type: ClassVar[str] = "payment.authorized"

    order_id: OrderId
    customer: str
    items: Items
    amount_cents: Cents
    authorization: str


class PaymentDeclined(Event):
    """The customer's bank said no; nothing is held."""

    event_type: ClassVar[str] = "payment.declined"

    order_id: OrderId
    reason: str


class StockReserved(Event):
    """All items wait in the warehouse; `reservation` is what puts them back."""

    event_type: ClassVar[str] = "stock.reserved"

    order_id: OrderId
    customer: str
    items: Items
    reservation: str


class StockMissing(Event):
    """Some items are not there; nothing is reserved, and the payment is to be released."""

    event_type: ClassVar[str] = "stock.missing"

    order_id: OrderId
    missing: Items


class ShipmentCreated(Event):
    """The parcel has a tracking number; `tracking` is what calls it back."""

    event_type: ClassVar[str] = "shipment.created"

    order_id: OrderId
    tracking: str
