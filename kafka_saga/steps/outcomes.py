"""How deliveries end: outcomes, reports and dead letters, with the changes that are committed beside them."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_saga.broker.reasons import milliseconds, sound
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.engine.outgoing import as_events, dead_letter, failed, outcome, parked, progress, skipped
from kafka_saga.engine.state_store import Change, StoreSpec
from kafka_saga.engine.work import (
    Crashed,
    Delivery,
    Died,
    Ended,
    Interrupted,
    Kind,
    Raised,
    Result,
    Returned,
    TimedOut,
    Write,
)
from kafka_saga.errors import DecodeError, RetryableError, TerminalError
from kafka_saga.events.compensated import compensated_event
from kafka_saga.events.event import Event
from kafka_saga.events.reports import StepFailed, StepParked, StepProgress, StepSkipped
from kafka_saga.steps.control_gates import Parked, Skipped, Verdict
from kafka_saga.wire.codec import Codec


class Outcomes:
    """Makes the ends of a service's deliveries.

    `marks` is the store of the sagas that have started, by which intake knows a start of `start_topic` again; `state`
    that of what handlers keep for their key.
    """

    def __init__(
        self, service: str, codec: Codec, start_topic: str, marks: StoreSpec | None, state: StoreSpec | None
    ) -> None:
        self._service = service
        self._source = f"/services/{service}"
        self._codec = codec
        self._start_topic = start_topic
        self._marks = marks
        self._state = state

    def of_result(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """What a handler's result leads to."""
        try:
            match result:
                case Returned(value):
                    return self._done(delivery, value, now)
                case Raised(RetryableError() as error):
                    after = milliseconds(error.retry_after)
                    return self.failed(delivery, "retryable", error.reason, now, retry_after_ms=after)
                case Raised(TerminalError() as error):
                    return self.failed(delivery, "terminal", error.reason, now, retryable=False)
                case Raised(error, traceback, kind):
                    reason = f"unexpected {kind or type(error).__name__}: {sound(error)}"
                    return self.failed(delivery, "unexpected", reason, now, traceback=traceback)
                case TimedOut(seconds):
                    return self.failed(delivery, "timeout", f"timeout: no result after {seconds:g} s", now)
                case Died(exitcode):
                    return self.failed(delivery, "crashed", f"the handler's process died with {exitcode}", now)
                case Crashed(times):
                    reason = f"its process died {times} times while it was worked on"
                    return self.failed(delivery, "crashed", reason, now, retryable=False)
                case Interrupted():
                    return self.skipped(delivery, "interrupted", delivery.disturbed or "interrupted", now)
        except TerminalError as error:
            return self.failed(delivery, "terminal", error.reason, now, retryable=False)

    def failed(
        self,
        delivery: Delivery,
        code: str,
        reason: str,
        now: int,
        *,
        retryable: bool = True,
        retry_after_ms: int | None = None,
        traceback: str = "",
    ) -> Ended:
        """It ended without an outcome."""
        report = StepFailed(
            step=delivery.job.step.name,
            reason=sound(reason),
            code=code,
            retryable=retryable,
            retry_after_ms=retry_after_ms,
            traceback=sound(traceback),
        )
        record = failed(delivery, report, self._codec.encode(report), self._source, now)
        return self._ended(delivery, Kind.FAILED, [record], now, reason=report.reason)

    def gated(self, delivery: Delivery, verdict: Verdict, now: int) -> Ended:
        """Control keeps it from being worked on; of a start, intake takes note, since the tracker asks for it again."""
        match verdict:
            case Skipped(code, reason):
                return self.skipped(delivery, code, reason, now)
            case Parked(reason):
                report = StepParked(step=delivery.job.step.name, reason=sound(reason))
                record = parked(delivery, report, self._codec.encode(report), self._source, now)
                return self._ended(delivery, Kind.PARKED, [record], now, reason=reason)

    def skipped(self, delivery: Delivery, code: str, reason: str, now: int) -> Ended:
        """Nobody wants it any more."""
        record = self._skip(delivery, code, reason, now)
        return self._ended(delivery, Kind.SKIPPED, [record], now, reason=reason)

    def duplicate(self, delivery: Delivery, now: int) -> Ended:
        """The start of a saga that was started before: the mark is there, and stays as it is."""
        reason = "this saga was started before"
        record = self._skip(delivery, "duplicate_start", reason, now)
        return Ended(delivery.record, Kind.SKIPPED, [record], reason=reason, job=delivery.job)

    def dead(self, record: Record, error: DecodeError, now: int, known: Delivery | None) -> Ended:
        """A dead letter; if it names a saga, also a failed report, so that the saga does not hang."""
        letter = dead_letter(record, error, self._service)
        if known is None:
            return Ended(record, Kind.DEAD, [letter], reason=str(error))
        report = self.failed(known, "undecodable", f"undecodable: {error}", now, retryable=False)
        return Ended(record, Kind.DEAD, [letter, *report.outgoing], report.changes, str(error), known.job)

    def progress(self, delivery: Delivery, now: int) -> Write | None:
        """How far a handler is; none if it does not run here."""
        if (context := delivery.context) is None:
            return None
        done, total, note = context.noted
        name = delivery.job.step.name
        report = StepProgress(step=name, started_at=context.started_at, done=done, total=total, note=sound(note))
        record = progress(delivery, report, self._codec.encode(report), self._source, now)
        return Write(delivery.record.partition, [record])

    # ---- inside

    def _done(self, delivery: Delivery, returned: object, now: int) -> Ended:
        events = [undone(delivery, returned)] if is_undoing(delivery) else declared(delivery, as_events(returned))
        outgoing = [
            outcome(delivery, event, self._codec.encode(event), index, self._source, now)
            for index, event in enumerate(events)
        ]
        return self._ended(delivery, Kind.DONE, outgoing, now, changes=self._kept(delivery))

    def _skip(self, delivery: Delivery, code: str, reason: str, now: int) -> Outgoing:
        report = StepSkipped(step=delivery.job.step.name, reason=sound(reason), code=code)
        return skipped(delivery, report, self._codec.encode(report), self._source, now)

    def _ended(
        self,
        delivery: Delivery,
        kind: Kind,
        outgoing: list[Outgoing],
        now: int,
        *,
        reason: str = "",
        changes: tuple[Change, ...] = (),
    ) -> Ended:
        """The end of a delivery; of a start, also the mark by which intake knows it again."""
        if delivery.record.topic == self._start_topic and self._marks is not None:
            changes = (*changes, self._marks.change(delivery.envelope.subject.encode(), now))
        took, spans = delivery.took, delivery.spans
        return Ended(delivery.record, kind, outgoing, changes, reason, delivery.job, took, spans)

    def _kept(self, delivery: Delivery) -> tuple[Change, ...]:
        """What the handler keeps for its key."""
        if self._state is None or delivery.state is None or not delivery.state.changed:
            return ()
        if not isinstance(delivery.state.value, bytes | None):
            raise TerminalError(f"context.state was set to a {type(delivery.state.value).__name__}; set bytes or None")
        return (self._state.change(delivery.record.key or b"", delivery.state.value),)


def is_undoing(delivery: Delivery) -> bool:
    """Whether a delivery is to undo what its step has done."""
    return delivery.command is not None and delivery.command.compensates


def undone(delivery: Delivery, returned: object) -> Event:
    """What ends a compensation. Raises TerminalError if it returned something else than a note."""
    step = delivery.job.step
    if not isinstance(returned, str | None):
        got = type(returned).__name__
        raise TerminalError(f"the compensation of step {step.name} returned {got}; return None, or a note as text")
    return compensated_event(step.compensated_type)(step=step.name, note=sound(returned or ""))


def declared(delivery: Delivery, events: Sequence[object]) -> list[Event]:
    """The returned events, if the step may emit them. Raises TerminalError that says what was declared."""
    step = delivery.job.step
    expected: tuple[type[Event], ...] = step.emits
    for event in events:
        if type(event) not in expected:
            names = ", ".join(sorted(kind.event_type for kind in expected)) or "nothing more"
            got = event.event_type if isinstance(event, Event) else type(event).__name__
            raise TerminalError(f"step {step.name} returned {got}; declared: {names}")
        expected = step.also
    if not events:
        raise TerminalError(f"step {step.name} returned no event; it must return one of its outcomes")
    return [event for event in events if isinstance(event, Event)]
