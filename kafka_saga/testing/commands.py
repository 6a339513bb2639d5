"""A person's commands as records of `saga.commands`, and what the tracker answers to them."""

from __future__ import annotations

from collections.abc import Iterable

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Headers, Outgoing, Record
from kafka_saga.definition.topics import SAGA_COMMANDS
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.lifecycle import CommandRefused
from kafka_saga.wire import control
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import AVRO, rfc3339
from kafka_saga.wire.ids import key_of

_codec = Codec((SagaCommand, CommandRefused))


def give(cluster: MemoryCluster, command_id: str, command: SagaCommand) -> None:
    """Put a command where the tracker reads it: one about a saga in its partition, a wider one in all."""
    saga_id = control.saga_in(command.scope)
    partitions = len(cluster.topics[SAGA_COMMANDS])
    value, headers = _codec.encode(command), _headers(command_id, saga_id, cluster.clock.now())
    key = key_of(saga_id).encode() if saga_id else None
    numbers = range(partitions) if key is None else (partition_of(key, partitions),)
    for number in numbers:
        cluster.append_foreign(Outgoing(SAGA_COMMANDS, number, key, value, headers))


def about(act: Act, saga_id: str, reason: str, **more: str | None) -> SagaCommand:
    """A command about one saga; `more` are the fields that some commands have (step, outcome, content)."""
    return SagaCommand(command=act, scope=control.of_saga(saga_id), author="test", reason=reason, **more)


def refusal(lifecycle: Iterable[Record], command_id: str) -> CommandRefused | None:
    """Of records of `saga.lifecycle` the one that refuses this command; none if it was not refused."""
    kind = ("ce_type", CommandRefused.event_type.encode())
    refused = (_codec.decode(CommandRefused.event_type, one.value) for one in lifecycle if kind in one.headers)
    return next((one for one in refused if isinstance(one, CommandRefused) and one.command_id == command_id), None)


def _headers(command_id: str, saga_id: str | None, now: int) -> Headers:
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", command_id.encode()),
        ("ce_type", SagaCommand.event_type.encode()),
        ("ce_source", b"/testing"),
        ("ce_time", rfc3339(now).encode()),
        ("content-type", AVRO.encode()),
    ]
    return [*headers, ("ce_subject", saga_id.encode())] if saga_id else headers
