"""Restoring: a broker that gives no answer is asked again, later, by a new client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.admin import MemoryAdmin
from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.broker.watermarks import PAUSE
from kafka_saga.definition.topics import topics
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Resume
from kafka_saga.errors import UnavailableError
from kafka_saga.worker.service import Service
from kafka_saga.worker.state_restorer import StateRestorer
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS


class Forgetful(MemoryAdmin):
    """An admin client that the broker refuses."""

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        raise UnavailableError("Leader epoch is older than broker epoch")


class Restarted(MemoryCluster):
    """A cluster whose first admin client is refused for ever."""

    admins = 0

    def admin(self) -> MemoryAdmin:
        self.admins += 1
        return Forgetful(self) if self.admins == 1 else super().admin()


def test_who_is_refused_asks_again_later_with_a_new_client() -> None:
    clock = VirtualClock()
    cluster = Restarted()
    MemoryCluster.admin(cluster).create_missing(topics(CHAIN, 1))
    runner = Runner(Service("one", {CHAIN: {"one": HANDLERS["one"]}}).roles(1))
    restoration = StateRestorer(cluster, runner, clock)
    topics_of_one = [TopicPartition("chain.started", 0), TopicPartition("one.work", 0)]
    nothing: Committed | None = None
    runner.on_assign(dict.fromkeys(topics_of_one, nothing))
    restoration.begin()

    assert [restoration.advance() for _ in range(3)] == [[], [], []]
    assert (cluster.admins, restoration.is_running) == (1, True)

    clock.advance(PAUSE)
    assert restoration.advance() == [Resume(at) for at in topics_of_one]
    assert (cluster.admins, restoration.is_running) == (2, False)
