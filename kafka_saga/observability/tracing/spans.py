"""The spans of a worker: of each delivery, of its handler inside, and of each event that is written at its end.

A delivery's span begins with its handler and ends with the commit. An event's begins and ends with the commit that
wrote it, and has the identity that is in the event's `traceparent`: an event that was rolled back has none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from opentelemetry import context as ambient
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from kafka_saga.broker.reasons import sound
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_COMMANDS, SAGA_LIFECYCLE, SAGA_STEPS
from kafka_saga.engine.work import (
    Batch,
    Crashed,
    Delivery,
    Died,
    Ended,
    Interrupted,
    Job,
    Kind,
    Raised,
    Result,
    Returned,
    TimedOut,
)
from kafka_saga.observability.tracing.attributes import Attributes, Headers, of_outgoing, of_record, of_work, text
from kafka_saga.observability.tracing.identity import GivenIds, identity_of, traceparent_of
from kafka_saga.wire.envelope import trace_of
from kafka_saga.wire.ids import child_of, trace_parent

UNTRACED = frozenset({SAGA_STEPS, SAGA_LIFECYCLE, SAGA_COMMANDS, DEAD_LETTERS})
"""What is written about sagas: no step works on it, so nothing would be the child of its span."""

PATIENCE = 5.0
"""Seconds at most that sending the last spans may take at the end."""


class Pair(NamedTuple):
    """The spans of a delivery that runs."""

    whole: Span
    handler: Span


class Spans:
    """Makes a worker's spans; `group` is its consumer group. `ids` are those of the provider."""

    def __init__(
        self, provider: TracerProvider, ids: GivenIds, group: str, now: Callable[[], int] = time.time_ns
    ) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("kafka_saga")
        self._ids = ids
        self._group = group
        self._now = now

    @contextmanager
    def running(self, delivery: Delivery) -> Iterator[None]:
        """As `Tracing.running`: the handler's span is the current one of whatever is started inside."""
        record, job = delivery.record, delivery.job
        whole = self._begun(record, job, self._now())
        asked = of_work(record, dict(record.headers), job)
        name = f"undo {job.step.name}" if asked["saga.compensating"] else job.step.name
        handler = self._tracer.start_span(name, set_span_in_context(whole, Context()), SpanKind.INTERNAL, asked)
        delivery.spans = Pair(whole, handler)
        if delivery.context is not None:
            whole.set_attribute("saga.queue_ms", max(0, delivery.context.started_at - record.timestamp))
            delivery.context.traceparent = traceparent_of(handler)
        token = ambient.attach(set_span_in_context(handler, Context()))
        try:
            yield
        finally:
            ambient.detach(token)

    def ended(self, delivery: Delivery, result: Result) -> None:
        """As `Tracing.ended`."""
        if not isinstance(delivery.spans, Pair):
            return
        handler = delivery.spans.handler
        match result:
            case Returned():
                pass
            case Raised(error, traceback, kind):
                _note_error(handler, sound(error), kind or type(error).__name__, traceback)
            case TimedOut(seconds):
                _note_error(handler, f"no result after {seconds:g} s", "timeout")
            case Died(exitcode):
                _note_error(handler, f"its process died with {exitcode}", "crashed")
            case Interrupted() | Crashed():
                handler.set_attribute("saga.interrupted", value=True)
        handler.end(self._now())

    def given_up(self, delivery: Delivery) -> None:
        """As `Tracing.given_up`."""
        if not isinstance(delivery.spans, Pair):
            return
        for span in reversed(delivery.spans):
            span.set_attribute("saga.outcome", "given_up")
            span.end(self._now())

    def committed(self, batch: Batch, seconds: float) -> None:
        """As `Tracing.committed`."""
        end = self._now()
        began = end - round(seconds * 1e9)
        for ended in batch.ended:
            if ended.kind is not Kind.IGNORED:
                self._concluded(ended, began, end)
        for made in batch.made:
            self._written(made.outgoing, None, began, end)

    def close(self) -> None:
        """As `Tracing.close`."""
        closing = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        closing.start()
        closing.join(PATIENCE)

    # ---- inside

    def _concluded(self, ended: Ended, began: int, end: int) -> None:
        """The end of a record; what rules without a step (the tracker) has spans of what it asks for alone."""
        whole = self._whole_of(ended, began)
        self._written(ended.outgoing, whole, began, end)
        if whole is None:
            return
        whole.set_attribute("saga.outcome", ended.kind.value)
        if ended.kind in {Kind.FAILED, Kind.DEAD}:
            headers: Headers = dict(ended.outgoing[0].headers) if ended.outgoing else {}
            code = text(headers, "ce_code") or text(headers, "dlq_code")
            whole.set_attribute("error.type", code or ended.kind.value)
            whole.set_status(Status(StatusCode.ERROR, ended.reason))
        elif ended.reason:
            whole.set_attribute("saga.reason", ended.reason)
        whole.end(end)

    def _whole_of(self, ended: Ended, began: int) -> Span | None:
        """The span of a record: that of its delivery, or one for what ended without a handler."""
        if isinstance(ended.spans, Pair):
            return ended.spans.whole
        if ended.kind is Kind.NORMALISED:
            return self._begun(ended.record, None, began, ended.outgoing[0])
        if ended.job is not None or (ended.kind is Kind.DEAD and trace_of(dict(ended.record.headers)) is not None):
            return self._begun(ended.record, ended.job, began)
        return None

    def _begun(self, record: Record, job: Job | None, began: int, start: Outgoing | None = None) -> Span:
        """The span of a record that is worked on: a child of the one that wrote it, else the first of its trace.

        `start`: what a raw record leads to, of which the trace is known.
        """
        headers = dict(record.headers)
        attributes = of_record(record, headers, self._group)
        if job is not None:
            attributes |= of_work(record, headers, job)
        given = trace_of(headers)
        if given is None:
            self._ids.give(trace=_trace_of_saga(headers, start))
        context = identity_of(given).context if given is not None else Context()
        return self._tracer.start_span(
            f"process {record.topic}", context, SpanKind.CONSUMER, attributes, start_time=began
        )

    def _written(self, outgoing: Iterable[Outgoing], whole: Span | None, began: int, end: int) -> None:
        """A span for each event and command, with the identity that it carries; what it asks for is its child."""
        for record in outgoing:
            headers = dict(record.headers)
            given = trace_of(headers) if record.topic not in UNTRACED else None
            if given is None:
                continue
            own = identity_of(given)
            context = set_span_in_context(whole, Context()) if whole is not None else _cause_of(given, headers)
            self._ids.give(own.trace, own.span)
            attributes = of_outgoing(record, headers)
            name = f"send {record.topic}"
            self._tracer.start_span(name, context, SpanKind.PRODUCER, attributes, start_time=began).end(end)


def _trace_of_saga(headers: Headers, start: Outgoing | None) -> int:
    """The trace of a saga whose record carries none: as a worker makes it for what it writes."""
    given = trace_of(dict(start.headers)) if start is not None else None
    if given is not None:
        return identity_of(given).trace
    subject = text(headers, "ce_subject")
    return identity_of(trace_parent(subject, text(headers, "ce_id"))).trace if subject else 0


def _cause_of(given: str, headers: Headers) -> Context:
    """Of what nobody's delivery led to: the span that wrote its cause, whose identity is made from the cause's id."""
    cause = trace_of({"traceparent": child_of(given, text(headers, "ce_causationid")).encode()})
    return identity_of(cause).context if cause is not None else Context()


def _note_error(span: Span, reason: str, kind: str, traceback: str = "") -> None:
    """As the conventions record an exception (`Recording exceptions on spans`)."""
    noted: Attributes = {"exception.type": kind, "exception.message": reason}
    if traceback:
        noted["exception.stacktrace"] = traceback
    span.add_event("exception", noted)
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, reason))
