"""What comes to a system from outside in a run: starts, records of others, and people's commands."""

from __future__ import annotations

from schemas.control import of_definition, of_step
from schemas.events.commands import Act, SagaCommand
from services.chassis.records import Outgoing, TopicPartition
from services.testing.commands import about, give
from services.testing.system import System
from tests.simulation.course import Course
from tests.simulation.shapes import Shape
from topology.template import saga_id


class Inputs:
    """Everyone who is no process of ours."""

    def __init__(self, shape: Shape, system: System, course: Course) -> None:
        self._shape = shape
        self._system = system
        self._cluster = system.cluster
        self._course = course
        self._commands = 0

    def begin(self, saga: int, turns_at: int) -> None:
        """A saga is started, as anyone would."""
        event = self._shape.first_event(saga, turns_at)
        self._course.note(f"start of {saga_id(self._shape.saga, event)}, turns at {event.turns_at or 'no step'}")
        self._system.publish(event.event_type, event.model_dump())

    def emit_again(self, pick: int) -> None:
        """Somebody else publishes one of the saga's records once more."""
        topics = [event for event in self._shape.saga.events if event != self._shape.saga.starts_on.event_type]
        records = [record for topic in topics for record in self._cluster.records(topic)]
        if records:
            record = records[pick % len(records)]
            self._course.note(f"{record.where} is emitted again")
            headers = [*record.headers, ("sim_again", b"1")]
            again = Outgoing(record.topic, record.partition, record.key, record.value, headers)
            at = TopicPartition(record.topic, record.partition)
            self._cluster.partition(at).append(again, self._system.clock.now())

    def command(self, saga: int, act: Act, step: int) -> None:
        """A person's command about one saga."""
        name, more = self._shape.saga_id(saga), dict[str, str | None]()
        if act in (Act.RETRY, Act.REDRIVE, Act.REWIND, Act.SKIP):
            more["step"] = self._shape.step(step)
        if act is Act.SKIP:
            more |= self._skipped(saga, step)
        self._give(about(act, name, "simulated", **more))

    def _skipped(self, saga: int, step: int) -> dict[str, str | None]:
        event = self._shape.first_event(saga)
        outcome = self._shape.saga.steps[step % len(self._shape.saga.steps)].emits[0].event_type
        return {"outcome": outcome, "content": event.model_dump_json()}

    def hold(self, step: int, turns: int) -> None:
        """A step (or all, if negative) is paused, and resumed so many turns later."""
        name = self._shape.saga.name
        scope = of_step(name, self._shape.step(step)) if step >= 0 else of_definition(name)
        self._give(SagaCommand(command=Act.PAUSE, scope=scope, author="simulation", reason=""))
        resume = SagaCommand(command=Act.RESUME, scope=scope, author="simulation", reason="")
        self._course.after(turns, lambda: self._give(resume))

    def _give(self, command: SagaCommand) -> None:
        self._commands += 1
        self._course.note(f"command {self._commands}: {command.command} {command.scope} {command.step or ''}")
        give(self._cluster, f"command-{self._commands}", command)
