"""Identities of spans: those that a `traceparent` names, and at random where none does."""

from __future__ import annotations

import threading

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import get_current_span

from kafka_saga.observability.tracing.exporting import provided
from kafka_saga.observability.tracing.identity import GivenIds, identity_of, traceparent_of
from kafka_saga.wire.ids import trace_parent
from tests.unit.kafka_saga.observability.tracing.given import Kept

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_traceparent_is_read_and_written() -> None:
    assert traceparent_of(get_current_span(identity_of(PARENT).context)) == PARENT
    made = trace_parent("acme/shop#7@3f2a", "2617f947-7976-5540-8000-000000000000")
    assert traceparent_of(get_current_span(identity_of(made).context)) == made


def test_the_next_span_has_the_id_it_is_given_and_those_after_it_have_their_own() -> None:
    kept = Kept()
    provider, ids = provided("svc", kept)
    ids.give(trace=7, span=8)
    for _ in range(2):
        provider.get_tracer("t").start_span("one").end()
    first, second = map(context_of, kept.spans)
    assert first == (7, 8)
    assert 7 != second[0] != 0
    assert 8 != second[1] != 0


def test_a_parents_trace_counts_more_than_one_that_is_given() -> None:
    kept = Kept()
    provider, ids = provided("svc", kept)
    ids.give(trace=7, span=8)
    provider.get_tracer("t").start_span("one", identity_of(PARENT).context).end()
    assert context_of(kept.spans[0]) == (int(PARENT[3:35], 16), 8)


def test_what_is_given_is_of_one_thread() -> None:
    ids = GivenIds()
    ids.give(span=8)
    found: list[int] = []
    other = threading.Thread(target=lambda: found.append(ids.generate_span_id()))
    other.start()
    other.join()
    assert found != [8]
    assert ids.generate_span_id() == 8


def test_zero_is_no_id() -> None:
    ids = GivenIds()
    ids.give()
    assert ids.generate_span_id() != 0 != ids.generate_trace_id()


def context_of(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id
