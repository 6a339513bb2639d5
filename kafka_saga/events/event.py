"""What an event is: an immutable fact in the past tense, whose type is its topic's name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """An immutable fact. Subclasses name their type, which is also their topic (`ast.completed`).

    Unknown fields are ignored, so that a newer producer does not stop an older reader.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_type: ClassVar[str]


class Value(BaseModel):
    """A part of an event: immutable, compared by content."""

    model_config = ConfigDict(frozen=True, extra="ignore")
