"""What happens to handlers in a run: which were called, and which of them are troubled as the plan says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.errors import RetryableError, TerminalError
from services.chassis.context import Context
from services.chassis.records import TopicPartition
from services.testing.executor import UNDISTURBED, Interference
from services.testing.process import Process
from tests.simulation.plan import Trouble
from tests.simulation.shapes import Shape
from topology.topics import SAGA_CONTROL


class Sight(NamedTuple):
    """What a process can know of `saga.control`: since when its partitions are its own, and how far it has read each.

    Times are milliseconds since the epoch by the broker's clock.
    """

    process: str
    since: int
    read: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Called:
    """A handler was called at a time, milliseconds since the epoch by the broker's clock."""

    at: int
    saga_id: str
    step: str
    compensating: bool
    sight: Sight


def sight(process: Process, partitions: int) -> Sight:
    """What a process can know now."""
    places = [TopicPartition(SAGA_CONTROL, number) for number in range(partitions)]
    found = {at.partition: read for at in places if (read := process.connection.read(at)) is not None}
    return Sight(str(process.name), process.connection.assigned_at, found)


class Handlers:
    """The calls of one run, and the troubles ahead; `look` says what the process whose turn it is can know."""

    def __init__(self, shape: Shape, look: Callable[[], Sight]) -> None:
        self.calls: list[Called] = []
        self._look = look
        self._shape = shape
        self._troubles: dict[tuple[str, str, bool], list[Trouble]] = defaultdict(list)

    def trouble(self, trouble: Trouble) -> None:
        """Some attempts at a step of a saga will go wrong."""
        at = self._shape.saga_id(trouble.saga), self._shape.step(trouble.step), trouble.compensating
        self._troubles[at].append(trouble)

    def called(self, context: Context, now: int) -> Interference:
        """What happens to this attempt."""
        compensating = context.compensating
        self.calls.append(Called(now, context.saga_id, context.step, compensating, self._look()))
        for trouble in self._troubles.get((context.saga_id, context.step, compensating), ()):
            if trouble.first <= context.attempt <= trouble.last:
                return Interference(trouble.milliseconds / 1000, _error(trouble.error))
        return UNDISTURBED


def _error(kind: str) -> Exception | None:
    match kind:
        case "retryable":
            return RetryableError("not now")
        case "terminal":
            return TerminalError("never")
        case "unexpected":
            return ValueError("what is this")
        case _:
            return None
