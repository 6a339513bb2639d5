"""What is known about a saga beyond its state: its definition and services, wider pauses, dead letters, the tracker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kafka_saga.definition.model import Saga
from kafka_saga.tracker.core.pauses import NOTHING_WIDE, Wide
from kafka_saga.tracker.core.plan import SagaPlan, saga_plan
from kafka_saga.tracker.core.state import SagaState


class DeliveryPlace(StrEnum):
    """Where the record is that asks a step to work."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    TAKEN = "taken"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AtService:
    """A step's work at its service. `service` is empty, `instances` none where that is not known.

    `ahead` counts the unfinished records before it; `still` is what the service says if the partition stands still.
    """

    step: str
    service: str = ""
    instances: int | None = None
    place: DeliveryPlace = DeliveryPlace.UNKNOWN
    ahead: int = 0
    still: str = ""

    @property
    def owner(self) -> str:
        """The service, as a sentence names it."""
        return f"its service {self.service}" if self.service else "its service"


@dataclass(frozen=True, slots=True)
class Letter:
    """A record of the saga that could not be read; `place` is what `saga dlq show` is asked with."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Around:
    """Everything is optional: what is not known is not said.

    `definition` adds deadlines and limits, `wide` paused steps and definitions; `trackers` counts running instances,
    `behind` is how many seconds of the log they have not read. `started_by` is the command that starts the saga's
    services and the tracker, empty if each is started by itself. `undecided` is where a transaction has no end, as a
    place.
    """

    definition: Saga | None = None
    wide: Wide = NOTHING_WIDE
    services: tuple[AtService, ...] = ()
    letters: tuple[Letter, ...] = ()
    trackers: int | None = None
    behind: float = 0
    started_by: str = ""
    undecided: str = ""


NOTHING_KNOWN = Around()


@dataclass(frozen=True, slots=True)
class Look:
    """A saga as it is looked at: its state, what is around it, and when (milliseconds UTC)."""

    state: SagaState
    now: int
    around: Around

    @property
    def plan(self) -> SagaPlan | None:
        """The saga plan of its definition, if that is known in its version."""
        known = self.around.definition
        is_its_own = known is not None and (known.name, known.version) == (self.state.definition, self.state.version)
        return saga_plan(known) if known is not None and is_its_own else None

    def at_service(self, step: str) -> AtService:
        """What is known of a step's work at its service."""
        return next((one for one in self.around.services if one.step == step), AtService(step))
