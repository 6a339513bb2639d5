"""The kit: a saga's services and tracker in memory, what happens to them, and the sagas that a test starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from types import TracebackType

from kafka_saga.definition.model import Saga
from kafka_saga.definition.template import saga_id
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.event import Event
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.executor import Interference
from kafka_saga.testing.run import SagaRun
from kafka_saga.testing.script import Script, ScriptRule
from kafka_saga.testing.system import TRACKER, System
from kafka_saga.worker.service import Handler, Service

NO_COMPENSATIONS: Mapping[str, Handler] = {}


class SagaTest:
    """One definition with its handlers; each step is a service of its own, named by the step.

    Nothing happens between two calls: each ends when there is nothing left to do at that time.
    """

    def __init__(
        self, definition: Saga, handlers: Mapping[str, Handler], compensations: Mapping[str, Handler] = NO_COMPENSATIONS
    ) -> None:
        self.definition = definition
        self.script = Script()
        self.system = System((definition,), interfere=self.script)
        self._handlers = handlers
        self._compensations = compensations
        self._commands = count(1)
        self._instances = count(1)
        for step in handlers:
            self.start(step)
        self.start_tracker()

    def __enter__(self) -> SagaTest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.system.close()

    # ---- given

    def given(self, event: Event) -> SagaRun:
        """A saga, started by its first event as anyone would publish it."""
        self.system.publish(event.event_type, event.model_dump(mode="json"))
        self.run()
        return SagaRun(self, self.definition, saga_id(self.definition, event))

    def fail(
        self,
        step: str,
        error: Exception,
        times: int | None = None,
        *,
        compensating: bool = False,
        of: str | None = None,
    ) -> None:
        """The next attempts at a step end with this error: so many `times`, or all. `of` names the saga's id."""
        self.script.rules.append(ScriptRule(step, Interference(error=error), times, of, compensating))

    def delay(
        self,
        step: str,
        duration: timedelta,
        times: int | None = None,
        *,
        compensating: bool = False,
        of: str | None = None,
    ) -> None:
        """The next attempts at a step take so much longer."""
        happens = Interference(seconds=duration.total_seconds())
        self.script.rules.append(ScriptRule(step, happens, times, of, compensating))

    # ---- when

    def run(self) -> None:
        """Everything happens that can at this time."""
        self.system.settle()

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Time passes."""
        self.system.advance(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds())

    def command(self, act: Act, of: str, reason: str = "", **more: str | None) -> str:
        """A person's command about the saga with this id; `more` are `step`, `outcome` and `content`. Its id.

        A refusal raises nothing here, so that a test can be about refusals: look for `saga.command_refused`.
        """
        return self._give(about(act, of, reason, **more))

    def pause(self, scope: str, reason: str = "") -> None:
        """Hold up a wider scope: `step:DEFINITION/STEP`, `definition:NAME` or `prefix:TEXT`."""
        self._give(SagaCommand(command=Act.PAUSE, scope=scope, author="test", reason=reason))

    def resume(self, scope: str, reason: str = "") -> None:
        """Let a wider scope go on."""
        self._give(SagaCommand(command=Act.RESUME, scope=scope, author="test", reason=reason))

    def start(self, step: str) -> None:
        """One more instance of a step's service."""
        undo = {step: self._compensations[step]} if step in self._compensations else {}
        handlers = {step: self._handlers[step]}
        service = Service(step, {self.definition: handlers}, compensations={self.definition: undo})
        self.system.start(service, str(next(self._instances)))

    def start_tracker(self) -> None:
        """One more instance of the tracker."""
        self.system.start_tracker(str(next(self._instances)))

    def kill(self, step: str) -> None:
        """All instances of a step's service (or `tracker`) are gone without a word, as by kill -9."""
        for name in self._instances_of(step):
            self.system.kill(name)

    def stop(self, step: str) -> None:
        """All instances of a step's service (or `tracker`) stop in order."""
        for name in self._instances_of(step):
            self.system.stop(name)

    def stop_tracker(self) -> None:
        """The tracker is down; sagas go on, and it catches up when it is started."""
        self.stop(TRACKER)

    # ---- then

    @property
    def compensated(self) -> tuple[str, ...]:
        """The steps that were undone, of any saga, in order."""
        topics = {step.compensated_type: step.name for step in self.definition.steps if step.compensates}
        found = [record for topic in topics for record in self.system.records(topic)]
        return tuple(topics[record.topic] for record in sorted(found, key=lambda record: record.timestamp))

    def _give(self, command: SagaCommand) -> str:
        command_id = f"command-{next(self._commands)}"
        give(self.system.cluster, command_id, command)
        self.run()
        return command_id

    def _instances_of(self, group: str) -> list[str]:
        return [name for name, process in self.system.processes.items() if process.name.group == group]
