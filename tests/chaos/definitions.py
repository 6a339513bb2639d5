"""The sagas that chaos befalls: parcels undo themselves and supersede one another, errands ask people."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from kafka_saga.definition.durations import minutes, seconds
from kafka_saga.definition.model import COMPLETED, OnCancel, OnConflict, OnFailure, Retry, Saga, Step
from kafka_saga.events.event import Event


class Trouble(StrEnum):
    """What befalls the handler of a step."""

    NONE = ""
    SLOW = "slow"
    """It takes seconds."""
    VERY_SLOW = "very_slow"
    """It fails, and then takes so long that its step's deadline passes."""
    ONCE = "once"
    """Its first attempt fails, and may be tried again."""
    TWICE = "twice"
    ASTONISHED = "astonished"
    """Its first attempt ends in an exception that nobody foresaw."""
    ALWAYS = "always"
    """Every attempt fails, until there are no more."""
    NEVER = "never"
    """It cannot be done, and says so."""
    LATER = "later"
    """It cannot be done now; a redrive helps."""


class Matter(Event):
    """What all of these events say: which saga, and what befalls which of its steps, going forward and going back."""

    key: str
    run: int
    step: str = ""
    trouble: Trouble = Trouble.NONE
    undoing: Trouble = Trouble.NONE


class ParcelOrdered(Matter):
    event_type: ClassVar[str] = "parcel.ordered"


class ParcelReserved(Matter):
    event_type: ClassVar[str] = "parcel.reserved"


class ParcelCharged(Matter):
    event_type: ClassVar[str] = "parcel.charged"


class ParcelDispatched(Matter):
    event_type: ClassVar[str] = "parcel.dispatched"


class ErrandWanted(Matter):
    event_type: ClassVar[str] = "errand.wanted"


class ErrandFetched(Matter):
    event_type: ClassVar[str] = "errand.fetched"


class ErrandCarried(Matter):
    event_type: ClassVar[str] = "errand.carried"


class ErrandDelivered(Matter):
    event_type: ClassVar[str] = "errand.delivered"


QUICK = Retry(attempts=4, first=seconds(0.2), max_delay=seconds(2))
DEADLINE = seconds(15)
"""Of two steps, and of one attempt at any: with a retry, a handler may come to its end after its deadline."""

PARCEL = Saga(
    name="parcel",
    version=1,
    starts_on=ParcelOrdered,
    key="{key}",
    run="{run}",
    steps=(
        Step("reserve", on=ParcelOrdered, emits=(ParcelReserved,), retry=QUICK, timeout=DEADLINE,
             compensates=True, compensation_retry=QUICK),
        Step("charge", on=ParcelReserved, emits=(ParcelCharged,), retry=QUICK, timeout=DEADLINE, deadline=DEADLINE,
             compensates=True, compensation_retry=QUICK),
        Step("dispatch", on=ParcelCharged, emits=(ParcelDispatched,), retry=QUICK, timeout=DEADLINE,
             on_cancel=OnCancel.INTERRUPT, compensates=True, compensation_retry=QUICK),
    ),
    ends={ParcelDispatched: COMPLETED},
    deadline=minutes(10),
    on_failure=OnFailure.COMPENSATE,
    on_conflict=OnConflict.SUPERSEDE,
    settle_timeout=seconds(20),
)  # fmt: skip

ERRAND = Saga(
    name="errand",
    version=1,
    starts_on=ErrandWanted,
    key="{key}",
    run="{run}",
    steps=(
        Step("fetch", on=ErrandWanted, emits=(ErrandFetched,), retry=QUICK, timeout=DEADLINE,
             compensates=True, compensation_retry=QUICK),
        Step("carry", on=ErrandFetched, emits=(ErrandCarried,), retry=QUICK, timeout=DEADLINE, deadline=DEADLINE),
        Step("deliver", on=ErrandCarried, emits=(ErrandDelivered,), retry=QUICK, timeout=DEADLINE,
             compensates=True, compensation_retry=QUICK),
    ),
    ends={ErrandDelivered: COMPLETED},
    deadline=minutes(10),
    on_failure=OnFailure.INCIDENT,
    settle_timeout=seconds(20),
)  # fmt: skip

DEFINITIONS = (PARCEL, ERRAND)
