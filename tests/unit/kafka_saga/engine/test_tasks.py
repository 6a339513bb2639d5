"""Tasks: a partition number runs when all of its topics are here and its stores are restored."""

from __future__ import annotations

from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.engine.offset_tracker import Position, encode
from kafka_saga.engine.state_store import StoreSpec
from kafka_saga.engine.tasks import Phase, Tasks
from tests.unit.kafka_saga.engine.given import record

BOTH = ("a", "b")


def assigned(*places: tuple[str, int]) -> Tasks:
    tasks = Tasks(BOTH, (StoreSpec("log", bytes, bytes),))
    tasks.assign({TopicPartition(topic, number): None for topic, number in places})
    return tasks


def test_a_task_with_all_of_its_topics_waits_for_its_stores_and_then_runs() -> None:
    tasks = assigned(("a", 0), ("b", 0))

    assert [task.number for task in tasks.restoring()] == [0]
    assert tasks.running(0) is None
    task = tasks.start(0)
    assert task is not None
    assert task is tasks.running(0)
    assert tasks.working_on() == (0,)
    assert tasks.restoring() == ()
    assert list(task.stores) == ["log"]


def test_a_task_that_lacks_a_topic_never_starts() -> None:
    tasks = assigned(("a", 0), ("a", 1), ("b", 1))

    assert tasks.incomplete() == (0,)
    assert tasks.start(0) is None
    assert tasks.assigned(0) is not None


def test_a_task_that_has_gone_does_not_start() -> None:
    tasks = assigned(("a", 0), ("b", 0))
    tasks.revoke()

    assert tasks.start(0) is None
    assert tasks.assigned(0) is None
    assert tasks.partitions() == []


def test_each_topic_has_its_own_ledger_restored_from_what_was_committed() -> None:
    tasks = Tasks(BOTH, ())
    committed = Committed(3, encode(Position(9, {3: 0})))
    tasks.assign({TopicPartition("a", 0): committed, TopicPartition("b", 0): None})

    assert tasks.offset_tracker(record(0, topic="a")).next == 9
    assert tasks.offset_tracker(record(0, topic="b")).next is None
    assert tasks.tasks[0].phase is Phase.RESTORING
    assert sorted(tasks.partitions()) == [("a", 0), ("b", 0)]
