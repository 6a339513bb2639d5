"""What the tracker writes for services: commands to a step, and entries of control."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.wire.control import ControlEntry, Hold, encode
from kafka_saga.wire.envelope import to_headers
from kafka_saga.wire.step_commands import (
    COMPENSATE,
    CONTROL_REVISION,
    EXECUTE,
    REFERENCE,
    RecordReference,
    reference_text,
)
from tests.support.driver import unique
from tests.support.example import PARTITIONS
from tests.support.rig import envelope

HELD = Hold("ada", "the bank is closed", 1)


@dataclass(frozen=True)
class Command:
    """A command about an event that lies on the log."""

    about: Record
    step: str
    attempt: int = 2
    epoch: int = 0
    revision: int | None = None
    offset: int | None = None
    ce_id: str = ""

    def execute(self) -> Outgoing:
        """Run the step again."""
        return self._record(EXECUTE)

    def compensate(self) -> Outgoing:
        """Undo what the step has done."""
        return self._record(COMPENSATE)

    def _record(self, kind: str) -> Outgoing:
        cause = envelope(self.about)
        command = replace(
            cause,
            id=self.ce_id or unique("command"),
            type=kind,
            causation_id=cause.id,
            step=self.step,
            attempt=self.attempt,
            epoch=self.epoch,
        )
        record = self.about
        reference = RecordReference(
            record.topic, record.partition, record.offset if self.offset is None else self.offset
        )
        headers = [*to_headers(command), (REFERENCE, reference_text(reference).encode())]
        if self.revision is not None:
            headers.append((CONTROL_REVISION, b"%d" % self.revision))
        return Outgoing(f"{self.step}.work", record.partition, record.key, None, headers)


def control(scope: str, entry: ControlEntry | None, key: str) -> Outgoing:
    """An entry (none: its end) in the partition of a business key."""
    return in_partition(partition_of(key.encode(), PARTITIONS), scope, entry)


def in_partition(number: int, scope: str, entry: ControlEntry | None) -> Outgoing:
    """An entry of a wide scope, in one partition."""
    return Outgoing(SAGA_CONTROL, number, scope.encode(), None if entry is None else encode(entry), [])
