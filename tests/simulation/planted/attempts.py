"""Mistakes in what follows a failed or parked attempt: whether, when and how often a step is asked for again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from msgspec.structs import replace

from kafka_saga.definition.model import Retry
from kafka_saga.tracker import processor
from kafka_saga.tracker.core import compensations, due_items, runs, sending, transitions
from kafka_saga.tracker.core.due_items import DueItem, DueKind
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.state import ReportRef, Run, SagaState, StepStatus
from kafka_saga.tracker.step_commands import work_of
from tests.simulation.planted.replacing import Planted, replaced, together


def retries_without_delay() -> AbstractContextManager[None]:
    """A failed attempt is followed by the next at once."""
    return replaced(runs, "delay", lambda *_: 0)


def one_attempt_too_few() -> AbstractContextManager[None]:
    """A step or compensation is given up one attempt too early."""
    return _with_attempts(lambda retry, report: (dataclasses.replace(retry, attempts=retry.attempts - 1), report))


def one_attempt_too_many() -> AbstractContextManager[None]:
    """A step or compensation is given up one attempt too late."""
    return _with_attempts(lambda retry, report: (dataclasses.replace(retry, attempts=retry.attempts + 1), report))


def a_terminal_error_retried() -> AbstractContextManager[None]:
    """An error that no further attempt can mend is followed by another attempt."""
    return _with_attempts(lambda retry, report: (retry, replace(report, retryable=True)))


def a_retry_after_ignored() -> AbstractContextManager[None]:
    """The next attempt does not wait as long as the error asks for."""
    return _with_attempts(lambda retry, report: (retry, replace(report, retry_after=0)))


def a_compensation_never_retried() -> AbstractContextManager[None]:
    """A compensation is given up after its first attempt."""
    return replaced(compensations, "next_attempt_at", lambda *_: None)


def an_attempt_counted_twice() -> AbstractContextManager[None]:
    """The number of an attempt grows by two."""
    right = sending.execute

    def execute(state: SagaState, step: str, run: Run, at: int, *, fresh: bool) -> Any:
        return right(state, step, replace(run, attempt=run.attempt + 1), at, fresh=fresh)

    return replaced(transitions, "execute", execute)


def an_execute_before_the_delivery_has_ended() -> AbstractContextManager[None]:
    """A step that takes long is asked for once more while it runs."""
    right = due_items._of_run

    def of_run(state: SagaState, plan: SagaPlan, wide: Any, name: str, run: Run) -> Iterator[DueItem]:
        yield from right(state, plan, wide, name, run)
        is_first = all((one.step, one.about) != (name, run.about) for one in state.sent)
        if is_first and run.status in {StepStatus.QUEUED, StepStatus.RUNNING}:
            yield DueItem(run.at + 5_000, DueKind.EXECUTE, name, run)

    return replaced(due_items, "_of_run", of_run)


def a_parked_record_dropped() -> AbstractContextManager[None]:
    """What was parked is not asked for again on resume."""
    right = due_items._again_at
    return replaced(due_items, "_again_at", lambda run: None if run.status is StepStatus.PARKED else right(run))


def a_parked_record_of_a_prefix_never_asked_for_again() -> AbstractContextManager[None]:
    """What was parked for a key prefix is not asked for again when that is resumed."""
    right = due_items._of_run

    def of_run(state: SagaState, plan: SagaPlan, wide: Any, name: str, run: Run) -> Iterator[DueItem]:
        begun = [pause.scope for pause in state.pauses if pause.at <= (run.ended_at or run.at)]
        is_lost = run.status is StepStatus.PARKED and begun[-1:] not in ([], ["saga"])
        return (item for item in right(state, plan, wide, name, run) if not (is_lost and item.what is DueKind.EXECUTE))

    return replaced(due_items, "_of_run", of_run)


def a_command_that_its_own_rulings_cancel_does_not_stop() -> AbstractContextManager[None]:
    """It knows of the entry that is written beside it, as if it had been sent after the saga was cancelled."""
    right = work_of

    def wrong(state: SagaState, decision: Any, revision: int, now: int) -> Any:
        return right(state, decision, revision + 60_000, now)

    return replaced(processor, "work_of", wrong)


ATTEMPTS: Sequence[Planted] = (
    retries_without_delay,
    one_attempt_too_few,
    one_attempt_too_many,
    a_terminal_error_retried,
    a_retry_after_ignored,
    a_compensation_never_retried,
    an_attempt_counted_twice,
    an_execute_before_the_delivery_has_ended,
    a_parked_record_dropped,
    a_parked_record_of_a_prefix_never_asked_for_again,
    a_command_that_its_own_rulings_cancel_does_not_stop,
)


def _with_attempts(wrong: Callable[[Retry, ReportRef], tuple[Retry, ReportRef]]) -> AbstractContextManager[None]:
    """The next attempt, at a step or at undoing it, follows from another policy or report."""
    right = runs.next_attempt_at

    def next_attempt_at(retry: Retry, report: ReportRef, *given: Any) -> int | None:
        return right(*wrong(retry, report), *given)

    return together(*(replaced(owner, "next_attempt_at", next_attempt_at) for owner in (runs, compensations)))
