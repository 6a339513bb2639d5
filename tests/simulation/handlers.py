"""What happens to handlers in a run: which were called, how they ended, and which are troubled as the plan says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kafka_saga.broker.records import TopicPartition
from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.testing.executor import UNDISTURBED, Interference
from kafka_saga.testing.process import SimulatedProcess
from tests.simulation.faults import Kill, Trouble
from tests.simulation.seen import Place, SagaName


class CrashedError(BaseException):
    """The process dies here; nothing may catch this on its way."""


class KilledError(CrashedError):
    """A handler kills its process: a supervisor starts it again."""


PATIENCE = 6.0
"""Seconds that some errors want until the next attempt: more than any policy here waits."""


class Sight(NamedTuple):
    """What a process can know of `saga.control`: since when its partitions are its own, and how far it has read each.

    Times are milliseconds since the epoch by the simulation's one true clock.
    """

    process: str
    since: int
    read: Mapping[int, int]


class Asked(NamedTuple):
    """What a delivery asks for: its definition and version, its place, the revision that a command knew of, and the
    id of the event that it is about.
    """

    definition: str = ""
    version: int = 1
    delivery: Place | None = None
    revision: int = -1
    about: str = ""


@dataclass(frozen=True, slots=True)
class Called:
    """A handler was called at a time, milliseconds since the epoch by the simulation's one true clock.

    `delivery` is the place of the record that asked for it, `revision` that of control which a command was issued
    under (-1: of a trigger); `killed`: it has killed its process.
    """

    at: int
    saga_id: str
    step: str
    compensating: bool
    sight: Sight
    definition: str = ""
    version: int = 1
    epoch: int = 0
    attempt: int = 1
    delivery: Place | None = None
    revision: int = -1
    killed: bool = False

    @property
    def name(self) -> SagaName:
        return SagaName(self.definition, self.saga_id)


@dataclass(frozen=True, slots=True)
class HandlerEnd:
    """A handler came to its end by itself: it `returned` or `raised`; `sight` is what its process knew then.

    `interrupts`: its step is one whose handlers are interrupted when its saga is cancelled; `is_working`: the process
    worked on the partition of the delivery then.
    """

    called: Called
    at: int
    how: str
    sight: Sight
    interrupts: bool
    is_working: bool


def sight(process: SimulatedProcess, partitions: int) -> Sight:
    """What a process can know now."""
    places = [TopicPartition(SAGA_CONTROL, number) for number in range(partitions)]
    found = {at.partition: read for at in places if (read := process.connection.read(at)) is not None}
    return Sight(str(process.name), process.connection.assigned_at, found)


class Handlers:
    """The calls of one run, and the troubles ahead; `now` tells the one true time, in milliseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.calls: list[Called] = []
        self.ends: list[HandlerEnd] = []
        self.now = now
        self._troubles: dict[tuple[SagaName, str, bool], list[Trouble]] = defaultdict(list)
        self._runs: dict[tuple[SagaName, str, bool], list[str]] = defaultdict(list)
        self._kills: dict[tuple[SagaName, str, bool], list[Kill]] = defaultdict(list)
        self._killed: dict[Kill, int] = defaultdict(int)

    def trouble(self, saga: SagaName, step: str, trouble: Trouble) -> None:
        """Some attempts at a step of a saga will go wrong."""
        self._troubles[saga, step, trouble.compensating].append(trouble)

    def kill(self, saga: SagaName, step: str, kill: Kill) -> None:
        """Some attempts at a step of a saga will kill their process."""
        self._kills[saga, step, kill.compensating].append(kill)

    def called(self, context: Context, asked: Asked, known: Sight) -> Interference:
        """What happens to this attempt, in a process that knows so much. Raises KilledError if it kills that."""
        place = SagaName(asked.definition, context.saga_id), context.step, context.compensating
        kill = next((kill for kill in self._kills.get(place, ()) if self._strikes(kill, context.attempt)), None)
        self._note(context, asked, known, killed=kill is not None)
        if kill is not None:
            self._killed[kill] += 1
            raise KilledError
        run = self._run(place, asked.about)
        for trouble in self._troubles.get(place, ()):
            if trouble.first <= context.attempt <= trouble.last and trouble.run in {0, run}:
                return Interference(trouble.milliseconds / 1000, _error(trouble.error))
        return UNDISTURBED

    def _run(self, place: tuple[SagaName, str, bool], about: str) -> int:
        """How often the step has been triggered by now, this event included."""
        if place not in self._troubles:
            return 0
        known = self._runs[place]
        if about not in known:
            known.append(about)
        return known.index(about) + 1

    def _strikes(self, kill: Kill, attempt: int) -> bool:
        return kill.first <= attempt <= kill.last and self._killed[kill] < kill.times

    def _note(self, context: Context, asked: Asked, known: Sight, *, killed: bool) -> None:
        self.calls.append(
            Called(
                self.now(),
                context.saga_id,
                context.step,
                context.compensating,
                known,
                asked.definition,
                asked.version,
                context.epoch,
                context.attempt,
                asked.delivery,
                asked.revision,
                killed,
            )
        )


def _error(kind: str) -> Exception | None:
    match kind:
        case "retryable":
            return RetryableError("not now")
        case "patient":
            return RetryableError("not for a while", retry_after=PATIENCE)
        case "terminal":
            return TerminalError("never")
        case "unexpected":
            return ValueError("what is this")
        case _:
            return None
