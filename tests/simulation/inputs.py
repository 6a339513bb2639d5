"""What comes to a system from outside in a run: starts, records of others, and people's commands."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing
from kafka_saga.errors import ChoreographyError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.system import System
from kafka_saga.wire.control import of_definition, of_prefix, of_step
from kafka_saga.wire.envelope import Envelope, rfc3339, to_headers
from kafka_saga.wire.ids import key_of
from tests.simulation.course import Course
from tests.simulation.faults import Begin, Command, Hold, Late, Mass, SameIdOther, Stray
from tests.simulation.seen import AGAIN, OTHER, STRAY
from tests.simulation.shapes import Shape
from tests.simulation.strays import stray

MASS = 1_001


class Inputs:
    """Everyone who is no process of ours. `shapes` are those of the definitions, by number."""

    def __init__(self, shapes: Sequence[Shape], system: System, course: Course, partitions: int) -> None:
        self._shapes = shapes
        self._system = system
        self._cluster = system.cluster
        self._course = course
        self._partitions = partitions
        self._commands = 0
        self._strays = 0
        self._begun: dict[tuple[int, int], Begin] = {}

    def begin(self, fault: Begin) -> None:
        """A saga is started, as anyone would."""
        shape = self._shapes[fault.definition]
        self._begun[fault.definition, fault.saga] = fault
        event = shape.first_event(fault.saga, fault.turns_at, fault.way, fault.rounds, also=fault.also)
        self._course.note(f"start of {shape.saga_id(fault.saga)}, turns at {event.turns_at or 'no step'}")
        self._system.publish(event.event_type, event.model_dump())

    def begin_again(self, definition: int, saga: int) -> None:
        """The start of a saga is published once more, as it was; of one that has never been, as it might have been."""
        self.begin(self._begun.get((definition, saga), Begin(0, saga, definition=definition)))

    def begin_otherwise(self, fault: SameIdOther) -> None:
        """Somebody else publishes the normalised start, under an id that is not what intake would give it."""
        shape, begun = self._shapes[fault.definition], self._begun.get((fault.definition, fault.saga))
        turns_at, way, rounds = (begun.turns_at, begun.way, begun.rounds) if begun else (-1, 1, 1)
        event = shape.first_event(fault.saga, turns_at, way, rounds, also=begun is not None and begun.also)
        name, kind = shape.saga_id(fault.saga), event.event_type
        key = key_of(name).encode()
        envelope = Envelope(
            id=f"other-{name}-{fault.at}",
            type=kind,
            source="/somebody",
            time=rfc3339(self._system.clock.now()),
            subject=name,
            definition=shape.saga.name,
            version=shape.saga.version,
            content_type="application/json",
        )
        headers = [*to_headers(envelope), (OTHER, b"1")]
        value = event.model_dump_json().encode()
        self._write(
            Outgoing(kind, partition_of(key, self._partitions), key, value, headers), f"another start of {name}"
        )

    def emit_again(self, pick: int) -> None:
        """Somebody else publishes one of the sagas' records once more."""
        topics = [t for shape in self._shapes for t in shape.saga.events if t != shape.saga.starts_on.event_type]
        found = [record for topic in topics for record in self._cluster.records(topic)]
        records = [record for record in found if STRAY not in dict(record.headers)]
        if records:
            one = records[pick % len(records)]
            headers = [*one.headers, (AGAIN, b"1")]
            self._write(Outgoing(one.topic, one.partition, one.key, one.value, headers), f"{one.where} again")

    def go_astray(self, fault: Stray) -> None:
        """Somebody writes a record that is none."""
        self._strays += 1
        made = stray(self._cluster, self._shapes[fault.definition], self._strays, fault.kind, fault.pick)
        if made is not None:
            self._write(made, f"stray: {fault.kind} on {made.topic}[{made.partition}]")

    def command(self, fault: Command | Late) -> None:
        """A person's command about one saga."""
        shape = self._shapes[fault.definition]
        more = dict[str, str | None]()
        if fault.act in (Act.RETRY, Act.REDRIVE, Act.REWIND, Act.SKIP):
            more["step"] = shape.step(fault.step)
        if fault.act is Act.SKIP:
            event = shape.first_event(fault.saga)
            outcome = shape.saga.steps[fault.step % len(shape.saga.steps)].emits[0].event_type
            more |= {"outcome": outcome, "content": event.model_dump_json()}
        self._give(about(fault.act, shape.saga_id(fault.saga), "simulated", **more))

    def command_in_mass(self, fault: Mass) -> None:
        """A script gives a thousand commands at once."""
        name = self._shapes[fault.definition].saga_id(fault.saga)
        self._course.note(f"{MASS} commands to retry {name}")
        for number in range(MASS):
            give(self._cluster, f"mass-{fault.at}-{number}", about(Act.RETRY, name, f"number {number}"))

    def hold(self, fault: Hold) -> None:
        """A prefix, a step, or a definition is paused, and resumed so many turns later if that is to be."""
        shape = self._shapes[fault.definition]
        name = shape.saga.name
        scope = of_step(name, shape.step(fault.step)) if fault.step >= 0 else of_definition(name)
        if fault.prefix:
            scope = of_prefix(fault.prefix.replace("k", shape.letter, 1))
        self._give(SagaCommand(command=Act.PAUSE, scope=scope, author="simulation", reason=""))
        if fault.turns >= 0:
            resume = SagaCommand(command=Act.RESUME, scope=scope, author="simulation", reason="")
            self._course.after(fault.turns, lambda: self._give(resume))

    def _give(self, command: SagaCommand) -> None:
        self._commands += 1
        self._course.note(f"command {self._commands}: {command.command} {command.scope} {command.step or ''}")
        give(self._cluster, f"command-{self._commands}", command)

    def _write(self, record: Outgoing, what: str) -> None:
        """As a producer that is not ours; what the broker does not take is not written."""
        try:
            self._cluster.append_foreign(record)
        except ChoreographyError as error:
            what = f"{what}: {error}"
        self._course.note(what)
