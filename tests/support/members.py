"""Group members and readers that keep what they see, for contract tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kafka_saga.broker.reading import records_from
from kafka_saga.broker.records import Committed, Record, TopicPartition
from tests.support.driver import TURN, Driver, places

Partitions = tuple[TopicPartition, ...]


class Member:
    """A group member that begins at what is committed (else at the beginning), and keeps what it is told and gets."""

    def __init__(self, driver: Driver, group: str, topics: Sequence[str], *, resumes: bool = True) -> None:
        self.events: list[tuple[str, Partitions]] = []
        self.records: list[Record] = []
        self.assigned: Partitions | None = None
        self.committed: Mapping[TopicPartition, Committed] = {}
        self.starts_at: dict[TopicPartition, int] = {}
        self.when_revoked: Callable[[Partitions], None] = lambda _: None
        self._resumes = resumes
        self._fresh: Partitions = ()
        self.consumer = driver.cluster.consumer(group, topics, self)

    def turn(self) -> None:
        """Poll once; what was assigned in it is resumed after."""
        self.records += self.consumer.poll(TURN, 500)
        if self._resumes and self._fresh:
            self.consumer.resume(self._fresh)
        self._fresh = ()

    def values(self, at: TopicPartition | None = None) -> list[bytes | None]:
        """The values seen, in the order seen."""
        return [r.value for r in self.records if at is None or (r.topic, r.partition) == at]

    def on_assign(self, partitions: Sequence[TopicPartition]) -> None:
        self.events.append(("assign", tuple(sorted(partitions))))
        self.assigned = self._fresh = tuple(sorted(partitions))
        self.committed = self.consumer.committed(partitions)
        self.consumer.assign({at: self._start(at) for at in partitions})

    def on_revoke(self, partitions: Sequence[TopicPartition]) -> None:
        self.when_revoked(tuple(sorted(partitions)))
        self._gone("revoke", partitions)

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._gone("lost", partitions)

    def _gone(self, how: str, partitions: Sequence[TopicPartition]) -> None:
        self.events.append((how, tuple(sorted(partitions))))
        self.assigned, self._fresh = None, ()

    def _start(self, at: TopicPartition) -> int | None:
        if at in self.starts_at:
            return self.starts_at[at]
        return self.committed[at].offset if at in self.committed else None


def joined(driver: Driver, group: str, *topics: str) -> Member:
    """A member that has its partitions."""
    member = Member(driver, group, topics)
    driver.eventually(lambda: member.assigned is not None, member.turn)
    return member


def turns(*members: Member) -> Callable[[], None]:
    """Every member polls once."""

    def turn() -> None:
        for member in members:
            member.turn()

    return turn


def read_all(driver: Driver, topic: str, partitions: int) -> list[Record]:
    """Every committed record of a topic, partition by partition."""
    found = records_from(driver.cluster, dict.fromkeys(places(topic, partitions)))
    return sorted(found, key=lambda record: (record.partition, record.offset))


def values_in(driver: Driver, topic: str, partitions: int = 1) -> list[bytes | None]:
    """The values of a topic."""
    return [record.value for record in read_all(driver, topic, partitions)]


def sees(driver: Driver, topic: str, values: Sequence[bytes | None], partitions: int = 1) -> None:
    """A topic gets to hold these values, and no others: Kafka writes markers shortly after a commit has returned."""
    driver.eventually(lambda: values_in(driver, topic, partitions) == list(values), lambda: None)
