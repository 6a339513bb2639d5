"""What a test expects of a saga; whatever is not so is said together with why the saga stands as it does."""

from __future__ import annotations

from typing import Protocol, TypeVar

from kafka_saga.events.event import Event
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepState, StepStatus

E = TypeVar("E", bound=Event)


class NotAsExpectedError(AssertionError):
    """A saga is not as the test expects it."""


class Observed(Protocol):
    """What an expectation looks at: one saga, as `SagaRun` shows it."""

    saga_id: str

    @property
    def state(self) -> SagaState:
        """The tracker's view. Raises KeyError if the tracker has not seen the saga."""

    @property
    def why(self) -> str:
        """Why it is not finished, or how it ended, in a sentence."""

    @property
    def compensated(self) -> tuple[str, ...]:
        """The steps that were undone, in the order in which they were."""

    def step(self, name: str) -> StepState:
        """How one step stands. Raises KeyError if there is none of that name."""

    def outcomes(self, event: type[E]) -> tuple[E, ...]:
        """Every event of this type that it has emitted, in order."""


class Expectation:
    """`saga.then`: every method raises NotAsExpectedError if it is not so, else returns the expectation for more."""

    def __init__(self, saga: Observed) -> None:
        self._saga = saga

    def completed(self) -> Expectation:
        """The saga has ended as its definition wants it."""
        return self.has(SagaStatus.COMPLETED)

    def failed(self, because: str = "") -> Expectation:
        """The saga has failed, for a reason that contains `because`."""
        return self.has(SagaStatus.FAILED, because)

    def cancelled(self, because: str = "") -> Expectation:
        """The saga was cancelled, for a reason that contains `because`."""
        return self.has(SagaStatus.CANCELLED, because)

    def paused(self) -> Expectation:
        """Nothing of the saga runs until it is resumed."""
        return self.has(SagaStatus.PAUSED)

    def running(self) -> Expectation:
        """The saga is under way."""
        return self.has(SagaStatus.RUNNING)

    def has(self, status: SagaStatus, because: str = "") -> Expectation:
        """The saga has this status, with an error that contains `because`."""
        state = self._saga.state
        if state.status is not status:
            raise self._complaint(f"is {state.status}, not {status}")
        if because not in (state.error or ""):
            raise self._complaint(f"is {status} because of {state.error!r}, which does not contain {because!r}")
        return self

    def step(self, name: str, status: StepStatus, attempts: int | None = None) -> Expectation:
        """A step has this status, after so many attempts if given."""
        step = self._saga.step(name)
        if step.status is not status:
            raise self._complaint(f"has step {name} {step.status}, not {status}")
        if attempts not in (None, step.attempt):
            raise self._complaint(f"has had {step.attempt} attempts at step {name}, not {attempts}")
        return self

    def compensated(self, *steps: str) -> Expectation:
        """Exactly these steps were undone, in this order."""
        if self._saga.compensated != steps:
            raise self._complaint(f"has undone {_listed(self._saga.compensated)}, not {_listed(steps)}")
        return self

    def outcome(self, event: Event) -> Expectation:
        """The saga has emitted an event equal to this one, once."""
        found = self._saga.outcomes(type(event))
        if found != (event,):
            raise self._complaint(f"has emitted {found!r}, not {event!r}")
        return self

    def incident(self, because: str = "") -> Expectation:
        """The saga waits for a person, for a reason that contains `because`."""
        reasons = [incident.reason for incident in self._saga.state.incidents]
        if not any(because in reason for reason in reasons):
            raise self._complaint(f"has the incidents {reasons!r}, none of them because of {because!r}")
        return self

    def _complaint(self, what: str) -> NotAsExpectedError:
        return NotAsExpectedError(f"saga {self._saga.saga_id} {what}. {self._saga.why}")


def _listed(steps: tuple[str, ...]) -> str:
    return ", ".join(steps) or "nothing"
