"""The simulation's eyes and hands in each process: which record a handler works on, how it ends, and when it kills."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from kafka_saga.definition.model import OnCancel
from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Delivery, Interrupted, Result, Returned, TimedOut
from kafka_saga.events.event import Event
from kafka_saga.testing.executor import VirtualExecutor
from kafka_saga.testing.process import SimulatedProcess
from kafka_saga.testing.system import NeverAtRestError, System
from tests.simulation.handlers import Asked, CrashedError, HandlerEnd, Handlers, Sight

MOST_TURNS = 6_000
"""Turns after which a run is taken for one that never comes to rest: most runs take 500, the longest some 2,000."""


class Beginning(NamedTuple):
    """A handler that runs: which call it is, in the order of the run."""

    delivery: Delivery
    call: int


class WatchedExecutor:
    """A process's executor; `handlers` hear of everything that begins and ends. See `kafka_saga.execution.executor`."""

    def __init__(
        self, process: SimulatedProcess, handlers: Handlers, look: Callable[[SimulatedProcess], Sight]
    ) -> None:
        self.asked = Asked()
        self._process = process
        self._inner: VirtualExecutor = process.executor
        self._handlers = handlers
        self._look = look
        self._running: dict[Delivery, Beginning] = {}

    def run(self, delivery: Delivery, event: Event, context: Context) -> Result | None:
        """As `Executor.run`."""
        self.asked = _asked(delivery)
        result = self._inner.run(delivery, event, context)
        begun = Beginning(delivery, len(self._handlers.calls) - 1)
        if result is None:
            self._running[delivery] = begun
        else:
            self._note(begun, result)
        return result

    def cancel(self, delivery: Delivery) -> None:
        """As `Executor.cancel`."""
        self._running.pop(delivery, None)
        self._inner.cancel(delivery)

    def interrupt(self, delivery: Delivery) -> None:
        """As `Executor.interrupt`."""
        self._inner.interrupt(delivery)

    def warn(self, delivery: Delivery) -> None:
        """As `Executor.warn`."""
        self._inner.warn(delivery)

    def results(self, timeout: float) -> Iterable[tuple[Delivery, Result]]:
        """As `Executor.results`."""
        found = self._inner.results(timeout)
        for delivery, result in found:
            if (begun := self._running.pop(delivery, None)) is not None:
                self._note(begun, result)
        return found

    def close(self) -> None:
        """As `Executor.close`."""
        self._inner.close()

    def _note(self, begun: Beginning, result: Result) -> None:
        if isinstance(result, Interrupted | TimedOut):
            return
        job, number = begun.delivery.job, begun.delivery.record.partition
        self._handlers.ends.append(
            HandlerEnd(
                self._handlers.calls[begun.call],
                self._handlers.now(),
                "returned" if isinstance(result, Returned) else "raised",
                self._look(self._process),
                job.step.on_cancel is OnCancel.INTERRUPT,
                number in self._process.worker.runner.working_on(),
            )
        )


def _alone(name: str, death: CrashedError) -> None:
    """The default of a system's `on_death` hook: a dead process stays in its place."""


class SimulatedSystem(System):
    """A system whose processes may die in their turn, whoever lets them take it; `on_death` hears of that."""

    on_death: Callable[[str, CrashedError], object] = staticmethod(_alone)
    turns = 0

    def turn(self, name: str) -> None:
        """As `System.turn`."""
        self.turns += 1
        if self.turns > MOST_TURNS:
            raise NeverAtRestError(f"after {MOST_TURNS:,} turns of processes something is still written")
        try:
            super().turn(name)
        except CrashedError as death:
            self.on_death(name, death)


def watch(process: SimulatedProcess, handlers: Handlers, look: Callable[[SimulatedProcess], Sight]) -> None:
    """See what the handlers of this process do."""
    process.worker._executor = WatchedExecutor(process, handlers, look)


def asked_of(process: SimulatedProcess) -> Asked:
    """What the delivery asks for whose handler a watched process is about to call."""
    executor = process.worker._executor
    assert isinstance(executor, WatchedExecutor)
    return executor.asked


def _asked(delivery: Delivery) -> Asked:
    revision = delivery.command.revision if delivery.command is not None else -1
    envelope = delivery.envelope
    return Asked(envelope.definition, envelope.version, delivery.place, revision, envelope.id)
