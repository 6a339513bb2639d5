"""Static members (KIP-345): who comes back under the same instance goes on with what it had, and nobody else moves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kafka_saga.broker.port import Cluster, Listener, TransactionAbortedError
from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.errors import UnavailableError
from tests.support.driver import Driver, places, topic, unique
from tests.support.members import Member, turns


class _Named:
    """A log under test whose consumers are static."""

    def __init__(self, driver: Driver, instance: str) -> None:
        self._driver = driver
        self._instance = instance
        self.cluster = self

    def consumer(self, group: str, topics: Sequence[str], listener: Listener) -> object:
        """A static member."""
        return self._driver.cluster.consumer(group, topics, listener, self._instance)


def static(driver: Driver, group: str, topic: str, instance: str) -> Member:
    """A static member of a group."""
    return Member(_Named(driver, instance), group, [topic])  # type: ignore[arg-type]


def shared(driver: Driver, group: str, topic: str) -> tuple[Member, Member]:
    """Two static members, "a" and "b", that have a partition each."""
    first, second = static(driver, group, topic, "a"), static(driver, group, topic, "b")
    driver.eventually(lambda: len(first.assigned or ()) == len(second.assigned or ()) == 1, turns(first, second))
    return first, second


def test_who_comes_back_after_an_orderly_end_has_what_it_had_and_nobody_else_moves(driver: Driver) -> None:
    name, group = topic(driver), unique("group")
    first, second = shared(driver, group, name)
    had, moved = first.assigned, len(second.events)
    first.consumer.close()
    assert first.events[-1] == ("revoke", had)
    again = static(driver, group, name, "a")
    driver.eventually(lambda: again.assigned is not None, turns(again, second))
    assert again.assigned == had
    assert len(second.events) == moved
    again.consumer.close()
    second.consumer.close()


def test_a_member_is_fenced_by_a_later_one_of_its_instance(driver: Driver, cluster: Cluster) -> None:
    name, group = topic(driver), unique("group")
    first, second = shared(driver, group, name)
    had, stale = first.assigned or (), first.consumer.group_metadata()
    told, moved = len(first.events), len(second.events)
    successor = static(driver, group, name, "a")
    driver.eventually(lambda: successor.assigned == had, turns(successor, second))
    producer = cluster.producer(unique("producer"))
    with pytest.raises(TransactionAbortedError):
        producer.transact([], {had[0]: Committed(5)}, stale)
    with pytest.raises(UnavailableError):
        driver.eventually(lambda: False, first.turn)
    producer.transact([], {had[0]: Committed(6)}, successor.consumer.group_metadata())
    assert successor.consumer.committed(had) == {had[0]: Committed(6)}
    assert len(second.events) == moved
    for member in (first, successor, second):
        member.consumer.close()
    assert len(first.events) == told, "who is fenced is told nothing more"


def test_what_a_static_member_has_goes_to_the_others_when_its_session_has_ended(driver: Driver) -> None:
    name, group = topic(driver), unique("group")
    first, second = shared(driver, group, name)
    first.consumer.close()
    second.turn()
    assert second.assigned is not None
    driver.eventually(lambda: second.assigned == tuple(places(name, 2)), second.turn)
    second.consumer.close()


def test_a_static_member_keeps_its_place_among_the_others(driver: Driver) -> None:
    """The assignor takes static members in the order of their instances, so a rebalance moves nothing."""
    name, group = topic(driver), unique("group")
    late, early = static(driver, group, name, "b"), static(driver, group, name, "a")
    driver.eventually(lambda: len(late.assigned or ()) == len(early.assigned or ()) == 1, turns(late, early))
    assert (early.assigned, late.assigned) == ((TopicPartition(name, 0),), (TopicPartition(name, 1),))
    late.consumer.close()
    early.consumer.close()
