"""The runner as a state machine: whatever comes when, nothing is finished twice, lost, or out of its key's order."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from kafka_saga.broker.records import Committed, Record, TopicPartition
from kafka_saga.engine.offset_tracker import MAX_UNFINISHED, OffsetTracker
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Batch, Cancel, Delivery, Effect, Pause, Resume
from kafka_saga.errors import TopologyError
from tests.unit.kafka_saga.engine.given import RETURNED, AcceptAll, pumped, record

PARTITIONS = (0, 1)
KEYS = (b"a", b"b", b"c")


def at(partition: int) -> TopicPartition:
    return TopicPartition("it.happened", partition)


class Kafka:
    """What is on the log, what the group has committed, and which records' work is."""

    def __init__(self) -> None:
        self.log: dict[int, list[Record]] = {number: [] for number in PARTITIONS}
        self.committed: dict[TopicPartition, Committed] = {}
        self.finished: set[tuple[int, int]] = set()

    def write(self, partition: int, key: bytes, gap: int, *, is_dead: bool) -> None:
        entries = self.log[partition]
        offset = (entries[-1].offset if entries else -1) + 1 + gap
        plain = record(offset, key, partition)
        entries.append(Record(plain.topic, partition, offset, 0, key, b"dead" if is_dead else b"", []))

    def commit(self, batch: Batch) -> None:
        self.finish(ended.record for ended in batch.ended)
        self.committed.update(batch.offsets)
        for place in batch.offsets:
            assert self.undone(place) == self.unfinished(place.partition)

    def finish(self, records: Iterable[Record]) -> None:
        for one in records:
            assert (one.partition, one.offset) not in self.finished, f"{one.where} is finished twice"
            self.finished.add((one.partition, one.offset))

    def undone(self, place: TopicPartition) -> list[int]:
        """What the next owner would work on, by what is committed."""
        offset_tracker = OffsetTracker.restored(self.committed.get(place))
        first = self.committed[place].offset if place in self.committed else 0
        return [
            one.offset
            for one in self.log[place.partition]
            if one.offset >= first and offset_tracker.deliver(one.offset)
        ]

    def unfinished(self, partition: int) -> list[int]:
        """What is not finished in truth."""
        return [one.offset for one in self.log[partition] if (partition, one.offset) not in self.finished]


class Process(RuleBasedStateMachine):
    """One process of a group; the others do what it does not own."""

    def __init__(self) -> None:
        super().__init__()
        self.kafka = Kafka()
        self.runner = Runner(AcceptAll().roles, max_in_flight=3)
        self.assigned: dict[int, int] = {}
        self.paused: set[int] = set()
        self.running: list[Delivery] = []
        self.ended: set[tuple[int, int]] = set()

    # ---- what happens

    @rule(
        partition=st.sampled_from(PARTITIONS),
        keys=st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    )
    def write(self, partition: int, keys: list[tuple[bytes, int, bool]]) -> None:
        for key, gap, is_dead in keys:
            self.kafka.write(partition, key, gap, is_dead=is_dead and gap == 2)

    @precondition(lambda self: not self.assigned)
    @rule(partitions=st.sampled_from([(0,), (1,), (0, 1)]))
    def assign(self, partitions: tuple[int, ...]) -> None:
        committed = {at(number): self.kafka.committed.get(at(number)) for number in partitions}
        self._apply(self.runner.on_assign(committed))
        self.assigned = {number: found.offset if found else 0 for (_, number), found in committed.items()}
        self.paused = set(partitions)
        for number in partitions:
            self._apply(self.runner.on_restored(number, 0))

    @precondition(lambda self: self.assigned)
    @rule(limit=st.integers(1, 10))
    def read(self, limit: int) -> None:
        for number in self.assigned.keys() - self.paused:
            found = [one for one in self.kafka.log[number] if one.offset >= self.assigned[number]][:limit]
            if found:
                self.assigned[number] = found[-1].offset + 1
                self.runner.on_records(found)

    @rule()
    def work(self) -> None:
        while starts := self.runner.pump(0):
            for start in starts:
                self._starts(start.delivery)
        self._apply(self.runner.regulate())
        assert len(self.running) <= 3
        assert self.runner.in_flight == len(self.running)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        delivery = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.ended.add((delivery.record.partition, delivery.record.offset))
        self.runner.on_done(delivery, RETURNED, 0)

    @rule(is_taken=st.booleans())
    def commit(self, is_taken: bool) -> None:
        batch = self.runner.batch()
        if batch is not None and is_taken:
            self.kafka.commit(batch)
            self.runner.on_committed(batch)

    @rule(is_refused=st.booleans())
    def commit_one_by_one(self, is_refused: bool) -> None:
        """What follows a batch that Kafka does not take: each alone, the first perhaps as a failure instead."""
        batch = self.runner.batch()
        for position, ended in enumerate(batch.ended if batch else ()):
            instead = self.runner.refuse(ended, "too large", 0) if is_refused and position == 0 else ended
            assert instead is not None
            single = self.runner.single(instead)
            self.kafka.commit(single)
            self.runner.on_committed(single)

    @precondition(lambda self: self.assigned)
    @rule(is_lost=st.booleans(), is_aborted=st.booleans())
    def revoke(self, is_lost: bool, is_aborted: bool) -> None:
        batch = self.runner.batch(clean=True)
        if batch is not None and not (is_lost or is_aborted):
            self.kafka.commit(batch)
            self.runner.on_committed(batch)
        self.runner.on_revoke()
        self.assigned = {}

    @rule(partition=st.sampled_from(PARTITIONS), data=st.data())
    def another_process_works(self, partition: int, data: st.DataObject) -> None:
        """The partition's other owner finishes some of it, in any order, as the offset tracker says."""
        if partition in self.assigned:
            return
        offset_tracker = OffsetTracker.restored(self.kafka.committed.get(at(partition)))
        first = offset_tracker.committed()
        offset = first.offset if first else 0
        delivered = [
            one for one in self.kafka.log[partition] if one.offset >= offset and offset_tracker.deliver(one.offset)
        ]
        done = [one for one in delivered if data.draw(st.booleans())]
        for one in done:
            offset_tracker.finish(one.offset)
        if done and (committed := offset_tracker.committed()) is not None:
            self.kafka.finish(done)
            self.kafka.committed[at(partition)] = committed

    # ---- what must hold

    def teardown(self) -> None:
        """Once everything is ours and nothing goes wrong any more, everything is finished."""
        if self.assigned:
            self.revoke(is_lost=False, is_aborted=True)
        self.assign(PARTITIONS)
        for _ in range(10_000):
            if not any(self.kafka.unfinished(number) for number in PARTITIONS):
                break
            self.read(MAX_UNFINISHED)
            self.work()
            while self.running:
                delivery = self.running.pop()
                self.ended.add((delivery.record.partition, delivery.record.offset))
                self.runner.on_done(delivery, RETURNED, 0)
            self.commit(is_taken=True)
        assert {number: self.kafka.unfinished(number) for number in PARTITIONS} == {0: [], 1: []}
        assert self.runner.is_idle

    def _starts(self, delivery: Delivery) -> None:
        mine = delivery.record
        assert (mine.partition, mine.offset) not in self.kafka.finished, f"{mine.where} is started but finished"
        assert all(other.lane != delivery.lane for other in self.running), "two of a key run at once"
        for before in self.kafka.log[mine.partition]:
            if before.offset < mine.offset and before.key == mine.key and before.value != b"dead":
                place = (before.partition, before.offset)
                assert place in self.kafka.finished | self.ended, f"{mine.where} overtakes {before.where}"
        self.running.append(delivery)

    def _apply(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Pause(place):
                    self.paused.add(place.partition)
                case Resume(place):
                    self.paused.discard(place.partition)
                case Cancel(delivery):
                    self.running.remove(delivery)


TestRunner = Process.TestCase
TestRunner.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def fresh(max_in_flight: int = 16) -> Runner:
    runner = Runner(AcceptAll().roles, max_in_flight)
    runner.on_assign({at(0): None})
    runner.on_restored(0, 0)
    return runner


def test_a_processor_that_asks_for_handlers_has_to_be_given_their_policy() -> None:
    runner = Runner(Roles(AcceptAll()))
    runner.on_assign({at(0): None})
    runner.on_restored(0, 0)
    runner.on_records([record(0)])

    with pytest.raises(TopologyError, match=r"it.happened\[0\]@0 asks for a handler"):
        runner.pump(0)


def test_a_ledger_that_is_full_pauses_its_partition_until_there_is_room() -> None:
    runner = fresh(max_in_flight=1)
    runner.on_records(record(offset) for offset in range(MAX_UNFINISHED + 1))
    (start,) = pumped(runner)

    assert runner.regulate() == [Pause(at(0))]
    deliveries = [start.delivery]
    while deliveries:
        runner.on_done(deliveries.pop(), RETURNED, 0)
        batch = runner.batch()
        assert batch is not None
        runner.on_committed(batch)
        deliveries += [one.delivery for one in pumped(runner)]
    assert runner.regulate() == [Resume(at(0))]


def test_a_partition_that_stands_still_is_paused_and_is_no_work() -> None:
    runner = fresh()
    dead = (Record("it.happened", 0, offset, 0, b"k", b"dead", []) for offset in range(600))
    runner.on_records(dead)
    while pumped(runner) or runner.batch():
        if batch := runner.batch():
            runner.on_committed(batch)

    assert runner.quarantined() == (at(0),)
    assert runner.regulate() == [Pause(at(0))]
    assert runner.regulate() == []
    assert not runner.has_work


def test_a_stopping_runner_takes_nothing_more_and_commits_what_ends() -> None:
    runner = fresh()
    runner.on_records([record(0), record(1, b"other")])
    starts = pumped(runner)
    assert runner.on_stop() == [Pause(at(0))]
    runner.on_records([record(2, b"third")])

    assert pumped(runner) == []
    runner.on_done(starts[1].delivery, RETURNED, 0)
    batch = runner.batch()
    assert batch is not None
    assert batch.offsets[at(0)].offset == 0
