"""A person's commands as records of `saga.commands`, each with the log time of the broker that takes it."""

from __future__ import annotations

from schemas import control
from schemas.codec import Codec
from schemas.envelope import AVRO, rfc3339
from schemas.events.commands import SagaCommand
from services.chassis.memory import MemoryCluster
from services.chassis.partitioner import partition_of
from services.chassis.records import Headers, Outgoing
from topology.topics import SAGA_COMMANDS

_codec = Codec((SagaCommand,))


def give(cluster: MemoryCluster, command_id: str, command: SagaCommand) -> None:
    """Put a command where the tracker reads it: one about a saga in its partition, a wider one in all."""
    saga_id = command.scope.removeprefix(control.SAGA) if command.scope.startswith(control.SAGA) else None
    partitions = len(cluster.topics[SAGA_COMMANDS])
    key = saga_id.rpartition("@")[0].encode() if saga_id else None
    headers = _headers(command_id, saga_id, cluster.clock.now())
    for number in range(partitions) if key is None else (partition_of(key, partitions),):
        cluster.append_foreign(Outgoing(SAGA_COMMANDS, number, key, _codec.encode(command), headers))


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
