"""Invariants 1, 5, 6, 8 and 9 (docs/architecture.md 7): how sagas end, what is undone, that holding up holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from kafka_saga.events.commands import Act
from kafka_saga.events.event import Event
from kafka_saga.events.lifecycle import (
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
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepState, StepStatus
from kafka_saga.wire.control import of_definition
from tests.simulation.handlers import Called
from tests.simulation.history import History
from tests.simulation.rules import Findings, rule
from tests.simulation.seen import NOBODY, SagaName, Seen, StepOf

FINAL = {
    SagaStatus.COMPLETED: SagaCompleted,
    SagaStatus.FAILED: SagaFailed,
    SagaStatus.CANCELLED: SagaCancelled,
}


MOST_APART = 12_000
"""Milliseconds that log times may be off."""


@rule
def every_saga_ends_or_waits_for_somebody(log: History) -> Findings:
    """1. A final status; or paused, an incident, or queued at what is paused."""
    for saga in log.sagas:
        state = log.states.get(saga)
        if state is None:
            yield saga, f"{saga} was started, and the tracker's table does not know it"
            continue
        yield from _forgotten(log, saga)
        finals = _finals(log, saga)
        if state.status in FINAL:
            if not finals or not isinstance(finals[-1], FINAL[state.status]):
                yield saga, f"{saga} is {state.status}, and its lifecycle ends with {finals[-1:] or 'nothing'}"
        elif not _waits(state, log):
            yield saga, f"{saga} is {state.status} for ever: {_standing(state)}"


@rule
def no_saga_ends_twice_in_an_epoch(log: History) -> Findings:
    """1. One final status per epoch."""
    for saga in log.sagas:
        state = log.states.get(saga)
        times = len(_finals(log, saga))
        if state is not None and times > state.epoch + 1:
            yield saga, f"{saga} has ended {times} times in {state.epoch + 1} epochs"


def _finals(log: History, saga: SagaName) -> list[Event]:
    return [told.event for told in log.told_of(saga) if isinstance(told.event, tuple(FINAL.values()))]


@rule
def what_failed_is_undone_once_and_in_order(log: History) -> Findings:
    """5. Compensation."""
    undone = Counter(seen.cause for seen in log.compensated if not seen.is_foreign)
    for identity, times in undone.items():
        if times > 1:
            seen = log.by_id.get(identity)
            what = f"{seen[0].type} of {seen[0].name}" if seen else identity
            yield seen[0].name if seen else NOBODY, f"{what} is undone {times} times"
    for saga, state in log.states.items():
        if saga in log.sagas:
            yield from _owed(log, saga, state, undone)
            yield from _order(log, saga)


@rule
def no_deadline_fires_after_its_outcome(log: History) -> Findings:
    """6. No outcome of that step and epoch has log time at or before a deadline that fired."""
    for told in log.told:
        if not isinstance(told.event, DeadlinePassed) or told.event.step is None:
            continue
        fired, step = told.event, log.step(told.seen.definition, told.event.step)
        for seen in log.outcomes(step) if step else ():
            is_its = seen.name == told.seen.name and seen.epoch == fired.epoch and seen.id not in log.astray
            if is_its and log.time_of(seen) <= fired.at and not _may_be_of_another_run(log, seen, fired):
                late = fired.at - log.time_of(seen)
                yield (
                    seen.name,
                    f"{seen.saga}: the deadline of {fired.step} fired though {seen.type} had come {late} ms before it",
                )


@rule
def nothing_starts_after_paused(log: History, calls: Sequence[Called]) -> Findings:
    """8. After `paused` no handler of the saga starts, and no deadline of it runs, until it is resumed."""
    begun: dict[SagaName, list[Called]] = defaultdict(list)
    for call in calls:
        begun[call.name].append(call)
    for saga in log.sagas:
        for begin, end in _pauses(log, saga):
            for call in begun[saga]:
                if begin < call.at < end and not _is_astray(log, call):
                    late = call.at - begin
                    yield saga, f"{saga}: the handler of {call.step} starts {late} ms after the saga was paused"
            for told in log.told_of(saga):
                if isinstance(told.event, DeadlinePassed) and begin < told.seen.written_at < end:
                    yield saga, f"{saga}: the deadline of {told.event.step} fires while the saga is paused"


@rule
def untracked_sagas_end(log: History) -> Findings:
    """9. With the tracker stopped, sagas without failures still complete."""
    final = {(saga.name, saga.version): saga.ends_by_type for saga in log.definitions}
    ended = {seen.name for seen in log.events if seen.topic in final.get((seen.definition, seen.version), ())}
    for saga in log.sagas:
        if saga not in ended:
            yield saga, f"{saga} has no final event, though nothing failed; no tracker runs"


def _forgotten(log: History, saga: SagaName) -> Findings:
    """A finished saga stays for as long as its definition says; brokers' clocks may be apart."""
    keep = log.saga_of(saga).keep_finished.total_seconds() * 1000 - MOST_APART
    for one in log.last_states:
        if one.gone is not None and one.name == saga and one.gone.at < one.state.updated_at + keep:
            yield saga, f"{saga} is forgotten {one.gone.at - one.state.updated_at} ms after it last changed"


def _waits(state: SagaState, log: History) -> bool:
    if state.status is SagaStatus.PAUSED or state.incidents or of_definition(state.definition) in log.held_scopes:
        return True
    steps = (log.step(state.definition, step.name) for step in state.steps if _is_wanted(step, state))
    return any(step is not None and log.is_held(step) for step in steps)


def _is_wanted(step: StepState, state: SagaState) -> bool:
    """Whether something of a step is to be done: its work, or undoing it."""
    is_to_undo = state.undo is not None and (step.status is StepStatus.DONE or step.name in state.undo.steps)
    return step.status.is_open or step.status is StepStatus.COMPENSATING or is_to_undo


def _standing(state: SagaState) -> str:
    return ", ".join(f"{step.name} {step.status} (attempt {step.attempt})" for step in state.steps)


def _may_be_of_another_run(log: History, outcome: Seen, fired: DeadlinePassed) -> bool:
    """Whether the step had another run, too, without an outcome when the deadline passed."""
    step = log.step(outcome.definition, fired.step or "")
    assert step is not None
    ended = {seen.cause for seen in log.outcomes(step) if log.time_of(seen) <= fired.at and seen.epoch == fired.epoch}
    triggers = (seen for seen in log.sound(step.on) if seen.name == outcome.name and log.time_of(seen) <= fired.at)
    return any(seen.id not in ended for seen in triggers)


def _owed(log: History, saga: SagaName, state: SagaState, undone: Counter[str]) -> Findings:
    must = state.status in (SagaStatus.FAILED, SagaStatus.CANCELLED) and not state.incidents
    waived = any(
        isinstance(told.event, CommandAccepted) and told.event.command == Act.SKIP for told in log.told_of(saga)
    )
    for step in log.steps:
        if step.definition != saga.definition or not step.is_undone(log.version(saga)):
            continue
        for seen in _own_outcomes(log, step, saga):
            if must and not undone[seen.id] and not waived:
                what = f"{seen.type} of {step.name} (epoch {seen.epoch}) is not undone"
                yield saga, f"{saga} is {state.status}, and {what}"
            if undone[seen.id] and state.status is SagaStatus.COMPLETED and seen.epoch >= state.epoch:
                yield saga, f"{saga} is completed, and {seen.type} of step {step.name} (epoch {seen.epoch}) is undone"


def _own_outcomes(log: History, step: StepOf, saga: SagaName) -> list[Seen]:
    """The outcomes of a step of a saga, each once; what strays have led to is nobody's."""
    found = {seen.id: seen for seen in log.outcomes(step) if seen.name == saga and seen.id not in log.astray}
    return list(found.values())


def _order(log: History, saga: SagaName) -> Findings:
    """Within one phase of undoing, the last completed goes first; what comes late is undone as it comes."""
    told = log.told_of(saga)
    late = {one.event.step for one in told if isinstance(one.event, LateOutcome)}
    begins = [one.seen for one in told if isinstance(one.event, SagaUndoing)]
    phases: dict[int, list[Seen]] = defaultdict(list)
    for seen in log.compensated:
        asked = log.asked.get(seen.command or "")
        if seen.name == saga and seen.step not in late and asked is not None:
            phases[sum(_is_before(begin, asked) for begin in begins)].append(seen)
    for first, second in (pair for undone in phases.values() for pair in pairwise(undone)):
        one, other = log.by_id.get(first.cause), log.by_id.get(second.cause)
        if one and other and log.time_of(one[0]) < log.time_of(other[0]):
            yield saga, f"{saga}: {first.step} is undone before {second.step}, which was done after it"


def _is_before(begin: Seen, asked: Seen) -> bool:
    """Whether a command came of this ruling or a later one; the records of one transaction have several log times."""
    return begin.written_at <= asked.written_at or begin.headers["ce_time"] == asked.headers["ce_time"]


def _is_astray(log: History, call: Called) -> bool:
    """Whether a stray, or what it has led to, asked for this call."""
    asked = log.at.get(call.delivery) if call.delivery is not None else None
    return asked is not None and (bool(asked.stray) or asked.id in log.astray)


def _pauses(log: History, saga: SagaName) -> Iterator[tuple[int, float]]:
    begin: int | None = None
    for told in log.told_of(saga):
        if isinstance(told.event, SagaPaused):
            begin = told.seen.written_at
        elif isinstance(told.event, SagaResumed) and begin is not None:
            yield begin, told.seen.written_at
            begin = None
    if begin is not None:
        yield begin, float("inf")
