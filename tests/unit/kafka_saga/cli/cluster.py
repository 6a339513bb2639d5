"""A log in memory on which somebody answers commands or that notes its clients, and the consumer groups of a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.port import Admin, Consumer, Listener, Producer, Publisher, Reader
from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_LIFECYCLE
from kafka_saga.events.commands import SagaCommand
from kafka_saga.events.lifecycle import CommandAccepted, CommandRefused
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import Envelope, to_headers

COMMANDS = Codec((SagaCommand,))
ANSWERS = Codec((CommandAccepted, CommandRefused))

Judge = Callable[[SagaCommand, int], str | None]
"""Why a command is refused in a partition: empty, it is accepted; none, nobody answers."""


@dataclass(frozen=True)
class Answered:
    """A cluster on which each command is answered as soon as it is on the log."""

    log: MemoryCluster
    judge: Judge = lambda command, number: ""

    def consumer(self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None) -> Consumer:
        return self.log.consumer(group, topics, listener, instance)

    def producer(self, transactional_id: str) -> Producer:
        return _AnsweringProducer(self.log.producer(transactional_id), self.judge)

    def reader(self) -> Reader:
        return self.log.reader()

    def publisher(self) -> Publisher:
        return self.log.publisher()

    def admin(self) -> Admin:
        return self.log.admin()

    def commands(self) -> list[SagaCommand]:
        """What was asked for, in the order of the log."""
        return [command_of(record.value) for record in self.log.records(SAGA_COMMANDS)]


@dataclass(frozen=True)
class _AnsweringProducer:
    producer: Producer
    judge: Judge

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        self.producer.transact(outgoing, offsets, group)
        answers = [answer for record in outgoing for answer in self._answers(record)]
        self.producer.transact(answers, {}, None)

    def close(self) -> None:
        self.producer.close()

    def _answers(self, record: Outgoing) -> list[Outgoing]:
        command = command_of(record.value)
        why = self.judge(command, record.partition)
        return [] if why is None else [answer(command, record, why)]


@dataclass
class Members:
    """The consumer groups of a test: how many members, and what they have committed."""

    counts: dict[str, int] = field(default_factory=dict)
    offsets: dict[tuple[str, TopicPartition], Committed] = field(default_factory=dict)

    def members(self, groups: Sequence[str]) -> Mapping[str, int]:
        return {group: self.counts.get(group, 0) for group in groups}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        return {at: self.offsets[group, at] for at in partitions if (group, at) in self.offsets}


class Noted:
    """A reader that notes whether it was closed, and what it reads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.is_closed = False
        self.reads: Mapping[TopicPartition, int | None] = {}

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        self.reads = dict(positions)
        self._reader.assign(positions)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        return self._reader.poll(timeout, limit)

    def ended(self) -> frozenset[TopicPartition]:
        return self._reader.ended()

    def positions(self) -> Mapping[TopicPartition, int]:
        return self._reader.positions()

    def close(self) -> None:
        self.is_closed = True
        self._reader.close()


class Counted:
    """A cluster that notes the readers and admins it has made."""

    def __init__(self, log: MemoryCluster) -> None:
        self._log = log
        self.readers: list[Noted] = []
        self.admins = 0

    def reader(self) -> Reader:
        self.readers.append(Noted(self._log.reader()))
        return self.readers[-1]

    def admin(self) -> Admin:
        self.admins += 1
        return self._log.admin()

    def consumer(self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None) -> Consumer:
        return self._log.consumer(group, topics, listener, instance)

    def producer(self, transactional_id: str) -> Producer:
        return self._log.producer(transactional_id)

    def publisher(self) -> Publisher:
        return self._log.publisher()


def command_of(value: bytes | None) -> SagaCommand:
    """A command's record."""
    found = COMMANDS.decode(SagaCommand.event_type, value)
    assert isinstance(found, SagaCommand)
    return found


def answer(command: SagaCommand, record: Outgoing, why: str) -> Outgoing:
    """What the tracker says to a command: refused, if there is a why."""
    identity = dict(record.headers)["ce_id"].decode()
    said = {
        "saga_id": command.scope,
        "key": "k",
        "definition": "code_review",
        "version": 1,
        "at": 1,
        "command_id": identity,
        "command": command.command.value,
        "author": command.author,
        "reason": command.reason,
    }
    event = CommandRefused.model_validate({**said, "why": why}) if why else CommandAccepted.model_validate(said)
    envelope = Envelope(
        id=f"{identity}/{record.partition}",
        type=event.event_type,
        source="/tracker",
        time="2026-01-01T00:00:00Z",
        subject="k@r",
        definition="code_review",
        version=1,
    )
    return Outgoing(SAGA_LIFECYCLE, record.partition, b"k", ANSWERS.encode(event), to_headers(envelope))
