"""The timeline of a saga: attempts, waits, retries, compensations and pauses as stretches of time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import NamedTuple

from kafka_saga.api.sagas import Span, SpanKind
from kafka_saga.inspection.log.times import iso, stamp
from kafka_saga.tracker.core import runs
from kafka_saga.tracker.core.state import EventRef, Pause, ReportRef, Run, SagaState, Sent, StepState, StepStatus
from kafka_saga.wire.wording import length


class _Delivery(NamedTuple):
    """A delivery of a run, or of an outcome to undo, and how it ended."""

    step: str
    command: str | None
    at: int
    attempt: int
    epoch: int
    report: ReportRef | None
    done: EventRef | None

    @property
    def ended_at(self) -> int | None:
        """When it ended."""
        ending = self.done or self.report
        return None if ending is None else max(ending.at, self.at)

    @property
    def status(self) -> StepStatus:
        """How it ended, or that it has not."""
        if self.done is not None:
            return StepStatus.DONE
        return StepStatus.QUEUED if self.report is None else _reported(self.report)


def timeline_of(state: SagaState, now: int) -> tuple[Span, ...]:
    """Every stretch, by when it began; `now` is milliseconds UTC."""
    spans = [span for step in state.steps for run in step.runs for span in _of_run(state, step, run, now)]
    spans += [span for sent in state.sent if sent.undoes for span in _undone(state, sent)]
    spans += [_paused(pause) for pause in state.pauses]
    return tuple(sorted(spans, key=lambda span: (span.started_at, span.ended_at or "~")))


def _of_run(state: SagaState, step: StepState, run: Run, now: int) -> Iterator[Span]:
    """The attempts of a run, and the waits between them."""
    deliveries = list(_deliveries(state, step.name, run))
    for one, following in zip_longest(deliveries, deliveries[1:]):
        yield from _attempt(state, one, now, is_over=state.status.is_final)
        if one.report is not None and one.done is None:
            yield from _until_next(one, following, run, step, now)


def _deliveries(state: SagaState, step: str, run: Run) -> Iterator[_Delivery]:
    """The trigger itself, then the commands that asked for it again."""
    trigger = next((event for event in state.events if event.id == run.about), None)
    if trigger is not None:
        yield _delivery(state, step, run.about, None, trigger.at, 1, trigger.epoch)
    for sent in state.sent:
        if sent.step == step and sent.about == run.about and not sent.undoes:
            yield _delivery(state, step, run.about, sent.id, sent.at, sent.attempt, sent.epoch)


def _delivery(
    state: SagaState, step: str, about: str, command: str | None, at: int, attempt: int, epoch: int
) -> _Delivery:
    done = _first(
        event for event in state.events if event.step == step and event.cause == about and event.command == command
    )
    report = _first_report(
        one for one in state.reports if one.step == step and one.cause == about and one.command == command
    )
    return _Delivery(step, command, at, attempt, epoch, report, done)


def _first(found: Iterable[EventRef]) -> EventRef | None:
    return next(iter(found), None)


def _first_report(found: Iterable[ReportRef]) -> ReportRef | None:
    return next(iter(found), None)


def _attempt(state: SagaState, one: _Delivery, now: int, *, is_over: bool) -> Iterator[Span]:
    """The attempt; where its handler tells of itself, the time before it began is a wait."""
    told = next((p for p in reversed(state.progress) if p.step == one.step and p.command == one.command), None)
    begun = one.at
    if told is not None and one.ended_at is None and told.started_at > one.at:
        begun = min(told.started_at, now)
        yield _span(one, SpanKind.WAIT, StepStatus.QUEUED, one.at, begun)
    status = StepStatus.RUNNING if told is not None and one.ended_at is None else one.status
    ended = one.ended_at if one.ended_at is not None or not is_over else state.ended_at
    error = one.report.reason if one.report is not None and one.status is StepStatus.FAILED else None
    note = None if error is not None or one.report is None else one.report.reason
    yield _span(one, SpanKind.ATTEMPT, status, begun, ended, error, note or (told.note or None if told else None))


def _until_next(one: _Delivery, following: _Delivery | None, run: Run, step: StepState, now: int) -> Iterator[Span]:
    """What lies between the end of an attempt and the next: the delay of a retry, or standing still."""
    start = one.ended_at or one.at
    kind = SpanKind.WAIT if one.status.meaning.is_put_off else SpanKind.RETRY
    if following is not None:
        status = one.status if kind is SpanKind.WAIT else StepStatus.RETRYING
        yield _span(one, kind, status, start, max(start, following.at))
    elif step.status is StepStatus.PARKED:
        yield _span(one, SpanKind.WAIT, StepStatus.PARKED, start, None, note="waits to be resumed")
    elif step.status is StepStatus.RETRYING and run is step.runs[-1]:
        due = run.retry_at
        note = None if due is None else f"next attempt in {length(due - now)}" if due > now else "next attempt now"
        yield _span(one, SpanKind.RETRY, StepStatus.RETRYING, start, None, note=note)


def _undone(state: SagaState, sent: Sent) -> Iterator[Span]:
    """One attempt to undo an outcome."""
    done = _first(event for event in state.events if event.command == sent.id and event.cause == sent.about)
    done = done or _first(
        event for event in state.events if event.cause == sent.about and event.type == f"{sent.step}.compensated"
    )
    report = _first_report(one for one in state.reports if one.command == sent.id)
    one = _Delivery(sent.step, sent.id, sent.at, sent.attempt, sent.epoch, report, None if report else done)
    error = report.reason if report is not None else None
    yield _span(one, SpanKind.COMPENSATION, _undoing(one.status), sent.at, one.ended_at, error)


def _reported(report: ReportRef) -> StepStatus:
    """What a report says of its delivery; the tracker takes one of a kind that it does not know for a failure."""
    match report.kind:
        case runs.PARKED:
            return StepStatus.PARKED
        case runs.SKIPPED:
            return StepStatus.SKIPPED
        case _:
            return StepStatus.FAILED


def _undoing(status: StepStatus) -> StepStatus:
    """How a delivery that undoes stands, if one that runs the step would stand so."""
    if status is StepStatus.DONE:
        return StepStatus.COMPENSATED
    return StepStatus.COMPENSATING if status is StepStatus.QUEUED else status


def _paused(pause: Pause) -> Span:
    said = f"by {pause.by}" + (f": {pause.reason}" if pause.reason else "")
    whose = said if pause.scope == "saga" else f"{pause.scope}, {said}"
    return Span(
        step="",
        attempt=0,
        epoch=0,
        kind=SpanKind.PAUSE,
        status="paused",
        started_at=stamp(pause.at),
        ended_at=iso(pause.until),
        note=whose,
    )


def _span(
    one: _Delivery,
    kind: SpanKind,
    status: StepStatus,
    start: int,
    end: int | None,
    error: str | None = None,
    note: str | None = None,
) -> Span:
    return Span(
        step=one.step,
        attempt=one.attempt,
        epoch=one.epoch,
        kind=kind,
        status=status.value,
        started_at=stamp(start),
        ended_at=iso(end),
        error=error,
        note=note,
    )
