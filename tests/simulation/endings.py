"""Invariants 1, 5, 6, 8 and 9 of DESIGN 7: how sagas end, what is undone, and that pausing and cancelling hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from schemas.events.commands import Act
from schemas.events.lifecycle import (
    CommandAccepted,
    DeadlinePassed,
    LateOutcome,
    SagaCancelled,
    SagaCompleted,
    SagaFailed,
    SagaPaused,
    SagaResumed,
    SagaUndoing,
)
from services.tracker.core.state import SagaState, SagaStatus
from tests.simulation.handlers import Called
from tests.simulation.history import Complaints, History, Seen

FINAL = {
    SagaStatus.COMPLETED: SagaCompleted,
    SagaStatus.FAILED: SagaFailed,
    SagaStatus.CANCELLED: SagaCancelled,
}


def every_saga_ends_or_waits_for_somebody(log: History) -> Complaints:
    """1. One final status per epoch; or paused, an incident, or queued at what is paused."""
    for saga in log.sagas:
        state = log.states.get(saga)
        if state is None:
            yield f"{saga} was started, and the tracker's table does not know it"
            continue
        finals = [told.event for told in log.told_of(saga) if isinstance(told.event, tuple(FINAL.values()))]
        if len(finals) > state.epoch + 1:
            yield f"{saga} has ended {len(finals)} times in {state.epoch + 1} epochs"
        if state.status in FINAL:
            if not finals or not isinstance(finals[-1], FINAL[state.status]):
                yield f"{saga} is {state.status}, and its lifecycle ends with {finals[-1:] or 'nothing'}"
        elif not _waits(state, log):
            yield f"{saga} is {state.status} for ever: {_standing(state)}"


def what_failed_is_undone_once_and_in_order(log: History) -> Complaints:
    """5. Compensation."""
    undone = Counter(seen.cause for seen in log.compensated)
    for identity, times in undone.items():
        if times > 1:
            yield f"{_name(log, identity)} is undone {times} times"
    for saga, state in log.states.items():
        yield from _owed(log, saga, state, undone)
        yield from _order(log, saga)


def no_deadline_fires_after_its_outcome(log: History) -> Complaints:
    """6. No outcome of that step and epoch has log time at or before a deadline that fired."""
    for told in log.told:
        if not isinstance(told.event, DeadlinePassed) or told.event.step is None:
            continue
        fired = told.event
        for seen in log.outcomes(log.saga.steps_by_name[fired.step or ""]):
            if seen.saga == told.seen.saga and seen.at <= fired.at and seen.epoch == fired.epoch:
                late = fired.at - seen.at
                yield f"{seen.saga}: the deadline of {fired.step} fired though {seen.type} had come {late} ms before it"


def nothing_starts_after_paused(log: History, calls: Sequence[Called]) -> Complaints:
    """8. After `paused` no handler of the saga starts, and no deadline of it runs, until it is resumed."""
    for saga in log.sagas:
        for begin, end in _pauses(log, saga):
            for call in calls:
                if call.saga_id == saga and begin < call.at < end:
                    yield f"{saga}: the handler of {call.step} starts {call.at - begin} ms after the saga was paused"
            for told in log.told_of(saga):
                if isinstance(told.event, DeadlinePassed) and begin < told.seen.at < end:
                    yield f"{saga}: the deadline of {told.event.step} fires while the saga is paused"


def untracked_sagas_end(log: History) -> Complaints:
    """9. With the tracker stopped, sagas without failures still complete."""
    ended = {seen.saga for topic in log.saga.ends_by_type for seen in log.of(topic)}
    for saga in log.sagas:
        if saga not in ended:
            yield f"{saga} has no final event, though nothing failed; no tracker runs"


def _waits(state: SagaState, log: History) -> bool:
    if state.status is SagaStatus.PAUSED or state.incidents:
        return True
    return any(log.is_held(log.saga.steps_by_name[step.name]) for step in state.steps if step.status.is_open)


def _standing(state: SagaState) -> str:
    return ", ".join(f"{step.name} {step.status} (attempt {step.attempt})" for step in state.steps)


def _owed(log: History, saga: str, state: SagaState, undone: Counter[str]) -> Complaints:
    must = state.status in (SagaStatus.FAILED, SagaStatus.CANCELLED) and not state.incidents
    waived = any(
        isinstance(told.event, CommandAccepted) and told.event.command == Act.SKIP for told in log.told_of(saga)
    )
    for step in log.saga.steps:
        if not step.compensates:
            continue
        for seen in {seen.id: seen for seen in log.outcomes(step) if seen.saga == saga}.values():
            if must and not undone[seen.id] and not waived:
                yield f"{saga} is {state.status}, and {seen.type} of {step.name} (epoch {seen.epoch}) is not undone"
            if undone[seen.id] and state.status is SagaStatus.COMPLETED and seen.epoch >= state.epoch:
                yield f"{saga} is completed, and {seen.type} of step {step.name} (epoch {seen.epoch}) is undone"


def _order(log: History, saga: str) -> Complaints:
    """Within one phase of undoing, the last completed goes first; what comes late is undone as it comes."""
    told = log.told_of(saga)
    late = {one.event.step for one in told if isinstance(one.event, LateOutcome)}
    begins = [one.seen for one in told if isinstance(one.event, SagaUndoing)]
    phases: dict[int, list[Seen]] = defaultdict(list)
    for seen in log.compensated:
        if seen.saga == saga and seen.step not in late:
            asked = log.asked[seen.command or ""]
            phases[sum(_is_before(begin, asked) for begin in begins)].append(seen)
    for first, second in (pair for undone in phases.values() for pair in pairwise(undone)):
        one, other = log.by_id.get(first.cause), log.by_id.get(second.cause)
        if one and other and one[0].at < other[0].at:
            yield f"{saga}: {first.step} is undone before {second.step}, which was done after it"


def _is_before(begin: Seen, asked: Seen) -> bool:
    """Whether a command came of this ruling or a later one; the records of one transaction have several log times."""
    return begin.at <= asked.at or begin.headers["ce_time"] == asked.headers["ce_time"]


def _name(log: History, identity: str) -> str:
    seen = log.by_id.get(identity)
    return f"{seen[0].type} of {seen[0].saga}" if seen else identity


def _pauses(log: History, saga: str) -> Iterator[tuple[int, float]]:
    begin: int | None = None
    for told in log.told_of(saga):
        if isinstance(told.event, SagaPaused):
            begin = told.seen.at
        elif isinstance(told.event, SagaResumed) and begin is not None:
            yield begin, told.seen.at
            begin = None
    if begin is not None:
        yield begin, float("inf")
