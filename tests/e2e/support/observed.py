"""What is on the log, as a read-committed consumer sees it, and how far the services' groups are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.records import Committed, Record, TopicPartition
from kafka_saga.engine.offset_tracker import decode
from kafka_saga.wire.envelope import Envelope, from_mapping, names_a_saga

TURN = 0.05
"""Seconds that one look at the log may wait for a record."""


class Log:
    """Follows topics from their beginning; call `follow` again and again."""

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        self.records: defaultdict[str, list[Record]] = defaultdict(list)
        self._cluster = KafkaCluster({"bootstrap.servers": bootstrap})
        counts = self._cluster.admin().partitions(topics)
        missing = sorted(set(topics) - set(counts))
        assert not missing, f"no such topics: {missing}"
        self.partitions = [TopicPartition(topic, number) for topic, count in counts.items() for number in range(count)]
        self._reader = self._cluster.reader()
        self._reader.assign(dict.fromkeys(self.partitions))

    def follow(self) -> None:
        """Take in what has come, waiting a moment for it."""
        for record in self._reader.poll(TURN, 5_000):
            self.records[record.topic].append(record)

    @property
    def has_caught_up(self) -> bool:
        """Whether everything that was there has been read."""
        return self._reader.ended() >= set(self.partitions)

    def events(self, topic: str, prefix: str = "") -> list[tuple[Envelope, Record]]:
        """The enveloped records of a topic whose saga's id begins with `prefix`; raw starts have no envelope."""
        named = ((dict(record.headers), record) for record in self.records[topic])
        found = ((from_mapping(headers), record) for headers, record in named if names_a_saga(headers))
        return [(envelope, record) for envelope, record in found if envelope.subject.startswith(prefix)]

    def sagas(self, topic: str, prefix: str = "") -> set[str]:
        """The ids of the sagas that have an event on a topic."""
        return {envelope.subject for envelope, _ in self.events(topic, prefix)}

    def close(self) -> None:
        self._reader.close()


class Groups:
    """What Kafka knows of consumer groups."""

    def __init__(self, bootstrap: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def members(self, group: str) -> dict[str, set[int]]:
        """The partition numbers of each member, by its client id; empty while a rebalance is under way."""
        future = self._admin.describe_consumer_groups([group], request_timeout=10)[group]
        try:
            found = future.result(10)
        except KafkaException:
            return {}
        if found.state.name != "STABLE":
            return {}
        return {
            member.client_id: {place.partition for place in member.assignment.topic_partitions}
            for member in found.members
        }

    def state(self, group: str) -> str:
        """`STABLE`, `EMPTY`, ..."""
        return str(self._admin.describe_consumer_groups([group], request_timeout=10)[group].result(10).state.name)

    def open_records(self, group: str, topics: Iterable[str], partitions: int) -> dict[str, str]:
        """What the group has not committed as done, by partition, as text; empty when everything is."""
        places = [Place(topic, number) for topic in topics for number in range(partitions)]
        request = ConsumerGroupTopicPartitions(group, places)
        answer = self._admin.list_consumer_group_offsets([request])[group].result(10)
        found: dict[str, str] = {}
        for place in answer.topic_partitions:
            position = decode(Committed(place.offset, place.metadata or ""))
            if position.unfinished:
                found[f"{place.topic}[{place.partition}]"] = f"{dict(position.unfinished)} below {position.next}"
        return found


def publish(bootstrap: str, topic: str, values: Iterable[bytes]) -> None:
    """Write plain records, with neither key nor headers, as anybody would."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0
