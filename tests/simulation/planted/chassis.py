"""Mistakes in the engine: what services and trackers commit, read and follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from msgspec.structs import replace

from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.broker.watermarks import Watermarks
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_CONTROL
from kafka_saga.engine import dispatch
from kafka_saga.engine.dispatch import Dispatch
from kafka_saga.engine.offset_tracker import OffsetTracker
from kafka_saga.engine.pending_commits import PendingCommits
from kafka_saga.engine.work import Batch, Delivery, Disturbance, Ended, Interrupt, Result, Warn
from kafka_saga.events.event import Event
from kafka_saga.steps import control_gates, outcomes, step_processor
from kafka_saga.steps.control_gates import Entries, Skipped
from kafka_saga.steps.control_gates import GateQuestion as Gated
from kafka_saga.steps.outcomes import Outcomes
from kafka_saga.steps.step_processor import StepProcessor
from kafka_saga.wire.control import ControlEntry
from kafka_saga.worker import log_clock
from kafka_saga.worker.log_clock import AskedWatermarks, LogClock
from kafka_saga.worker.state_restorer import StateRestorer
from kafka_saga.worker.worker import Worker
from tests.simulation.planted.replacing import Planted, replaced

# ---- what is committed


def offsets_before_outputs() -> AbstractContextManager[None]:
    """Records are committed as done before what they led to is written."""

    def transact(self: Worker, batch: Batch) -> None:
        group = self._consumer.group_metadata()
        self._producer.transact((), batch.offsets, group)
        self._producer.transact(batch.outgoing, {}, group)
        self.runner.on_committed(batch)

    return replaced(Worker, "_transact", transact)


def a_transaction_without_offsets() -> AbstractContextManager[None]:
    """What a task makes of itself is not fenced: who has lost it writes all the same."""

    def transact(self: Worker, batch: Batch) -> None:
        offsets = batch.offsets if batch.ended else {}
        self._producer.transact(batch.outgoing, offsets, self._consumer.group_metadata())
        self.runner.on_committed(batch)

    return replaced(Worker, "_transact", transact)


def a_changelog_record_lost() -> AbstractContextManager[None]:
    """Of several changes of keyed state in one transaction the last is not written."""
    right = PendingCommits._batch

    def batch(self: PendingCommits, *given: Any, **more: Any) -> Batch:
        made = right(self, *given, **more)
        if len(made.changelog) < 2:
            return made
        return replace(made, outgoing=made.outgoing[:-1])

    return replaced(PendingCommits, "_batch", batch)


def unfinished_work_committed_as_done() -> AbstractContextManager[None]:
    """The committed offset passes over records that are still worked on."""

    def committed(self: OffsetTracker, **_: Any) -> Committed | None:
        return None if self.next is None else Committed(self.next, f"1|r|{self.next}|")

    return replaced(OffsetTracker, "committed", committed)


def a_result_committed_after_its_task_has_gone() -> AbstractContextManager[None]:
    """What a handler returns is committed though its record has been done by another process meanwhile."""

    def on_done(self: Dispatch, delivery: Delivery, result: Result, now: int) -> None:
        if self._handlers is not None and self._running.pop(delivery.place, None) is delivery:
            self._ordering.leave(delivery)
            ended = self._handlers.on_result(delivery, result, now)
            if (task := self._tasks.running(delivery.record.partition)) is not None:
                self._end(ended, task)

    return replaced(Dispatch, "on_done", on_done)


# ---- what a process may have died of


def crash_counts_off_by_one() -> AbstractContextManager[None]:
    """A record is given up when two processes have died of it."""
    return replaced(dispatch, "GIVEN_UP_AT", 2)


def crash_counts_one_too_many() -> AbstractContextManager[None]:
    """A record is given up only when four processes have died of it."""
    return replaced(dispatch, "GIVEN_UP_AT", 4)


# ---- what control says


def control_read_too_late() -> AbstractContextManager[None]:
    """Only what is written after an assignment is followed."""
    right = StateRestorer.begin

    def begin(self: StateRestorer) -> None:
        right(self)
        if self._reader is not None:
            ends = self._cluster.admin().end_offsets(self._places())
            self._reader.assign({at: ends[at] if at.topic == SAGA_CONTROL else None for at in self._places()})

    return replaced(StateRestorer, "begin", begin)


def control_not_followed() -> AbstractContextManager[None]:
    """It is read at an assignment, and then no more."""

    def follow(self: StateRestorer) -> None:
        self._followed = ()

    return replaced(StateRestorer, "_follow", follow)


def old_epochs_not_skipped() -> AbstractContextManager[None]:
    """Services work on deliveries of epochs that are over."""
    right = control_gates.overtaken

    def overtaken(gating: Collection[ControlEntry], asked: Gated) -> Skipped | None:
        return right([replace(entry, floors={}) for entry in gating], asked)

    return replaced(control_gates, "overtaken", overtaken)


def a_pause_of_a_step_or_definition_ignored() -> AbstractContextManager[None]:
    """Services go on reading the topics of a step that is paused."""
    return replaced(step_processor, "standing_still", lambda *_: frozenset())


def a_prefix_pause_ignored() -> AbstractContextManager[None]:
    """Services park nothing for a key prefix that is paused."""
    right = control_gates._about

    def about(entries: Entries, saga_id: str) -> Any:
        return right(entries._replace(wide={}), saga_id)

    return replaced(control_gates, "_about", about)


def interrupt_never_sent() -> AbstractContextManager[None]:
    """A handler that is to be interrupted is only warned, and runs on."""
    right = StepProcessor.on_cancel

    def on_cancel(self: StepProcessor, delivery: Delivery) -> Disturbance | None:
        found = right(self, delivery)
        return Warn(delivery) if isinstance(found, Interrupt) else found

    return replaced(StepProcessor, "on_cancel", on_cancel)


# ---- what comes of a record


def a_start_not_remembered() -> AbstractContextManager[None]:
    """A start that comes again begins its saga again."""

    def turned_away(self: StepProcessor, *_: Any) -> None:
        return None

    return replaced(StepProcessor, "_turned_away", turned_away)


def a_by_product_lost() -> AbstractContextManager[None]:
    """Of the events that a handler returns only the outcome is emitted."""
    right = outcomes.declared

    def declared(delivery: Delivery, events: Sequence[object]) -> list[Event]:
        return right(delivery, events)[:1]

    return replaced(outcomes, "declared", declared)


def a_dead_letter_not_written() -> AbstractContextManager[None]:
    """A record that cannot be read ends without a dead letter."""
    right = Outcomes.dead

    def dead(self: Outcomes, *given: Any) -> Ended:
        ended = right(self, *given)
        ended.outgoing = [record for record in ended.outgoing if record.topic != DEAD_LETTERS]
        return ended

    return replaced(Outcomes, "dead", dead)


# ---- when rulings are made


def a_ruling_before_reading_on() -> AbstractContextManager[None]:
    """A ruling is made as soon as its time has come, whatever has not been read."""

    def ask(self: LogClock, numbers: Sequence[int]) -> None:
        for number in numbers:
            if (now := self.now(number)) is not None:
                self._asked[number] = AskedWatermarks(now, {})

    return replaced(LogClock, "_ask", ask)


def watermarks_that_are_the_last_stable_offset() -> AbstractContextManager[None]:
    """A ruling does not wait for records of transactions that are still open."""

    class LastStable(Watermarks):
        def ask(self, places: Sequence[TopicPartition], in_vain: str) -> Mapping[TopicPartition, int] | None:
            ends = super().ask(places, in_vain)
            log: Any = self._cluster
            return ends and {at: log._cluster.partition(at).last_stable for at in ends}

    return replaced(log_clock, "Watermarks", LastStable)


CHASSIS: Sequence[Planted] = (
    offsets_before_outputs,
    a_transaction_without_offsets,
    a_changelog_record_lost,
    unfinished_work_committed_as_done,
    a_result_committed_after_its_task_has_gone,
    crash_counts_off_by_one,
    crash_counts_one_too_many,
    control_read_too_late,
    control_not_followed,
    old_epochs_not_skipped,
    a_pause_of_a_step_or_definition_ignored,
    a_prefix_pause_ignored,
    interrupt_never_sent,
    a_start_not_remembered,
    a_by_product_lost,
    a_dead_letter_not_written,
    a_ruling_before_reading_on,
    watermarks_that_are_the_last_stable_offset,
)
