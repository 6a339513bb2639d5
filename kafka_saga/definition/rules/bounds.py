"""Rules about bounds: timeouts, deadlines, retries and compensation that cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kafka_saga.definition.model import OnFailure, Saga, Step
from kafka_saga.definition.problem import Code, Problem, of_saga, of_step
from kafka_saga.definition.wording import duration

_NOTHING = timedelta(0)


def bounds(saga: Saga) -> Iterator[Problem]:
    """Bounds that are not positive, or that contradict one another."""
    yield from _saga_bounds(saga)
    for step in saga.steps:
        yield from _step_bounds(saga, step)
        yield from _within_saga(saga, step)
        yield from _retry(saga, step)


def compensation(saga: Saga) -> Iterator[Problem]:
    """A definition that compensates on failure, though none of its steps can."""
    if saga.on_failure is OnFailure.COMPENSATE and saga.steps and not any(step.compensates for step in saga.steps):
        what = "a failure is to be compensated, but no step compensates"
        mend = "set compensates=True on the steps with effects to undo, or on_failure=OnFailure.INCIDENT"
        yield Problem(Code.NOTHING_TO_COMPENSATE, of_saga(saga, "on_failure"), what, mend)


def _saga_bounds(saga: Saga) -> Iterator[Problem]:
    for field, bound in (("deadline", saga.deadline), ("settle_timeout", saga.settle_timeout)):
        if bound is not None and bound <= _NOTHING:
            yield _not_positive(of_saga(saga, field), field, bound)
    if saga.keep_finished < _NOTHING:
        what = f"keep_finished is {duration(saga.keep_finished)}"
        yield Problem(Code.BAD_BOUND, of_saga(saga, "keep_finished"), what, "give 0 or more")


def _step_bounds(saga: Saga, step: Step) -> Iterator[Problem]:
    for field, bound in (("timeout", step.timeout), ("deadline", step.deadline)):
        if bound is not None and bound <= _NOTHING:
            yield _not_positive(of_step(saga, step, field), field, bound)
    if step.deadline is not None and _NOTHING < step.deadline < step.timeout:
        what = (
            f"the deadline of the whole step ({duration(step.deadline)}) is shorter than "
            f"the timeout of one attempt ({duration(step.timeout)})"
        )
        mend = "make the deadline at least as long as the timeout"
        yield Problem(Code.BOUNDS_CONTRADICT, of_step(saga, step, "deadline"), what, mend)


def _within_saga(saga: Saga, step: Step) -> Iterator[Problem]:
    if saga.deadline is None or saga.deadline <= _NOTHING:
        return
    for field, bound in (("timeout", step.timeout), ("deadline", step.deadline)):
        if bound is not None and bound > saga.deadline:
            what = f"the {field} ({duration(bound)}) is longer than the saga's deadline ({duration(saga.deadline)})"
            mend = f"shorten the {field}, or give the saga a longer deadline"
            yield Problem(Code.BOUNDS_CONTRADICT, of_step(saga, step, field), what, mend)


def _retry(saga: Saga, step: Step) -> Iterator[Problem]:
    for what, mend in _retry_flaws(step):
        yield Problem(Code.BAD_RETRY, of_step(saga, step, "retry"), what, mend)


def _retry_flaws(step: Step) -> Iterator[tuple[str, str]]:
    # Conditions say what must hold, negated, so that a NaN is found too.
    retry = step.retry
    if retry.attempts < 1:
        yield f"attempts is {retry.attempts}", "give at least 1, which means no retry"
    if retry.first <= _NOTHING:
        yield f"first is {duration(retry.first)}", "give a delay longer than 0"
    if not 1 <= retry.factor < float("inf"):
        yield f"factor is {retry.factor:g}, so delays would not grow to max_delay", "give a number of at least 1"
    if retry.max_delay < retry.first:
        said = f"max_delay ({duration(retry.max_delay)}) is shorter than first ({duration(retry.first)})"
        yield said, "make max_delay at least as long as first"
    if not 0 <= retry.jitter < 1:
        yield f"jitter is {retry.jitter:g}", "give a share of the delay from 0 to below 1"


def _not_positive(place: str, field: str, bound: timedelta) -> Problem:
    return Problem(Code.BAD_BOUND, place, f"the {field} is {duration(bound)}", "give a duration longer than 0")
