"""The runs of a step: one per event that triggers it, each with its deliveries and how they ended.

A run's deliveries are the trigger itself and then the commands that ask for it again. A delivery has ended when an
outcome or a report of it is known; of a run one delivery is out at a time, since a command is sent only after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from kafka_saga.definition.model import Retry
from kafka_saga.tracker.core.plan import SagaPlan, StepPlan
from kafka_saga.tracker.core.retrying import delay
from kafka_saga.tracker.core.state import EventRef, ReportRef, Run, SagaState, Sent, StepStatus

T = TypeVar("T")

FAILED, PARKED, SKIPPED = "step.failed", "step.parked", "step.skipped"

DUPLICATE = "duplicate_start"
"""The code of a skipped delivery that says nothing about its saga: the first one goes on."""


def runs(step: StepPlan, state: SagaState) -> tuple[Run, ...]:
    """Every run of a step, those of older epochs included, in the order of their triggers."""
    if not (state.reports or state.sent or state.progress or state.floors):
        return _plain_runs(step, state.events)
    outcomes: dict[str | None, list[EventRef]] = {}
    for event in state.events:
        if event.step == step.name and event.type in step.outcomes:
            outcomes.setdefault(event.cause, []).append(event)
    reports = _by((one for one in state.reports if one.step == step.name), lambda report: report.cause)
    sent = _by((one for one in state.sent if one.step == step.name and not one.undoes), lambda sent: sent.about)
    return tuple([
        _run(step, state, event, outcomes.get(event.id, ()), reports.get(event.id, ()), sent.get(event.id, ()))
        for event in state.events
        if event.type == step.trigger and not event.spent
    ])  # fmt: skip


def _plain_runs(step: StepPlan, events: Sequence[EventRef]) -> tuple[Run, ...]:
    """The same where nothing but events is known: nearly always."""
    triggers = [event for event in events if event.type == step.trigger and not event.spent]
    if not triggers:
        return ()
    outcomes: dict[str | None, EventRef] = {}
    for event in events:
        if event.step == step.name and event.type in step.outcomes:
            outcomes.setdefault(event.cause, event)
    return tuple([_plain_run(event, outcomes.get(event.id)) for event in triggers])


def _plain_run(trigger: EventRef, outcome: EventRef | None) -> Run:
    if outcome is None:
        return Run(trigger.id, trigger.at, epoch=trigger.epoch, live=True)
    live = outcome.command is not None
    return Run(
        trigger.id, trigger.at, StepStatus.DONE, outcome.attempt, outcome.epoch, outcome.type, outcome.at, live=live
    )  # fmt: skip


def is_current(run: Run, step: str, state: SagaState) -> bool:
    """Whether a run counts, that is, no later epoch has begun at its step or before."""
    return run.epoch >= state.floors.get(step, 0)


def trigger_of(run: Run, state: SagaState) -> EventRef | None:
    """The event that a run is about; none if it has been forgotten."""
    return next((event for event in state.events if event.id == run.about), None)


def _run(
    step: StepPlan,
    state: SagaState,
    trigger: EventRef,
    outcomes: Sequence[EventRef],
    reports: Sequence[ReportRef],
    sent: Sequence[Sent],
) -> Run:
    floor = state.floors.get(step.name, 0)
    outcome = next((event for event in outcomes if event.epoch >= floor), None)
    last = sent[-1] if sent else None
    at, epoch, attempt = _latest(trigger, sent)
    live = _is_live(outcomes, reports, sent)
    if outcome is not None:
        return Run(trigger.id, at, StepStatus.DONE, outcome.attempt, outcome.epoch, outcome.type, outcome.at, live=live)
    report = _ending(reports, last)
    if report is None:
        status = StepStatus.RUNNING if _has_progress(state, trigger, last) else StepStatus.QUEUED
        return Run(trigger.id, at, status, attempt, epoch, live=live)
    status, retry_at = _after(step, state, report, sent)
    error = report.reason if report.kind == FAILED else None
    return Run(
        trigger.id, at, status, report.attempt, epoch, None, report.at, error, report.code, retry_at, live,
        base_attempt(sent) + step.step.retry.attempts - 1,
    )  # fmt: skip


def _latest(trigger: EventRef, sent: Sequence[Sent]) -> tuple[int, int, int]:
    """Since when the run is asked for, under which epoch, and its present attempt."""
    if not sent:
        return trigger.at, trigger.epoch, 1
    last = sent[-1]
    begun = trigger.at if last.epoch == trigger.epoch else next(one.at for one in sent if one.epoch == last.epoch)
    return begun, last.epoch, last.attempt


def _is_live(outcomes: Sequence[EventRef], reports: Sequence[ReportRef], sent: Sequence[Sent]) -> bool:
    if not sent:
        return not reports and all(event.command is not None for event in outcomes)
    ended = {event.command for event in outcomes} | {report.command for report in reports}
    return None not in ended or any(one.id not in ended for one in sent)


def _ending(reports: Sequence[ReportRef], last: Sent | None) -> ReportRef | None:
    """How the last delivery ended without an outcome, if it has."""
    command = last.id if last else None
    return next((report for report in reports if report.command == command), None)


def _after(step: StepPlan, state: SagaState, report: ReportRef, sent: Sequence[Sent]) -> tuple[StepStatus, int | None]:
    """What a report makes of its run, and when it is tried again."""
    if report.kind == PARKED:
        return StepStatus.PARKED, None
    if report.kind == SKIPPED:
        return StepStatus.SKIPPED, None
    at = next_attempt_at(step.step.retry, report, sent, f"{state.saga_id}/{step.name}")
    return (StepStatus.FAILED if at is None else StepStatus.RETRYING), at


def next_attempt_at(retry: Retry, report: ReportRef, sent: Sequence[Sent], seed: str) -> int | None:
    """When a failed attempt is followed by the next; none if it was the last. `seed` names what is attempted."""
    used = report.attempt - base_attempt(sent) + 1
    if not report.retryable or used >= retry.attempts:
        return None
    return report.at + max(delay(retry, used, f"{seed}/{report.attempt}"), report.retry_after)


def base_attempt(sent: Sequence[Sent]) -> int:
    """The attempt from which the policy counts: the first, or the one that was last asked for afresh."""
    return next((one.attempt for one in reversed(sent) if one.fresh), 1)


def _has_progress(state: SagaState, trigger: EventRef, last: Sent | None) -> bool:
    command = last.id if last else None
    return any(told.cause == trigger.id and told.command == command for told in state.progress)


def _by(items: Iterable[T], about: Callable[[T], str]) -> dict[str, list[T]]:
    """The items by what they are about."""
    found: dict[str, list[T]] = {}
    for item in items:
        found.setdefault(about(item), []).append(item)
    return found


StepRun = tuple[str, Run]
"""A run with the name of its step."""


def step_runs(state: SagaState, plan: SagaPlan) -> list[StepRun]:
    """Every current run of every step."""
    return [
        (step.name, run)
        for step in state.steps
        if step.name in plan.steps
        for run in step.runs
        if is_current(run, step.name, state)
    ]
