"""Small events and definitions that the topology's tests are made of."""

from __future__ import annotations

from typing import ClassVar

from kafka_saga.definition.model import COMPLETED, FAILED, Saga, Step
from kafka_saga.events.event import Event


class Begun(Event):
    event_type: ClassVar[str] = "begun"

    name: str
    number: int
    note: str | None = None
    share: float = 0.5


class Left(Event):
    event_type: ClassVar[str] = "left"


class Right(Event):
    event_type: ClassVar[str] = "right"


class Merged(Event):
    event_type: ClassVar[str] = "merged"


class Logged(Event):
    event_type: ClassVar[str] = "logged"


class Done(Event):
    event_type: ClassVar[str] = "done"


class Lost(Event):
    event_type: ClassVar[str] = "lost"


EVENTS: tuple[type[Event], ...] = (Begun, Left, Right, Merged, Logged, Done, Lost)

FIRST = Step("first", on=Begun, emits=(Left,))
LAST = Step("last", on=Left, emits=(Done,))
GOOD = Saga(
    name="good",
    version=1,
    starts_on=Begun,
    key="{name}",
    run="{number}",
    steps=(FIRST, LAST),
    ends={Done: COMPLETED},
)

BRANCHING = Saga(
    name="branching",
    version=3,
    starts_on=Begun,
    key="{name}",
    run="{number}",
    steps=(
        Step("triage", on=Begun, emits=(Left, Right, Lost)),
        Step("by-hand", on=Left, emits=(Merged, Lost), also=(Logged,)),
        Step("by-rule", on=Right, emits=(Merged,)),
        Step("notify", on=Merged, emits=(Done,)),
        Step("file", on=Logged, emits=(Lost,)),
    ),
    ends={Done: COMPLETED, Lost: FAILED},
)


class Drafted(Event):
    event_type: ClassVar[str] = "text.drafted"


class Objected(Event):
    event_type: ClassVar[str] = "text.objected"


class Approved(Event):
    event_type: ClassVar[str] = "text.approved"


class Printed(Event):
    event_type: ClassVar[str] = "text.printed"


class Archived(Event):
    event_type: ClassVar[str] = "text.archived"


class Posted(Event):
    event_type: ClassVar[str] = "text.posted"


LOOPING = Saga(
    name="looping",
    version=1,
    starts_on=Begun,
    key="{name}",
    run="{number}",
    steps=(
        Step("write", on=Begun, emits=(Drafted,)),
        Step("review", on=Drafted, emits=(Objected, Approved)),
        Step("rework", on=Objected, emits=(Drafted, Lost)),
        Step("post", on=Approved, emits=(Posted,)),
        Step("archive", on=Approved, emits=(Archived,)),
        Step("print", on=Archived, emits=(Printed,), compensates=True),
    ),
    ends={Posted: COMPLETED, Printed: COMPLETED, Lost: FAILED},
    deadline=None,
    description="Written, reviewed until nobody objects, then posted and printed side by side.",
)
