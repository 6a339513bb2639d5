"""Commands of people as read from `saga.commands`: what they are about, and what is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.model import Saga
from kafka_saga.engine.outgoing import dead_letter
from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.events.commands import SAME_AGAIN, Act, SagaCommand, other_command
from kafka_saga.tracker.control_entries import paused, resumed
from kafka_saga.tracker.core.decisions import Accepted, Refused
from kafka_saga.tracker.core.facts import CommandFact
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.control import PREFIX, SERVICE, ControlEntry, Hold, Scope, of_saga, parsed, remembered, saga_in
from kafka_saga.wire.envelope import JSON
from kafka_saga.wire.ids import id_of, key_of, report_id

NAME = "tracker"

MAX_ANSWERED = 20
"""Of so many of a scope's last commands the ids are kept, by which one that comes again is known."""


class Wrong(NamedTuple):
    """What is no command goes to the dead letters."""

    letter: Outgoing


Read = CommandFact | SagaCommand | Refused | Wrong
"""About one saga, about a wider scope, refused at once, or no command at all."""


class CommandReader:
    """Reads the commands that concern these definitions."""

    def __init__(self, definitions: Sequence[Saga], partitions: int) -> None:
        self._partitions = partitions
        self._definitions = {saga.name: saga for saga in definitions}
        self._codec = Codec((SagaCommand,))
        self._outcomes = Codec(
            {event.event_type: event for saga in definitions for event in saga.events.values()}.values()
        )

    def read(self, record: Record) -> Read:
        """What a record asks for."""
        try:
            command = self._decoded(record)
            saga_id = saga_in(command.scope)
            if saga_id is None:
                return self._wide(record, command)
            self._check_place(record, saga_id)
        except DecodeError as error:
            return Wrong(dead_letter(record, error, NAME))
        if why := self._wrong_content(command):
            return _refused(record, command, why)
        return CommandFact(command_id(record), saga_id, record.partition, record.offset, record.timestamp, command)

    def answer(
        self, command: SagaCommand, record: Record, before: ControlEntry | None, revision: int
    ) -> tuple[ControlEntry | None, Accepted | Refused]:
        """What becomes of the entry of a wide scope (none: nothing), and what is said about it."""
        identity = command_id(record)
        known = before.answered if before is not None else {}
        if identity in known:
            is_same = known[identity] == command.fingerprint
            return None, _refused(record, command, SAME_AGAIN if is_same else other_command(identity))
        entry, answer = self._answer(command, record, before, revision)
        if entry is None:
            return None, answer
        return replace(entry, answered=remembered(known, identity, command.fingerprint, MAX_ANSWERED)), answer

    def _answer(
        self, command: SagaCommand, record: Record, before: ControlEntry | None, revision: int
    ) -> tuple[ControlEntry | None, Accepted | Refused]:
        said = Hold(command.author, command.reason, record.timestamp)
        accepted = Accepted(said.at, command_id(record), command.command.value, command.author, command.reason)
        match command.command:
            case Act.PAUSE:
                entry = paused(before, revision, said)
                return entry, accepted if entry else _refused(record, command, f"{command.scope} is paused already")
            case Act.RESUME:
                entry = resumed(before, revision, said)
                return entry, accepted if entry else _refused(record, command, f"{command.scope} is not paused")
            case _:
                return ControlEntry(revision), accepted

    def refusal(self, record: Record, why: str) -> Refused | None:
        """What is said of a command that cannot be obeyed; none if it is no command."""
        try:
            return _refused(record, self._decoded(record), why)
        except DecodeError:
            return None

    def subject(self, record: Record, number: int) -> SagaState:
        """Whom an answer is about that is no saga's: the scope, in this partition."""
        try:
            scope = self._decoded(record).scope
        except DecodeError:
            scope = of_saga("")
        saga_id = saga_in(scope)
        return SagaState(id_of(scope, str(number)) if saga_id is None else saga_id, "", 1, number)

    def _decoded(self, record: Record) -> SagaCommand:
        content_type = dict(record.headers).get("content-type")
        declared = content_type.decode(errors="replace") if content_type else None
        command = self._codec.decode(SagaCommand.event_type, record.value, declared)
        if not isinstance(command, SagaCommand):
            raise DecodeError(DecodeProblem.WRONG_TYPE, "value", "is no command")
        return command

    def _wide(self, record: Record, command: SagaCommand) -> SagaCommand | Refused:
        """A command about more than one saga, if it can be one."""
        if why := self._wrong_scope(command):
            return _refused(record, command, why)
        return command

    def _wrong_scope(self, command: SagaCommand) -> str | None:
        act = command.command
        try:
            scope = parsed(command.scope)
        except ValueError as error:
            return f"the scope {command.scope!r} {error}"
        if scope.kind == SERVICE:
            return None if act is Act.CONTINUE else f"{act.value} takes no service"
        if act not in {Act.PAUSE, Act.RESUME}:
            return f"{act.value} takes one saga: give a command for each"
        return None if scope.kind == PREFIX else self._unknown(scope)

    def _unknown(self, scope: Scope) -> str | None:
        """What is not known of a definition's or a step's scope."""
        saga = self._definitions.get(scope.name)
        if saga is None:
            return f"the tracker knows no definition {scope.name!r}, only {', '.join(self._definitions)}"
        if scope.step is not None and scope.step not in saga.steps_by_name:
            return f"{scope.name} has no step {scope.step!r}; its steps are {', '.join(saga.steps_by_name)}"
        return None

    def _wrong_content(self, command: SagaCommand) -> str | None:
        """Why the outcome that a skipped step is given is none."""
        if command.command is Act.CONTINUE:
            return "continue takes a service"
        if command.command is not Act.SKIP or command.outcome is None or command.content is None:
            return None
        try:
            self._outcomes.decode(command.outcome, command.content.encode(), JSON)
        except (DecodeError, KeyError) as error:
            return f"the content is no {command.outcome}: {error}"
        return None

    def _check_place(self, record: Record, saga_id: str) -> None:
        key = key_of(saga_id).encode()
        right = partition_of(key, self._partitions)
        if not key or record.partition != right:
            what = f"is {record.partition}, but the saga's is {right}: give the record the saga's business key"
            raise DecodeError(DecodeProblem.WRONG_TYPE, "partition", what)


def command_id(record: Record) -> str:
    """The id by which a command is known again; of one that has none, of its record."""
    given = dict(record.headers).get("ce_id")
    if given:
        return given.decode(errors="replace")[:200]
    return report_id(record.topic, record.partition, record.offset, "", "command")


def _refused(record: Record, command: SagaCommand, why: str) -> Refused:
    return Refused(record.timestamp, command_id(record), command.command.value, command.author, command.reason, why)
