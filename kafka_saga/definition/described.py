"""A definition made of its description: what `Saga.describe` says, read back where the Python classes are not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import msgspec

from kafka_saga.definition.model import EventType, Saga
from kafka_saga.errors import TopologyError
from kafka_saga.events.event import Event


class DescribedEvent(Event):
    """An event type of which the name alone is known: its content can be neither decoded nor checked."""


def is_described(event: EventType) -> bool:
    """Whether nothing but the name of this event type is known."""
    return issubclass(event, DescribedEvent)


def saga_of(description: Mapping[str, object]) -> Saga:
    """The definition that describes itself so; event types are `DescribedEvent` classes, one for each name.

    Fields that this version does not know are ignored, and those that it misses have their default. Raises
    TopologyError if the description is none.
    """
    try:
        # Durations are numbers of seconds, which msgspec takes for them only when it is not strict.
        saga = msgspec.convert(dict(description), Saga, strict=False, dec_hook=_event_type)
        # The keys of a mapping are text for msgspec, whatever they are to become.
        return replace(saga, ends={described_event(str(name)): status for name, status in saga.ends.items()})
    except (msgspec.ValidationError, ValueError) as error:
        raise TopologyError(f"this describes no definition: {error}") from None


@lru_cache(maxsize=4096)
def described_event(event_type: str) -> type[DescribedEvent]:
    """The class of that event type, made once, so that two definitions that name it share it."""
    return type(event_type, (DescribedEvent,), {"__module__": __name__, "event_type": event_type})


def _event_type(kind: object, value: object) -> EventType:
    """What msgspec asks for where a field is of no type that it knows: the type of an event."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no event type")
    return described_event(value)
