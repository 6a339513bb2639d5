"""One process's way to the in-memory log: what it holds open, and whether the broker answers it at the moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.errors import UnavailableError
from services.chassis.memory import MemoryCluster
from services.chassis.memory.admin import MemoryAdmin
from services.chassis.memory.consumers import MemoryConsumer, MemoryReader
from services.chassis.memory.producers import MemoryProducer, MemoryPublisher
from services.chassis.port import Listener, TransactionInDoubtError
from services.chassis.records import Committed, Outgoing, Record, TopicPartition

AWAY = "the broker does not answer"


class Broker:
    """Whether the broker is there, for all processes alike."""

    def __init__(self) -> None:
        self.is_away = False


class Connection:
    """A cluster as one process sees it; see `services.chassis.port.Cluster`."""

    def __init__(self, cluster: MemoryCluster, broker: Broker) -> None:
        self._cluster = cluster
        self._broker = broker
        self._consumers: list[_Consumer] = []
        self._readers: list[_Reader] = []

    def consumer(
        self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None
    ) -> MemoryConsumer:
        """A new member of `group`."""
        consumer = _Consumer(self._cluster, self._broker, group, topics, listener)
        self._consumers.append(consumer)
        return consumer

    def producer(self, transactional_id: str) -> MemoryProducer:
        """A transactional producer that fences its predecessor."""
        if before := self._cluster.producers.get(transactional_id):
            before.fence()
        made = self._cluster.producers[transactional_id] = _Producer(self._cluster, self._broker)
        return made

    def reader(self) -> MemoryReader:
        """A reader without a group."""
        reader = _Reader(self._cluster, self._broker)
        self._readers.append(reader)
        return reader

    def publisher(self) -> MemoryPublisher:
        """A plain producer."""
        return self._cluster.publisher()

    def admin(self) -> MemoryAdmin:
        """Topics and offsets. Raises UnavailableError while the broker is away."""
        return _Admin(self._cluster, self._broker)

    def beat(self) -> None:
        """The process lives: its groups are told, as the client's own thread does between two polls."""
        for consumer in self._consumers:
            consumer.beat()

    def read(self, at: TopicPartition) -> int | None:
        """How far a partition has been read outside a group; none if nobody here reads it."""
        return max(
            (found for reader in self._readers if (found := reader.positions().get(at)) is not None), default=None
        )

    @property
    def assigned_at(self) -> int:
        """When the process was last given partitions, milliseconds UTC by the broker's clock."""
        return max((consumer.assigned_at for consumer in self._consumers), default=0)


class _Consumer(MemoryConsumer):
    def __init__(
        self, cluster: MemoryCluster, broker: Broker, group: str, topics: Sequence[str], listener: Listener
    ) -> None:
        super().__init__(cluster, cluster.group(group), topics, listener)
        self._broker = broker
        self.assigned_at = 0

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        self.assigned_at = self._cluster.clock.now()
        super().assign(positions)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        return [] if self._broker.is_away else super().poll(timeout, limit)


class _Producer(MemoryProducer):
    def __init__(self, cluster: MemoryCluster, broker: Broker) -> None:
        super().__init__(cluster)
        self._broker = broker

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        if self._broker.is_away:
            raise TransactionInDoubtError(AWAY)
        super().transact(outgoing, offsets, group)


class _Reader(MemoryReader):
    def __init__(self, cluster: MemoryCluster, broker: Broker) -> None:
        super().__init__(cluster)
        self._broker = broker

    def poll(self, timeout: float, limit: int) -> list[Record]:
        return [] if self._broker.is_away else super().poll(timeout, limit)


class _Admin(MemoryAdmin):
    def __init__(self, cluster: MemoryCluster, broker: Broker) -> None:
        super().__init__(cluster)
        self._broker = broker

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        if self._broker.is_away:
            raise UnavailableError(AWAY)
        return super().end_offsets(partitions)

    def undecided(self, partitions: Sequence[TopicPartition], before: int) -> Mapping[TopicPartition, int]:
        if self._broker.is_away:
            raise UnavailableError(AWAY)
        return super().undecided(partitions, before)
