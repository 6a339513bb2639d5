"""The people of a run: they start sagas, give commands, and answer incidents, over a Kafka that comes and goes."""

from __future__ import annotations

import heapq
import time
from collections import Counter, deque
from collections.abc import Iterable
from random import Random

from confluent_kafka import KafkaError, Producer

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.kafka.errors import LOG
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import Reader
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.errors import UnavailableError
from kafka_saga.events.commands import SagaCommand
from kafka_saga.events.lifecycle import LIFECYCLE, CommandAccepted, CommandRefused, IncidentRaised
from kafka_saga.inspection.commands.sending import SentCommand, records_of
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.control import saga_in
from kafka_saga.wire.ids import key_of
from tests.chaos.traffic import Ask, Happening, Publish, answer

PATIENCE = 120.0
"""Seconds for which a record that Kafka does not take is sent again."""

ENDS = frozenset({"saga.completed", "saga.failed", "saga.cancelled"})

_codec = Codec(LIFECYCLE)


class People:
    """`begun` are the sagas whose start Kafka has confirmed."""

    def __init__(self, bootstrap: str, partitions: int, traffic: Iterable[Happening], seed: int) -> None:
        self.begun: set[str] = set()
        self.commands: Counter[str] = Counter()
        self.ended = 0
        self._traffic = deque(traffic)
        self._answers: list[tuple[float, int, SagaCommand]] = []
        self._chance = Random(f"people {seed}")
        self._answered: Counter[str] = Counter()
        self._partitions = partitions
        self._cluster = KafkaCluster({"bootstrap.servers": bootstrap})
        own = {"bootstrap.servers": bootstrap, "message.timeout.ms": round(PATIENCE * 1000), "linger.ms": 5}
        self._producer = Producer(own, logger=LOG)
        self._places: dict[TopicPartition, int | None] = {
            TopicPartition(SAGA_LIFECYCLE, number): None for number in range(partitions)
        }
        self._reader = self._listen()

    @property
    def is_done(self) -> bool:
        """Whether everything that was to happen has, and Kafka has all of it."""
        return not self._traffic and not self._answers and len(self._producer) == 0

    def turn(self, now: float, wait: float) -> None:
        """Do what is due at this second of the run, and hear for a moment what has become of sagas."""
        while self._traffic and self._traffic[0].at <= now:
            self._happen(self._traffic.popleft())
        while self._answers and self._answers[0][0] <= now:
            self._ask(heapq.heappop(self._answers)[2])
        self._producer.poll(0)
        for record in self._heard(wait):
            self._hear(record, now)

    def close(self) -> None:
        """No more."""
        self._producer.flush(10)
        self._reader.close()

    # ---- speaking

    def _happen(self, happening: Happening) -> None:
        match happening:
            case Publish(_, topic, value, saga):
                self._producer.produce(topic, value, on_delivery=lambda error, _: self._confirmed(saga, error))
            case Ask(_, command):
                self._ask(command)

    def _confirmed(self, saga: str | None, error: KafkaError | None) -> None:
        if saga is not None and error is None:
            self.begun.add(saga)

    def _ask(self, command: SagaCommand) -> None:
        self.commands["given"] += 1
        key = key_of(saga_in(command.scope) or "")
        is_wide = saga_in(command.scope) is None
        numbers = tuple(range(self._partitions)) if is_wide else (partition_of(key.encode(), self._partitions),)
        asked = SentCommand(f"chaos-{self.commands['given']}", command, numbers)
        for each in records_of(asked, round(time.time() * 1000)):
            headers: list[tuple[str, str | bytes | None]] = [*each.headers]
            self._producer.produce(each.topic, each.value, each.key, each.partition, headers=headers)

    # ---- hearing

    def _heard(self, wait: float) -> list[Record]:
        try:
            records = self._reader.poll(wait, 1_000)
        except UnavailableError:  # a client that has seen a broker end may be of no use any more
            self._reader.close()
            self._reader = self._listen()
            return []
        self._places.update(self._reader.positions())
        return records

    def _hear(self, record: Record, now: float) -> None:
        kind = (dict(record.headers).get("ce_type") or b"").decode()
        self.ended += kind in ENDS
        if kind not in {IncidentRaised.event_type, CommandAccepted.event_type, CommandRefused.event_type}:
            return
        match _codec.decode(kind, record.value):
            case IncidentRaised() as incident:
                self._hear_of(incident, now)
            case told:
                self.commands[told.event_type.removeprefix("saga.command_")] += 1

    def _hear_of(self, incident: IncidentRaised, now: float) -> None:
        command = answer(incident, self._answered[incident.saga_id], self._chance)
        self._answered[incident.saga_id] += 1
        if command is not None:
            at = now + self._chance.uniform(0.1, 4)
            heapq.heappush(self._answers, (at, self._answered.total(), command))

    def _listen(self) -> Reader:
        reader = self._cluster.reader()
        reader.assign(self._places)
        return reader
