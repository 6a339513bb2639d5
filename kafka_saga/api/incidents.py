"""What waits for a person: open incidents, and dead letters."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kafka_saga.api.model import Answer, Author, Milliseconds, Reason, Request, Timestamp, Value
from kafka_saga.api.sagas import IncidentFacts


class IncidentItem(IncidentFacts):
    """An open incident and whose it is."""

    key: str
    age_ms: Milliseconds


class IncidentPage(Answer):
    """Some of the open incidents, the oldest first."""

    items: tuple[IncidentItem, ...]
    next: str | None
    total: int


class Origin(Value):
    """Where a record lay before it became a dead letter; what its headers do not say is none."""

    topic: str | None
    partition: int | None
    offset: int | None


class DeadLetter(Value):
    """A record that no service could read. Its bytes are `text` where they are text, and `raw` (base64) always."""

    id: Annotated[str, Field(description="`dead.letters/PARTITION/OFFSET`")]
    partition: int
    offset: int
    original: Origin
    reason: str
    code: str
    service: str
    at: Timestamp
    saga_id: str | None
    step: str | None
    headers: dict[str, str]
    text: str | None
    raw: str | None
    redriven_at: Timestamp | None


class DeadLetterPage(Answer):
    """Some of the dead letters, the latest first."""

    items: tuple[DeadLetter, ...]
    next: str | None
    total: int


class RedriveRequest(Request):
    """Publish a dead letter again, as it was, to where it came from; `again` if it was redriven before."""

    author: Author
    reason: Reason = ""
    again: bool = False


class Redriven(Value):
    """The dead letter was published again."""

    id: str
    topic: str
    partition: int
