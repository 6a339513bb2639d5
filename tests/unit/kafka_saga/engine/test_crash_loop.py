"""After a process has died: what it may have died of starts with its crash count on the log, and not for ever."""

from __future__ import annotations

from kafka_saga.broker.records import Committed, Record, TopicPartition
from kafka_saga.engine.offset_tracker import MAX_UNFINISHED, Position, decode, encode
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Batch, CommitRequest, Crashed, Delivery, Ended, Mode, Result, Start
from tests.unit.kafka_saga.engine.given import RETURNED, AcceptAll, pumped, record

AT = TopicPartition("it.happened", 0)


class Remembering(AcceptAll):
    """A processor that remembers which result it was given of what."""

    def __init__(self, mode: Mode = Mode.ASYNC) -> None:
        super().__init__(mode)
        self.concluded: dict[int, Result] = {}

    def on_result(self, delivery: Delivery, result: Result, now: int) -> Ended:
        self.concluded[delivery.record.offset] = result
        return super().on_result(delivery, result, now)


def position(unfinished: dict[int, int], following: int, *, clean: bool = False) -> Committed:
    return Committed(min(unfinished, default=following), encode(Position(following, unfinished, clean)))


def taken_over(committed: Committed | None, end: int = 0, logic: AcceptAll | None = None, places: int = 16) -> Runner:
    """A process that has taken a partition over, which reaches to `end`."""
    runner = Runner((logic or AcceptAll()).roles, places)
    runner.on_assign({AT: committed})
    runner.on_restored(0, 0, {AT: end})
    return runner


def reads(runner: Runner, *offsets: int) -> None:
    """Each of a key of its own."""
    runner.on_records(record(offset, b"%d" % offset) for offset in offsets)


def offsets(starts: list[Start]) -> list[int]:
    return [start.delivery.record.offset for start in starts]


def commits(runner: Runner, *, clean: bool = False) -> Position:
    """What the next transaction says of the partition."""
    batch = runner.batch(clean=clean)
    assert batch is not None
    runner.on_committed(batch)
    return decode(batch.offsets[AT])


def ends(runner: Runner, start: Start) -> None:
    runner.on_done(start.delivery, RETURNED, 0)


def test_nothing_starts_before_the_log_says_that_its_partition_is_worked_on() -> None:
    for committed in (None, position({}, 0, clean=True)):
        runner = taken_over(committed)
        reads(runner, 0, 1)
        assert runner.pump(0) == []
        assert not runner.is_idle
        assert commits(runner) == Position(2, {0: 0, 1: 0})
        assert runner.has_work
        assert offsets(runner.pump(0)) == [0, 1]
        assert runner.batch() is None


def test_once_that_is_said_what_comes_starts_at_once() -> None:
    runner = taken_over(None)
    reads(runner, 0)
    pumped(runner)
    reads(runner, 1, 2)

    assert offsets(runner.pump(0)) == [1, 2]
    assert runner.batch() is None


def test_what_is_listed_by_one_that_died_starts_with_its_crash_on_the_log_all_of_it_together() -> None:
    runner = taken_over(position({3: 0, 5: 0}, 9))
    reads(runner, 3, 5, 9)
    assert offsets(runner.pump(0)) == [9], "it was written after"

    assert commits(runner) == Position(10, {3: 1, 5: 1, 9: 0})
    assert offsets(runner.pump(0)) == [3, 5]


def test_what_was_there_but_is_not_listed_may_have_been_taken_in_by_one_that_died() -> None:
    runner = taken_over(position({}, 4), end=6)
    reads(runner, 4, 5, 6)
    assert offsets(runner.pump(0)) == [6]
    assert commits(runner) == Position(7, {4: 1, 5: 1, 6: 0})


def test_no_more_is_suspected_than_a_process_takes_in_between_two_commits() -> None:
    runner = taken_over(position({}, 0), end=10_000, places=10_000)
    reads(runner, *range(MAX_UNFINISHED))
    counts = [commits(runner).unfinished.values() for _ in (runner.pump(0),)]
    for start in runner.pump(0):
        ends(runner, start)
    commits(runner)
    reads(runner, MAX_UNFINISHED)

    assert [set(count) for count in counts] == [{1}]
    assert offsets(runner.pump(0)) == [MAX_UNFINISHED]


def test_what_finds_no_place_is_not_counted() -> None:
    runner = taken_over(position(dict.fromkeys(range(5), 0), 5), places=2)
    reads(runner, *range(5))
    assert runner.pump(0) == []
    assert commits(runner) == Position(5, {0: 1, 1: 1, 2: 0, 3: 0, 4: 0})
    starts = runner.pump(0)
    assert offsets(starts) == [0, 1]
    ends(runner, starts[1])
    assert runner.pump(0) == []
    assert commits(runner) == Position(5, {0: 1, 2: 1, 3: 0, 4: 0})


def test_what_waits_behind_another_of_its_key_is_not_counted() -> None:
    runner = taken_over(position({0: 0, 1: 0}, 2))
    runner.on_records([record(0), record(1)])
    (start,) = pumped(runner)
    ends(runner, start)

    assert commits(runner) == Position(2, {1: 0})
    assert runner.pump(0) == []
    assert commits(runner) == Position(2, {1: 1})


def test_what_two_processes_died_of_perhaps_is_worked_on_while_no_other_suspect_is() -> None:
    runner = taken_over(position({0: 1, 1: 1, 2: 0}, 3))
    reads(runner, 0, 1, 2)
    (first,) = pumped(runner)
    assert first.delivery.record.offset == 0
    reads(runner, 3)
    assert offsets(runner.pump(0)) == [3], "it is no suspect"
    ends(runner, first)
    assert runner.pump(0) == []
    assert commits(runner).unfinished == {1: 2, 2: 0, 3: 0}
    (second,) = runner.pump(0)
    ends(runner, second)
    (third,) = pumped(runner)
    assert offsets([second, third]) == [1, 2]
    assert commits(runner).unfinished == {2: 1, 3: 0}


def test_what_three_processes_died_of_perhaps_is_failed_and_does_not_run() -> None:
    logic = Remembering()
    runner = taken_over(position({0: 2, 1: 1}, 2), logic=logic)
    reads(runner, 0, 1)

    assert offsets(pumped(runner)) == [1]
    assert logic.concluded == {0: Crashed(3)}
    assert commits(runner) == Position(2, {1: 2})


def test_after_a_clean_handover_nothing_is_suspected_and_no_count_is_lost() -> None:
    runner = taken_over(position({3: 2, 5: 1}, 9, clean=True), end=12)
    reads(runner, 3, 5, 9)
    assert runner.pump(0) == []

    assert commits(runner) == Position(10, {3: 2, 5: 1, 9: 0})
    assert offsets(runner.pump(0)) == [3, 5, 9]


def test_what_ends_without_a_handler_is_not_counted() -> None:
    runner = taken_over(position({0: 2}, 1))
    runner.on_records([Record("it.happened", 0, 0, 0, b"k", b"dead", [])])

    assert runner.pump(0) == []
    assert commits(runner) == Position(1, {})


def test_inline_handlers_are_counted_before_they_start_too() -> None:
    runner = taken_over(position({0: 0, 1: 1}, 2), logic=AcceptAll(Mode.INLINE))
    reads(runner, 0, 1)
    assert runner.pump(0) == []
    assert commits(runner) == Position(2, {0: 1, 1: 1})
    (start,) = runner.pump(0)
    ends(runner, start)
    assert runner.pump(0) == []
    assert commits(runner) == Position(2, {1: 2})
    assert offsets(runner.pump(0)) == [1]


def test_what_runs_on_through_a_rebalance_is_no_suspect_and_its_partition_is_said_to_be_worked_on() -> None:
    for clean in (True, False):
        runner = taken_over(None)
        reads(runner, 0)
        (start,) = pumped(runner)
        committed = position({0: 0}, 1, clean=clean)
        runner.on_revoke()
        runner.on_assign({AT: committed})
        runner.on_restored(0, 0, {AT: 1})
        reads(runner, 0)
        assert runner.pump(0) == []
        assert runner.in_flight == 1
        if clean:
            assert commits(runner) == Position(1, {0: 0})
        ends(runner, start)
        assert commits(runner) == Position(1, {})


def test_what_has_gone_before_its_count_was_committed_does_not_start() -> None:
    runner = taken_over(position({0: 0}, 1))
    reads(runner, 0)
    runner.pump(0)
    batch = runner.batch()
    assert batch is not None
    runner.on_revoke()
    assert runner.pump(0) == []
    runner.on_assign({AT: position({0: 0}, 1)})
    runner.on_restored(0, 0)
    reads(runner, 0)
    assert runner.pump(0) == []
    assert offsets(pumped(runner)) == [0]


def test_a_commit_that_does_not_succeed_lets_nothing_start() -> None:
    runner = taken_over(position({0: 0}, 1))
    reads(runner, 0)
    assert runner.pump(0) == []
    first = runner.batch()
    assert runner.pump(0) == []
    again = runner.batch()
    assert first is not None
    assert again is not None
    assert first.offsets == again.offsets
    runner.on_committed(again)
    assert offsets(runner.pump(0)) == [0]


def test_on_a_clean_handover_what_was_worked_on_is_said_to_be_so_no_more() -> None:
    runner = taken_over(None)
    reads(runner, 0, 1)
    starts = pumped(runner)
    ends(runner, starts[0])
    assert commits(runner) == Position(2, {1: 0})

    assert commits(runner, clean=True) == Position(2, {1: 0}, clean=True)


def test_on_a_clean_handover_nothing_is_said_of_what_was_not_touched() -> None:
    """Whoever comes next knows as much as this one did."""
    for committed in (None, position({0: 1}, 1), position({0: 1}, 1, clean=True)):
        assert taken_over(committed, end=5).batch(clean=True) is None


def test_what_is_committed_one_by_one_starts_too() -> None:
    runner = taken_over(position({0: 0, 1: 0}, 2))
    reads(runner, 0, 1)
    runner.pump(0)
    singles: list[Batch] = [runner.single(one) for one in runner.waiting() if isinstance(one, CommitRequest)]
    for single in singles:
        runner.on_committed(single)

    assert offsets(runner.pump(0)) == [0, 1]
