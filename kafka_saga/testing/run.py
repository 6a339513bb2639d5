"""One saga in a test: how it stands, what it has done, and the commands that a person can give about it."""

from __future__ import annotations

from typing import Protocol, TypeVar

from kafka_saga.broker.records import Record
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.events.commands import Act
from kafka_saga.events.event import Event
from kafka_saga.testing.commands import refusal
from kafka_saga.testing.expectation import Expectation
from kafka_saga.testing.script import Script
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepState

E = TypeVar("E", bound=Event)


class RefusedError(AssertionError):
    """The tracker has refused a command of the test; the message says why, and how the saga stands."""


class SagaWorld(Protocol):
    """Where a saga runs: the system with its log, what its handlers were called for, and a person's commands."""

    system: System
    script: Script

    def command(self, act: Act, of: str, reason: str = "", **more: str | None) -> str:
        """Give a command about the saga with this id; returns the command's id."""


class SagaRun:
    """A saga that a test has started.

    Commands take effect at once; each has a reason that is recorded. One that the tracker refuses raises RefusedError;
    a tracker that is stopped answers nothing, and obeys or refuses when it is started again.
    """

    def __init__(self, world: SagaWorld, definition: Saga, saga_id: str) -> None:
        self.saga_id = saga_id
        self.definition = definition
        self._world = world

    # ---- how it stands

    @property
    def then(self) -> Expectation:
        """What is expected of it."""
        return Expectation(self)

    @property
    def state(self) -> SagaState:
        """The tracker's view. Raises KeyError if the tracker has not seen the saga."""
        return self._world.system.saga(self.saga_id)

    @property
    def status(self) -> SagaStatus:
        """How it stands as a whole."""
        return self.state.status

    @property
    def why(self) -> str:
        """Why it is not finished, or how it ended, in a sentence."""
        return reason(self.state, self._world.system.clock.now())

    def step(self, name: str) -> StepState:
        """How one step stands. Raises KeyError if there is none of that name."""
        return self.state.step(name)

    # ---- what it has done

    def outcomes(self, event: type[E]) -> tuple[E, ...]:
        """Every event of this type that it has emitted, in order."""
        return tuple(self._world.system.events(event, self._records(event.event_type)))

    def outcome(self, event: type[E]) -> E | None:
        """The last event of this type that it has emitted; none if there was none."""
        found = self.outcomes(event)
        return found[-1] if found else None

    @property
    def compensated(self) -> tuple[str, ...]:
        """The steps that were undone, in the order in which they were."""
        topics = {step.compensated_type: step.name for step in self.definition.steps if step.compensates}
        found = [record for topic in topics for record in self._records(topic)]
        return tuple(topics[record.topic] for record in sorted(found, key=lambda record: record.timestamp))

    @property
    def attempts(self) -> tuple[tuple[str, int], ...]:
        """Step and attempt of every handler that was called, in order; compensations are not counted."""
        calls = self._world.script.attempts
        return tuple((a.step, a.attempt) for a in calls if a.saga_id == self.saga_id and not a.compensating)

    # ---- commands

    def pause(self, reason: str = "") -> SagaRun:
        """Start nothing more."""
        return self._give(Act.PAUSE, reason)

    def resume(self, reason: str = "") -> SagaRun:
        """Go on."""
        return self._give(Act.RESUME, reason)

    def cancel(self, reason: str = "") -> SagaRun:
        """Call it off, and undo what is done."""
        return self._give(Act.CANCEL, reason)

    def retry(self, reason: str = "", *, step: str | None = None) -> SagaRun:
        """Try a failed step again, in the same epoch."""
        return self._give(Act.RETRY, reason, step=step)

    def redrive(self, reason: str = "", *, step: str | None = None) -> SagaRun:
        """Go on from where it failed, in a new epoch."""
        return self._give(Act.REDRIVE, reason, step=step)

    def rewind(self, reason: str = "", *, step: str) -> SagaRun:
        """Go back to an earlier step; what is done from there on is undone first."""
        return self._give(Act.REWIND, reason, step=step)

    def skip(self, reason: str = "", *, step: str, outcome: Event) -> SagaRun:
        """Give a step this outcome."""
        kind, content = outcome.event_type, outcome.model_dump_json()
        return self._give(Act.SKIP, reason, step=step, outcome=kind, content=content)

    def _give(self, act: Act, reason: str, **more: str | None) -> SagaRun:
        command_id = self._world.command(act, self.saga_id, reason, **more)
        if refused := refusal(self._world.system.records(SAGA_LIFECYCLE), command_id):
            raise RefusedError(f"saga {self.saga_id}: {act} is refused: {refused.why.rstrip('.')}. {self._standing}")
        return self

    @property
    def _standing(self) -> str:
        try:
            return self.why
        except KeyError:
            return "The tracker has not seen the saga."

    def _records(self, topic: str) -> list[Record]:
        subject = ("ce_subject", self.saga_id.encode())
        return [record for record in self._world.system.records(topic) if subject in record.headers]
