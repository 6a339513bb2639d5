"""What the tracker may do about a saga as it stands: for what it must not do, the rule that it would break."""

from __future__ import annotations

from kafka_saga.definition.model import EndStatus, OnFailure
from kafka_saga.events.lifecycle import SagaUndoing
from tests.simulation.reference.demands import compensation_at, is_settling, next_attempt, next_to_undo
from tests.simulation.reference.runs import FAILED, Run
from tests.simulation.reference.standing import Standing
from tests.simulation.seen import Seen


def why_not_given_up(standing: Standing, undoing: SagaUndoing) -> str | None:
    definition = standing.definition
    if undoing.goal == "redo":
        return "nothing_goes_back_by_itself"
    end = standing.end()
    if end is not None and definition.ends_by_type[end.seen.type] is not EndStatus.COMPLETED:
        goal = "cancelled" if definition.ends_by_type[end.seen.type] is EndStatus.CANCELLED else "failed"
        if goal == undoing.goal:
            return None
    if undoing.goal == "cancelled":
        is_outrun = standing.rival is not None or standing.may_be_outrun
        return None if is_outrun else "nothing_is_cancelled_by_itself"
    if any(standing.has_failed(run) for run in standing.current()):
        return None if definition.on_failure is OnFailure.COMPENSATE else "a_person_is_asked_first"
    return "every_attempt_is_made"


def why_not_execute(standing: Standing, seen: Seen, attempt: int, until: int) -> str | None:
    run = standing.runs.get((seen.step, seen.cause))
    if run is None:
        return "what_is_asked_for_is_known"
    undo = standing.undo
    if undo is not None and undo.redo is not None:
        is_meant = seen.step == undo.redo.step and seen.epoch == undo.epoch and attempt == 1
        if not is_meant:
            return "a_redo_starts_where_it_was_asked_to"
        return _why_not_undone(standing, until)
    if undo is not None or standing.final() is not None:
        return "nothing_is_asked_for_in_an_ended_saga"
    if run.is_live or standing.outcome(run) is not None:
        return "one_delivery_at_a_time"
    if run.is_exhausted:
        is_terminal = run.last is not None and run.last.seen.headers.get("ce_retryable") != "true"
        return "a_terminal_error_is_not_retried" if is_terminal else "no_attempt_beyond_the_last"
    return _why_not_again(run, seen, attempt, until, next_attempt(run, standing, at_most=False), standing)


def _why_not_again(run: Run, seen: Seen, attempt: int, until: int, at: int | None, standing: Standing) -> str | None:
    has_failed = run.last is not None and run.last.seen.type == FAILED
    before = run.deliveries[-1].attempt if run.deliveries else 0
    if attempt != before + (has_failed or not run.deliveries):
        return "attempts_are_counted"
    if at is None:
        return "nothing_is_sent_while_paused"
    return "a_retry_waits_for_its_delay" if at >= until else None


def why_not_compensate(standing: Standing, seen: Seen, attempt: int, until: int) -> str | None:
    if is_settling(standing, until) and standing.undo is not None and not standing.undo.has_ended:
        return "settling_is_waited_for"
    if not any(fact.seen.id == seen.cause for fact in standing.owed()):
        return "only_what_no_longer_counts_is_undone"
    known = standing.undone.get(seen.cause)
    if known is not None and known.is_live:
        return "one_delivery_at_a_time"
    if known is not None and known.outcomes:
        return "nothing_is_undone_twice"
    if known is not None and known.is_exhausted:
        return "no_attempt_beyond_the_last"
    run = next_to_undo(standing)
    if run is None or run.cause.seen.id != seen.cause:
        return "the_last_completed_is_undone_first"
    return _why_not_again(run, seen, attempt, until, compensation_at(standing, run, at_most=False), standing)


def _why_not_undone(standing: Standing, until: int) -> str | None:
    if is_settling(standing, until):
        return "settling_is_waited_for"
    if standing.unpaid():
        return "what_is_done_is_undone"
    settled = None if standing.undo is None else standing.undo.settled_from
    return "settling_is_waited_for" if settled is not None and settled >= until else None
