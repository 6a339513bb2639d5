"""One saga in a test: how it stands, what it has done, and the commands that a person can give about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from schemas.event import Event
from schemas.events.commands import Act
from services.testing.expectation import Expectation
from services.tracker.core.reason import reason
from services.tracker.core.state import SagaState, SagaStatus, StepState

if TYPE_CHECKING:
    from services.chassis.records import Record
    from services.testing.kit import SagaTest
    from topology.model import Saga

E = TypeVar("E", bound=Event)


class SagaRun:
    """A saga that a test has started. Commands take effect at once; each has a reason that is recorded."""

    def __init__(self, world: SagaTest, definition: Saga, saga_id: str) -> None:
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

    def pause(self, why: str = "") -> SagaRun:
        """Start nothing more."""
        return self._give(Act.PAUSE, why)

    def resume(self, why: str = "") -> SagaRun:
        """Go on."""
        return self._give(Act.RESUME, why)

    def cancel(self, why: str = "") -> SagaRun:
        """Call it off, and undo what is done."""
        return self._give(Act.CANCEL, why)

    def retry(self, step: str | None = None, why: str = "") -> SagaRun:
        """Try a failed step again, in the same epoch."""
        return self._give(Act.RETRY, why, step=step)

    def redrive(self, step: str | None = None, why: str = "") -> SagaRun:
        """Go on from where it failed, in a new epoch."""
        return self._give(Act.REDRIVE, why, step=step)

    def rewind(self, step: str, why: str = "") -> SagaRun:
        """Go back to an earlier step; what is done from there on is undone first."""
        return self._give(Act.REWIND, why, step=step)

    def skip(self, step: str, outcome: Event, why: str = "") -> SagaRun:
        """Give a step this outcome."""
        kind, content = outcome.event_type, outcome.model_dump_json()
        return self._give(Act.SKIP, why, step=step, outcome=kind, content=content)

    def _give(self, act: Act, why: str, **more: str | None) -> SagaRun:
        self._world.command(act, self.saga_id, why, **more)
        return self

    def _records(self, topic: str) -> list[Record]:
        subject = ("ce_subject", self.saga_id.encode())
        return [record for record in self._world.system.records(topic) if subject in record.headers]
