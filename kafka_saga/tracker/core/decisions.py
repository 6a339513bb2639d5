"""What the tracker decides; the shell turns decisions into records."""

from __future__ import annotations

import msgspec

from kafka_saga.tracker.core.state import EventRef, Incident, Sent


class Started(msgspec.Struct, frozen=True):
    """The saga's first event is known."""

    at: int


class Completed(msgspec.Struct, frozen=True):
    """The saga has ended as its definition wants it."""

    at: int
    end: str


class Failed(msgspec.Struct, frozen=True):
    """The saga has ended otherwise: a step failed for good, a deadline passed, or the final event means failure."""

    at: int
    reason: str
    step: str | None = None
    end: str | None = None


class Cancelled(msgspec.Struct, frozen=True):
    """The saga was called off."""

    at: int
    end: str
    reason: str = ""


class Ruled(msgspec.Struct, frozen=True):
    """Something was ruled that no other notice tells of."""

    at: int


class TimedOut(msgspec.Struct, frozen=True):
    """Ruling: a deadline has passed, of a step or of the saga."""

    at: int
    step: str | None
    epoch: int
    deadline: int


class RetryScheduled(msgspec.Struct, frozen=True):
    """A failed attempt will be followed by another: at a step, or at undoing it."""

    at: int
    step: str
    attempt: int
    due: int
    reason: str
    undoes: bool = False


class Undoing(msgspec.Struct, frozen=True):
    """Ruling: the saga fails, is cancelled, or goes back."""

    at: int
    goal: str
    reason: str
    epoch: int
    steps: tuple[str, ...]


class Compensated(msgspec.Struct, frozen=True):
    """Ruling: all that had to be undone is."""

    at: int
    steps: tuple[str, ...]


class Paused(msgspec.Struct, frozen=True):
    """Nothing of the saga runs any more, until it is resumed."""

    at: int
    by: str
    reason: str


class Resumed(msgspec.Struct, frozen=True):
    """The last pause of the saga is over: it goes on."""

    at: int
    by: str
    reason: str


class Raised(msgspec.Struct, frozen=True):
    """Ruling: only a person can decide."""

    incident: Incident


class Solved(msgspec.Struct, frozen=True):
    """An incident is no more."""

    at: int
    incident: str
    how: str


class Late(msgspec.Struct, frozen=True):
    """A step has ended when its saga no longer counted on it."""

    at: int
    step: str
    outcome: str
    event: str
    is_compensated: bool


class Accepted(msgspec.Struct, frozen=True):
    """A person's command applies."""

    at: int
    id: str
    command: str
    author: str
    reason: str


class Refused(msgspec.Struct, frozen=True):
    """A person's command does not apply."""

    at: int
    id: str
    command: str
    author: str
    reason: str
    why: str


class Execute(msgspec.Struct, frozen=True):
    """Command: run a step again with its trigger."""

    sent: Sent
    trigger: EventRef


class Compensate(msgspec.Struct, frozen=True):
    """Command: undo an outcome."""

    sent: Sent
    outcome: EventRef


class Emit(msgspec.Struct, frozen=True):
    """Event: the outcome that a person gives a step that is skipped; `content` is a JSON object."""

    step: str
    trigger: EventRef
    type: str
    epoch: int
    content: str


class Forget(msgspec.Struct, frozen=True):
    """The saga ended long ago: its state goes."""


Notice = (
    Started
    | Completed
    | Failed
    | Cancelled
    | Ruled
    | TimedOut
    | RetryScheduled
    | Undoing
    | Compensated
    | Paused
    | Resumed
    | Raised
    | Solved
    | Late
    | Accepted
    | Refused
)
"""What goes to `saga.lifecycle`."""

RULINGS = Ruled | TimedOut | Undoing | Compensated | Raised
"""What depended on something that had not arrived."""

Decision = Notice | Execute | Compensate | Emit | Forget
