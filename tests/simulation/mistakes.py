"""Known mistakes, to be planted one by one: each replaces one function of the chassis or the tracker by a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from msgspec.structs import replace

from services.chassis.commits import Commits
from services.chassis.horizon import Asked, Horizon
from services.chassis.offsets import Ledger
from services.chassis.records import Committed
from services.chassis.restoration import Restoration
from services.chassis.runner import Runner
from services.chassis.steps import StepLogic
from services.chassis.work import Batch, Delivery, Result
from services.chassis.worker import Worker
from services.tracker import logic
from services.tracker.core import agenda, debts, pauses, rulings, sending
from services.tracker.core.debts import Debt
from services.tracker.core.outline import Outline
from services.tracker.core.state import EventRef, Run, SagaState, StepStatus
from services.tracker.logic import TrackerLogic
from services.tracker.work import work_of
from topology.topics import SAGA_CONTROL

Planted = Callable[[], AbstractContextManager[None]]


@contextmanager
def replaced(owner: Any, name: str, wrong: Any) -> Iterator[None]:
    """`owner.name` is `wrong` for a while."""
    right = getattr(owner, name)
    setattr(owner, name, wrong)
    try:
        yield
    finally:
        setattr(owner, name, right)


def offsets_before_outputs() -> AbstractContextManager[None]:
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
    right = Commits._batch

    def batch(self: Commits, *given: Any, **more: Any) -> Batch:
        made = right(self, *given, **more)
        if len(made.changelog) < 2:
            return made
        return Batch(made.ended, made.outgoing[:-1], made.changelog, made.offsets, made.made)

    return replaced(Commits, "_batch", batch)


def unfinished_work_committed_as_done() -> AbstractContextManager[None]:
    def committed(self: Ledger, **_: Any) -> Committed | None:
        return None if self.next is None else Committed(self.next, f"1|r|{self.next}|")

    return replaced(Ledger, "committed", committed)


def a_result_committed_after_its_task_has_gone() -> AbstractContextManager[None]:
    def on_done(self: Runner, delivery: Delivery, result: Result, now: int) -> None:
        if self._running.pop(delivery.place, None) is delivery:
            self._lanes.leave(delivery)
            ended = self._logic.conclude(delivery, result, now)
            if (task := self._tasks.running(delivery.record.partition)) is not None:
                self._end(ended, task)

    return replaced(Runner, "on_done", on_done)


def control_read_too_late() -> AbstractContextManager[None]:
    """Only what is written after an assignment is heeded."""
    right = Restoration.begin

    def begin(self: Restoration) -> None:
        right(self)
        if self._reader is not None:
            ends = self._cluster.admin().end_offsets(self._places())
            self._reader.assign({at: ends[at] if at.topic == SAGA_CONTROL else None for at in self._places()})

    return replaced(Restoration, "begin", begin)


def control_not_followed() -> AbstractContextManager[None]:
    """It is read at an assignment, and then no more."""

    def follow(self: Restoration) -> None:
        self._followed = ()

    return replaced(Restoration, "_follow", follow)


def a_command_that_its_own_rulings_cancel_does_not_stop() -> AbstractContextManager[None]:
    """It knows of the entry that is written beside it, as if it had been sent after the saga was cancelled."""
    right = work_of

    def wrong(state: SagaState, decision: Any, revision: int, now: int) -> Any:
        return right(state, decision, revision + 60_000, now)

    return replaced(logic, "work_of", wrong)


def a_start_not_remembered() -> AbstractContextManager[None]:
    def turned_away(self: StepLogic, *_: Any) -> None:
        return None

    return replaced(StepLogic, "_turned_away", turned_away)


def a_ruling_before_reading_on() -> AbstractContextManager[None]:
    def ask(self: Horizon, numbers: Sequence[int]) -> None:
        for number in numbers:
            if (now := self.now(number)) is not None:
                self._asked[number] = Asked(now, {})

    return replaced(Horizon, "_ask", ask)


def a_deadline_by_the_trackers_own_clock() -> AbstractContextManager[None]:
    """It fires without reading on, by a clock that is no broker's."""
    right = TrackerLogic.make

    def make(self: TrackerLogic, number: int, stores: Any, now: int) -> Any:
        if book := self._books.get(number):
            book.until = max(book.until, now)
        return right(self, number, stores, now)

    return replaced(TrackerLogic, "make", make)


def compensation_in_the_wrong_order() -> AbstractContextManager[None]:
    return replaced(agenda, "debts", lambda state, plan: debts.debts(state, plan)[::-1])


def a_late_outcome_forgotten() -> AbstractContextManager[None]:
    right = debts._is_owed

    def is_owed(event: EventRef, state: SagaState, plan: Outline, *, is_over: bool) -> bool:
        undo = state.undo
        is_late = undo is not None and undo.settled_at is not None and event.at > undo.settled_at
        return not is_late and right(event, state, plan, is_over=is_over)

    return replaced(debts, "_is_owed", is_owed)


def a_compensation_sent_again_while_it_runs() -> AbstractContextManager[None]:
    return replaced(Debt, "is_live", False)


def an_attempt_counted_twice() -> AbstractContextManager[None]:
    right = sending.execute

    def execute(state: SagaState, step: str, run: Run, at: int, *, fresh: bool) -> Any:
        return right(state, step, replace(run, attempt=run.attempt + 1), at, fresh=fresh)

    return replaced(rulings, "execute", execute)


def a_parked_record_dropped() -> AbstractContextManager[None]:
    right = agenda._again_at
    return replaced(agenda, "_again_at", lambda run: None if run.status is StepStatus.PARKED else right(run))


def an_execute_before_the_delivery_has_ended() -> AbstractContextManager[None]:
    right = agenda._again_at

    def again_at(run: Run) -> tuple[int, int] | None:
        is_slow = run.status in {StepStatus.QUEUED, StepStatus.RUNNING} and run.attempt < 3
        return (run.at, 5_000) if is_slow else right(run)

    return replaced(agenda, "_again_at", again_at)


def pauses_that_stop_no_clock() -> AbstractContextManager[None]:
    return replaced(pauses, "due_at", lambda since, length, intervals: since + length)


MISTAKES: Mapping[str, Planted] = {
    mistake.__name__: mistake
    for mistake in (
        offsets_before_outputs,
        a_transaction_without_offsets,
        a_changelog_record_lost,
        unfinished_work_committed_as_done,
        a_result_committed_after_its_task_has_gone,
        control_read_too_late,
        control_not_followed,
        a_command_that_its_own_rulings_cancel_does_not_stop,
        a_start_not_remembered,
        a_ruling_before_reading_on,
        a_deadline_by_the_trackers_own_clock,
        compensation_in_the_wrong_order,
        a_late_outcome_forgotten,
        a_compensation_sent_again_while_it_runs,
        an_attempt_counted_twice,
        a_parked_record_dropped,
        an_execute_before_the_delivery_has_ended,
        pauses_that_stop_no_clock,
    )
}
