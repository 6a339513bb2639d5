"""One process's way to the in-memory log: what it holds open, and whether the broker answers it at the moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.admin import MemoryAdmin
from kafka_saga.broker.memory.consumers import MemoryConsumer, MemoryReader
from kafka_saga.broker.memory.producers import MemoryProducer, MemoryPublisher
from kafka_saga.broker.port import Listener, TransactionInDoubtError
from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.errors import UnavailableError

AWAY = "the broker does not answer"


class Broker:
    """Whether the broker is there, for all processes alike."""

    def __init__(self) -> None:
        self.is_away = False


Moment = tuple[int, int, int, bool]
"""The version of the log and its groups, the time (milliseconds UTC), a process's calls, the broker's absence."""


class Calls:
    """Counts the calls of one process that change or tell it something: all but polls that find nothing.

    The polls of a turn are kept in their order, with their limits, and whether partitions were assigned in it.
    """

    def __init__(self) -> None:
        self.number = 0
        self.polls: list[tuple[_Consumer | _Reader, int]] = []
        self.has_assigned = False

    def assigned(self) -> None:
        """A client has been given other partitions."""
        self.number += 1
        self.has_assigned = True

    def polled(self, client: _Consumer | _Reader, limit: int, found: int) -> None:
        """A poll has found so many records."""
        self.number += found
        self.polls.append((client, limit))


class Connection:
    """A cluster as one process sees it; see `kafka_saga.broker.port.Cluster`."""

    def __init__(self, cluster: MemoryCluster, broker: Broker) -> None:
        self._cluster = cluster
        self._broker = broker
        self._calls = Calls()
        self._consumers: list[_Consumer] = []
        self._readers: list[_Reader] = []

    def consumer(
        self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None
    ) -> MemoryConsumer:
        """A new member of `group`; static if it has an `instance`."""
        consumer = _Consumer(self._cluster, self._broker, self._calls, group, topics, listener, instance)
        self._consumers.append(consumer)
        return consumer

    def producer(self, transactional_id: str) -> MemoryProducer:
        """A transactional producer that fences its predecessor."""
        return self._cluster.initialized(_Producer(self._cluster, self._broker, self._calls, transactional_id))

    def reader(self) -> MemoryReader:
        """A reader without a group."""
        reader = _Reader(self._cluster, self._broker, self._calls)
        self._readers.append(reader)
        return reader

    def publisher(self) -> MemoryPublisher:
        """A plain producer."""
        return self._cluster.publisher()

    def admin(self) -> MemoryAdmin:
        """Topics and offsets. Raises UnavailableError while the broker is away."""
        return _Admin(self._cluster, self._broker, self._calls)

    def begin_turn(self) -> None:
        """Forget the polls and assignments of the turn before."""
        self._calls.polls.clear()
        self._calls.has_assigned = False

    @property
    def polls_again(self) -> bool:
        """Whether a process that goes on as it is polls as in the last turn: nothing was assigned, nobody asked twice.

        A client that is not to be polled any more loses its partitions.
        """
        polls = self._calls.polls
        return not self._calls.has_assigned and len({id(client) for client, _ in polls}) == len(polls)

    def polls_nothing(self) -> bool:
        """Poll as in the last turn, if that finds nothing and calls nobody; whether it was so."""
        for client, _ in self._calls.polls:
            if not client.has_nothing():
                return False
        if not self._broker.is_away:
            for client, limit in self._calls.polls:
                client.pass_over(limit)
        return True

    @property
    def calls(self) -> int:
        """How many calls of the process have changed or told it something."""
        return self._calls.number

    def beat(self) -> None:
        """The process lives: its groups are told, as the client's own thread does between two polls."""
        for consumer in self._consumers:
            consumer.beat()

    def read(self, at: TopicPartition) -> int | None:
        """How far a partition has been read outside a group; none if nobody here reads it."""
        known = [MemoryReader.positions(reader) for reader in self._readers]  # a look from outside is no call
        return max((positions[at] for positions in known if at in positions), default=None)

    @property
    def moment(self) -> Moment:
        """What a turn depends on besides the process itself, and the calls that say that it has done something."""
        return self._cluster.version.number, self._cluster.clock.now(), self._calls.number, self._broker.is_away

    @property
    def assigned_at(self) -> int:
        """When the process was last given partitions, milliseconds UTC by the broker's clock."""
        return max((consumer.assigned_at for consumer in self._consumers), default=0)


class _Consumer(MemoryConsumer):
    def __init__(
        self,
        cluster: MemoryCluster,
        broker: Broker,
        calls: Calls,
        group: str,
        topics: Sequence[str],
        listener: Listener,
        instance: str | None,
    ) -> None:
        super().__init__(cluster, cluster.group(group), topics, listener, instance)
        self._broker = broker
        self._calls = calls
        self.assigned_at = 0

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        self._calls.assigned()
        self.assigned_at = self._log.clock.now()
        super().assign(positions)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        found = [] if self._broker.is_away else super().poll(timeout, limit)
        self._calls.polled(self, limit, len(found))
        return found

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._calls.number += 1
        super().pause(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._calls.number += 1
        super().resume(partitions)

    def positions(self) -> Mapping[TopicPartition, int]:
        self._calls.number += 1
        return super().positions()


class _Producer(MemoryProducer):
    def __init__(self, cluster: MemoryCluster, broker: Broker, calls: Calls, transactional_id: str) -> None:
        super().__init__(cluster, transactional_id)
        self._broker = broker
        self._calls = calls

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        self._calls.number += 1
        if self._broker.is_away:
            raise TransactionInDoubtError(AWAY)
        super().transact(outgoing, offsets, group)


class _Reader(MemoryReader):
    def __init__(self, cluster: MemoryCluster, broker: Broker, calls: Calls) -> None:
        super().__init__(cluster)
        self._broker = broker
        self._calls = calls

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        self._calls.assigned()
        super().assign(positions)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        found = [] if self._broker.is_away else super().poll(timeout, limit)
        self._calls.polled(self, limit, len(found))
        return found

    def positions(self) -> Mapping[TopicPartition, int]:
        self._calls.number += 1
        return super().positions()


class _Admin(MemoryAdmin):
    def __init__(self, cluster: MemoryCluster, broker: Broker, calls: Calls) -> None:
        super().__init__(cluster)
        self._broker = broker
        self._calls = calls

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        self._call()
        return super().end_offsets(partitions)

    def undecided(self, partitions: Sequence[TopicPartition], before: int) -> Mapping[TopicPartition, int]:
        self._call()
        return super().undecided(partitions, before)

    def _call(self) -> None:
        self._calls.number += 1
        if self._broker.is_away:
            raise UnavailableError(AWAY)
