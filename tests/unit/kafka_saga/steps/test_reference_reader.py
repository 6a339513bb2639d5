"""ReferenceReader: each fetched record comes to who asked for it, and what will not come is missing."""

from __future__ import annotations

import random

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.topics import TopicSpec
from kafka_saga.engine.work import Command, Delivery, Fetch, Missing, Mode
from kafka_saga.steps.reference_reader import FAR, PATIENCE, ReferenceReader
from kafka_saga.wire.step_commands import RecordReference
from tests.unit.kafka_saga.engine.given import delivery

TOPIC = "it.happened"


def cluster_with(*sizes: int) -> MemoryCluster:
    cluster = MemoryCluster(VirtualClock())
    cluster.admin().create_missing([TopicSpec(TOPIC, len(sizes), 1, {})])
    for number, size in enumerate(sizes):
        for value in range(size):
            cluster.topics[TOPIC][number].append(Outgoing(TOPIC, number, b"k", b"%d" % value, []), 0)
    return cluster


def asking(offset: int, partition: int = 0) -> Delivery:
    one = delivery(offset, mode=Mode.INLINE)
    one.command = Command("c", compensates=False, reference=RecordReference(TOPIC, partition, offset))
    return one


def found(references: ReferenceReader, turns: int = 50) -> list[Delivery]:
    return [one for _ in range(turns) for one in references.advance()]


def test_many_references_are_found_whatever_their_order() -> None:
    cluster = cluster_with(5 * FAR, 300)
    references = ReferenceReader(cluster, cluster.clock)
    wanted = [asking(offset) for offset in (0, 1, FAR - 1, 3 * FAR, 5 * FAR - 1, 7, 7)]
    wanted += [asking(offset, 1) for offset in (0, 299)]
    random.Random(4).shuffle(wanted)
    references.ask(Fetch(one) for one in wanted[:5])
    came = found(references, 1)
    references.ask(Fetch(one) for one in wanted[5:])
    came += found(references)

    assert {id(one) for one in came} == {id(one) for one in wanted}
    assert len(came) == len(wanted)
    for one in wanted:
        assert isinstance(one.cause, Record)
        assert one.command is not None
        assert one.cause.place == one.command.reference
    assert not references.is_running


def test_a_record_that_is_gone_is_missing_for_good() -> None:
    cluster = cluster_with(10)
    partition = cluster.topics[TOPIC][0]
    partition.entries = [entry for entry in partition.entries if entry.offset > 5]
    references = ReferenceReader(cluster, cluster.clock)
    gone, there = asking(3), asking(8)
    references.ask([Fetch(gone), Fetch(there)])
    found(references)

    assert gone.cause == Missing("there is no record at it.happened/0/3")
    assert isinstance(there.cause, Record)


def test_a_record_that_does_not_come_in_time_may_come_yet() -> None:
    cluster = cluster_with(10)
    clock = VirtualClock()
    references = ReferenceReader(cluster, clock)
    beyond = asking(10)
    references.ask([Fetch(beyond)])
    assert found(references) == []
    clock.advance(PATIENCE)

    assert found(references, 1) == [beyond]
    assert beyond.cause == Missing("it.happened/0/10 could not be read within 30 s", for_good=False)


def test_what_is_forgotten_is_not_read() -> None:
    cluster = cluster_with(10)
    references = ReferenceReader(cluster, cluster.clock)
    references.ask([Fetch(asking(3))])
    references.forget()

    assert found(references) == []
    assert not references.is_running
