"""What all simulated events say, and the pools of event types that definitions are built of."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from kafka_saga.events.event import Event


class Fact(Event):
    """An event of a simulated saga; what it carries decides what handlers make of it.

    The saga takes another outcome (`way`: which, from 1) at the step `turns_at`, as long as `rounds` are left; each
    turn takes one. `also`: handlers emit their by-products. `number` is what a stateful service has counted.
    """

    key: str
    run: int
    turns_at: str = ""
    way: int = 1
    rounds: int = 1
    also: bool = False
    number: int = 0


@cache
def fact(event_type: str) -> type[Fact]:
    """The event type of that name; always the same class, so that its schema is made once."""
    name = "".join(part.title() for part in event_type.split("."))
    return type(name, (Fact,), {"event_type": event_type, "__annotations__": {"event_type": ClassVar[str]}})


class Pool:
    """The event types of one definition, taken one after the other; the first is that of its start."""

    def __init__(self, definition: str) -> None:
        self.definition = definition
        self.start = fact(f"{definition}.started")
        self._events = iter("abcdefghijklmnopqrs")
        self._notes = iter(range(1, 20))

    def event(self) -> type[Fact]:
        """Another event type."""
        return fact(f"{self.definition}.{next(self._events)}")

    def note(self) -> type[Fact]:
        """Another type of by-products."""
        return fact(f"{self.definition}.note{next(self._notes)}")
