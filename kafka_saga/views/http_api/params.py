"""What the query of each request can say; what is not known is refused."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from kafka_saga.api.model import Request
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.views.port import Sort


def _number(text: object) -> object:
    """Digits alone: what Python takes for a number besides, others do not."""
    if isinstance(text, str) and not (text.isascii() and text.isdecimal()):
        raise ValueError("give a number in digits")
    return text


def _truth(text: object) -> object:
    if isinstance(text, str) and text not in {"true", "false"}:
        raise ValueError("give true or false")
    return text


Name = Annotated[str | None, Field(min_length=1, max_length=100)]
Prefix = Annotated[str | None, Field(min_length=1, max_length=200)]
SagaId = Annotated[str | None, Field(min_length=1, max_length=500)]
Limit = Annotated[int, Field(ge=1, le=500, description="at most so many"), BeforeValidator(_number)]
Cursor = Annotated[
    str | None,
    Field(
        max_length=2000,
        pattern="^[A-Za-z0-9_-]+$",
        description="`next` of the page before; the order has to be the same",
    ),
]


class Order(StrEnum):
    """Which way a list is ordered."""

    ASC = "asc"
    DESC = "desc"


class Include(StrEnum):
    """What an answer can hold besides."""

    STATE = "state"


class SagaListParams(Request):
    """Which sagas, in which order."""

    status: Annotated[
        tuple[SagaStatus, ...], Field(max_length=9, description="may be given more than once: any of them")
    ] = ()
    definition: Annotated[Name, Field(description="the name of their definition")] = None
    step: Annotated[Name, Field(description="sagas that are at work at it, or failed there")] = None
    key_prefix: Annotated[Prefix, Field(description="whose business key begins so")] = None
    older_than_s: Annotated[
        Annotated[int, Field(ge=0, le=10**10)] | None,
        Field(description="that started at least so many seconds ago"),
        BeforeValidator(_number),
    ] = None
    has_incident: Annotated[
        bool | None, BeforeValidator(_truth), Field(description="with an open incident, or without")
    ] = None
    q: Annotated[
        Name,
        Field(
            description="text in ids, titles (known soon after a saga), definitions, steps at work, errors; any case"
        ),
    ] = None
    sort: Annotated[Sort, Field(description="`age` descending: the oldest first")] = Sort.STARTED
    order: Order = Order.DESC
    limit: Limit = 50
    cursor: Cursor = None
    include: Annotated[tuple[Include, ...], Field(max_length=1, description="`state`: the tracker's own record")] = ()


class SagaParams(Request):
    """How much of a saga."""

    include: Annotated[tuple[Include, ...], Field(max_length=1, description="`state`: the tracker's own record")] = ()


class IncidentListParams(Request):
    """Which open incidents."""

    definition: Annotated[Name, Field(description="of sagas of this definition")] = None
    step: Annotated[Name, Field(description="of this step")] = None
    key_prefix: Annotated[Prefix, Field(description="of sagas whose business key begins so")] = None
    limit: Limit = 50
    cursor: Cursor = None


class LetterListParams(Request):
    """Which dead letters."""

    saga_id: Annotated[SagaId, Field(description="that name this saga")] = None
    limit: Limit = 50
    cursor: Cursor = None


class ChangesParams(Request):
    """Whose changes."""

    saga_id: Annotated[SagaId, Field(description="of this saga alone")] = None
