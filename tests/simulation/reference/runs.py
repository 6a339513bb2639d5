"""The runs of a saga's steps, and what is going on while it is given up or brought back.

A run is one time that a step was triggered. Its deliveries are the trigger and the commands that ask for it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from kafka_saga.definition.model import Retry, Saga, Step
from tests.simulation.reference.timelines import Fact

FAILED, PARKED, SKIPPED = "step.failed", "step.parked", "step.skipped"


@dataclass
class Delivery:
    """A record that asks for work: the trigger (`command` is `None`), or a command; `end` is the report, if any.

    `fresh`: attempts are counted anew from here on.
    """

    command: str | None
    attempt: int
    epoch: int
    asked: int
    fresh: bool = False
    end: Fact | None = None
    is_over: bool = False


@dataclass
class Run:
    """A step at one trigger (or, `undoes`, at one outcome to undo)."""

    step: Step
    cause: Fact
    deliveries: list[Delivery] = field(default_factory=list)
    outcomes: list[Fact] = field(default_factory=list)
    undoes: bool = False
    is_waived: bool = False

    def copy(self) -> Run:
        """The same once more."""
        return replace(self, deliveries=[replace(one) for one in self.deliveries], outcomes=list(self.outcomes))

    @property
    def retry(self) -> Retry:
        """The policy of its attempts."""
        return self.step.compensation_retry if self.undoes else self.step.retry

    @property
    def epoch(self) -> int:
        """Under which the run was last asked for."""
        return self.deliveries[-1].epoch if self.deliveries else 0

    @property
    def is_live(self) -> bool:
        """Whether a delivery of it is out and has not ended."""
        return any(not one.is_over for one in self.deliveries)

    @property
    def last(self) -> Fact | None:
        """The report that its last delivery ended in; `None` if it is live or ended by an outcome."""
        return self.deliveries[-1].end if self.deliveries else None

    @property
    def used(self) -> int:
        """Attempts that count, up to the last delivery's."""
        fresh = [one.attempt for one in self.deliveries if one.fresh]
        return self.deliveries[-1].attempt - (fresh[-1] if fresh else 1) + 1 if self.deliveries else 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the last attempt has failed and no policy allows another."""
        last = self.last
        if last is None or last.seen.type != FAILED:
            return False
        return last.seen.headers.get("ce_retryable") != "true" or self.used >= self.retry.attempts

    def delivery(self, command: str | None) -> Delivery | None:
        """The delivery that a command (or the trigger) asked for."""
        return next((one for one in self.deliveries if one.command == command), None)


@dataclass
class Redo:
    """Where a saga goes on after a redrive, a rewind or a skip; with a skip, by which outcome."""

    step: str
    outcome: str | None = None


@dataclass
class Undo:
    """What no longer counts, since when, and where it leads: `failed`, `cancelled` or `redo`.

    `written`: when the last that was decided of it was written. Settling may have ended at `settled_from`, and has at
    `settled_at`, which was written at `told_at`.
    """

    goal: str
    at: int
    epoch: int
    steps: frozenset[str]
    redo: Redo | None = None
    written: int = 0
    settled_from: int | None = None
    settled_at: int | None = None
    told_at: int | None = None
    has_ended: bool = False

    @property
    def is_over(self) -> bool:
        """Whether the whole saga is given up."""
        return self.goal != "redo"


@lru_cache(maxsize=4096)
def outcomes_of(step: Step) -> frozenset[str]:
    """The event types that end a step."""
    return frozenset(event.event_type for event in step.emits)


@lru_cache(maxsize=256)
def downstream(saga: Saga) -> Mapping[str, frozenset[str]]:
    """Of each step: itself and every step that its events can lead to."""
    following = {
        step.name: {then.name for event in (*step.emits, *step.also) for then in saga.triggered_by[event.event_type]}
        for step in saga.steps
    }
    return {step.name: _reached(step.name, following) for step in saga.steps}


def _reached(first: str, following: Mapping[str, Collection[str]]) -> frozenset[str]:
    found: set[str] = set()
    ahead: list[str] = [first]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += following[name]
    return frozenset(found)
