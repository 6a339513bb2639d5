"""How the tables are, and what the stream of changes says."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kafka_saga.api.model import Answer, Value


class HealthStatus(StrEnum):
    """How the tables are; `partial`: some partitions are nobody's, or cannot be reached."""

    READY = "ready"
    RESTORING = "restoring"
    PARTIAL = "partial"


class Worker(Value):
    """A process that holds some partitions of the tables."""

    url: str
    partitions: tuple[int, ...]
    behind_s: Annotated[float, Field(ge=0)]
    status: HealthStatus = HealthStatus.READY


class Health(Answer):
    """How the tables are, and who holds what."""

    status: HealthStatus
    workers: tuple[Worker, ...]
    reasons: tuple[str, ...] = ()
    kafka: Annotated[str, Field(description="the brokers that the tables are filled from")] = ""


class ChangeEvent(StrEnum):
    """The events of the stream of changes, each with its data: a SagaSummary, Gone, Behind, Gap, or a Problem."""

    SAGA = "saga"
    GONE = "gone"
    BEHIND = "behind"
    GAP = "gap"
    PROBLEM = "problem"


class Gone(Value):
    """A saga has left the tables."""

    saga_id: str


class Behind(Value):
    """How many seconds the stream of changes is behind the log."""

    behind_s: float


class Gap(Value):
    """More has changed than the stream tells: ask for the list again. `sagas`: how many, 0 if that is not known."""

    sagas: int
