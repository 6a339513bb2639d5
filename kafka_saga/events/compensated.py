"""`<step>.compensated`: what a step has done is undone. One event type a step, all of one form."""

from __future__ import annotations

from functools import lru_cache

from pydantic import create_model

from kafka_saga.events.event import Event


class Compensated(Event):
    """The form of every `<step>.compensated`; `note` is what the compensation says of itself."""

    step: str
    note: str = ""


@lru_cache(maxsize=1024)
def compensated_event(event_type: str) -> type[Compensated]:
    """The event type of that name."""
    name = "".join(part.capitalize() for part in event_type.replace("_", ".").split("."))
    made: type[Compensated] = create_model(name, __base__=Compensated, __module__=__name__)
    made.event_type = event_type
    return made
