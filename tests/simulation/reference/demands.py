"""What has to be done about a saga by some moment, if everything of log time before that is known, and is not done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from kafka_saga.definition.model import EndStatus, OnFailure
from tests.simulation.reference.clocks import due, lasts, least_delay, most_delay
from tests.simulation.reference.runs import FAILED, Run
from tests.simulation.reference.standing import Standing
from tests.simulation.reference.timelines import Fact

EVER = 1 << 62
"""A moment by which everything has to be done that has to be done at all."""


class Demand(NamedTuple):
    """Something that has to be done: the rule that says so, and what it is about."""

    rule: str
    text: str


def demands(standing: Standing, until: int) -> Iterator[Demand]:
    """Everything that has to have been done by `until` (milliseconds UTC, log time) and is not."""
    if standing.start is None:
        return
    if standing.undo is not None and not standing.undo.has_ended:
        yield from _of_undoing(standing, until)
    elif standing.final() is None:
        yield from _of_going_on(standing, until)
    elif not standing.is_paused():
        yield from _of_compensation(standing, until)
    yield from _of_incidents(standing, until)


def wanted_incidents(standing: Standing, until: int = EVER) -> Counter[tuple[str, str | None]]:
    """What only a person can decide, as it stands: kind and step."""
    found: Counter[tuple[str, str | None]] = Counter()
    asks = standing.definition.on_failure is OnFailure.INCIDENT and standing.undo is None
    if asks and standing.final() is None:
        current = list(standing.current())
        found.update(("step_failed", run.step.name) for run in current if _failed_before(standing, run, until))
        found.update(("step_deadline", run.step.name) for run in current if _is_overdue(standing, run))
        found.update(("saga_deadline", None) for step, _, _ in standing.fired if not step)
        end = standing.end()
        if end is not None and end.at < until and standing.has_undoable(end):
            found["failed_end", end.seen.step] += 1
    if standing.undo is not None or standing.floors:
        found.update(("compensation_failed", fact.seen.step) for fact in standing.stuck())
    return found


def next_attempt(run: Run, standing: Standing, *, at_most: bool) -> int | None:
    """When a run that has not ended by an outcome is asked for again; `None` if that is not to be.

    The latest time if `at_most`, else the earliest: jitter lies in between.
    """
    last = run.last
    if last is None or run.is_live or run.is_exhausted:
        return None
    if last.seen.type != FAILED:
        return _sent_at(standing, run, last.at, 0, at_most=at_most)
    delay = most_delay if at_most else least_delay
    wait = max(delay(run.retry, run.used), int(last.seen.headers.get("ce_retryafterms", "0")))
    return _sent_at(standing, run, last.at, wait if at_most else max(0, wait - standing.slack), at_most=at_most)


def _sent_at(standing: Standing, run: Run, since: int, wait: int, *, at_most: bool) -> int | None:
    """When a command is sent that waits so long; `None` while a pause holds it up.

    What was due before a prefix was paused goes out, even if the tracker comes to both at once.
    """
    frozen = standing.frozen(run.step.name)
    if lasts(frozen) and not at_most:
        frozen = standing.frozen(run.step.name, taken_up=since + wait)
    return None if lasts(frozen) else due(since, wait, frozen)


def settles_at(standing: Standing) -> int | None:
    """Until when what runs is waited for before anything is undone; `None` if a pause holds that up."""
    assert standing.undo is not None
    length = round(standing.definition.settle_timeout.total_seconds() * 1000)
    return due(standing.undo.at, length, standing.frozen())


def is_settling(standing: Standing, until: int) -> bool:
    """Whether something is waited for before anything is undone."""
    undo = standing.undo
    if undo is None or undo.settled_from is not None or not standing.is_live(undo.steps):
        return False
    settles = settles_at(standing)
    return settles is None or settles - standing.slack >= until


def next_to_undo(standing: Standing) -> Run | None:
    """What is to be undone next: of what is not undone yet the last completed; `None` if that is under way or stuck."""
    unpaid = standing.unpaid()
    if not unpaid:
        return None
    run = standing.undone.get(unpaid[0].seen.id)
    if run is None:
        return Run(standing.definition.steps_by_name[unpaid[0].seen.step], unpaid[0], undoes=True)
    return None if run.is_live or run.is_exhausted else run


def compensation_at(standing: Standing, run: Run, *, at_most: bool) -> int | None:
    """When an outcome is to be undone (again); `None` if a pause holds that up."""
    if run.deliveries:
        return next_attempt(run, standing, at_most=at_most)
    return _sent_at(standing, run, run.cause.at, 0, at_most=at_most)


def _of_going_on(standing: Standing, until: int) -> Iterator[Demand]:
    definition = standing.definition
    if standing.rival is not None:
        yield Demand("a_later_start_supersedes", f"{standing.rival} has started later, and it runs on")
    end = standing.end()
    is_bad = end is not None and definition.ends_by_type[end.seen.type] is not EndStatus.COMPLETED
    compensates = definition.on_failure is OnFailure.COMPENSATE
    if end is not None and is_bad and end.at < until and (compensates or not standing.has_undoable(end)):
        yield Demand("a_failing_end_fails", f"{end.seen.type} is its end, and it is not given up")
    for run in standing.current():
        yield from _of_run(standing, run, until)
    passes = standing.sagas_deadline()
    if passes is not None and passes < until and not any(not step for step, _, _ in standing.fired):
        yield Demand("a_sagas_deadline_fires", f"its deadline passed at {passes}, and nothing came of that")
    if standing.floors and not standing.is_paused():
        yield from _of_compensation(standing, until)


def _of_run(standing: Standing, run: Run, until: int) -> Iterator[Demand]:
    status, step = standing.status(run), run.step.name
    if status == "done":
        return
    if _failed_before(standing, run, until) and standing.definition.on_failure is OnFailure.COMPENSATE:
        yield Demand("what_fails_for_good_is_undone", f"step {step} has failed for good, and it runs on")
    again = next_attempt(run, standing, at_most=True)
    if again is not None and again < until:
        rule = "a_failed_attempt_is_followed" if status == "retrying" else "what_was_parked_is_asked_for_again"
        yield Demand(rule, f"step {step} is {status}, and is not asked for again at {again}")
    passes = standing.deadline_of(run) if status in {"live", "retrying", "parked"} else None
    if passes is not None and passes < until and (step, run.cause.seen.id, run.epoch) not in standing.fired:
        yield Demand("a_steps_deadline_fires", f"the deadline of {step} passed at {passes}, and nothing came of that")


def _of_undoing(standing: Standing, until: int) -> Iterator[Demand]:
    undo = standing.undo
    if undo is None or undo.at >= until or lasts(standing.frozen()):
        return
    settled = undo.settled_from if until == EVER else undo.settled_at
    if settled is None:
        if undo.settled_from is None and not is_settling(standing, until):
            yield Demand("settling_ends", "nothing runs any more, and it is waited for")
    elif standing.unpaid():
        yield from _of_compensation(standing, until)
    elif settled < until and not standing.is_undoing():
        yield Demand("what_is_undone_ends", f"all is undone, and it is not {undo.goal}")


def _of_compensation(standing: Standing, until: int) -> Iterator[Demand]:
    run = next_to_undo(standing)
    at = compensation_at(standing, run, at_most=True) if run is not None else None
    if run is None or at is None or at >= until:
        return
    rule = "a_failed_compensation_is_tried_again" if run.deliveries else "what_is_done_is_undone"
    yield Demand(rule, f"{run.cause.seen.type} of {run.step.name} is to be undone at {at}, and is not")


def _of_incidents(standing: Standing, until: int) -> Iterator[Demand]:
    opened = Counter(what for what in standing.incidents.values() if what[0] in _KINDS)
    wanted = wanted_incidents(standing, until)
    for kind, step in wanted - opened:
        yield Demand("incidents_are_raised", f"there is no incident {kind} of {step or 'the saga'}")
    for kind, step in opened - wanted if until == EVER else ():  # before, what is read ahead may put it off
        yield Demand("incidents_are_solved", f"the incident {kind} of {step or 'the saga'} has no reason any more")


_KINDS = frozenset({"step_failed", "step_deadline", "saga_deadline", "failed_end", "compensation_failed"})


def _failed_before(standing: Standing, run: Run, until: int) -> bool:
    last: Fact | None = run.last
    return last is not None and last.at < until and standing.has_failed(run)


def _is_overdue(standing: Standing, run: Run) -> bool:
    is_open = standing.status(run) in {"live", "retrying", "parked"}
    return is_open and (run.step.name, run.cause.seen.id, run.epoch) in standing.fired
