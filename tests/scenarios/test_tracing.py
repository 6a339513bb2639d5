"""One trace is one saga: who is whose parent, over retries, compensations and commands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from kafka_saga.definition.model import COMPLETED, OnFailure, Retry, Saga, Step
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_STEPS
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.event import Event
from kafka_saga.observability.tracing.exporting import provided
from kafka_saga.observability.tracing.spans import Spans
from kafka_saga.testing.kit import SagaTest
from kafka_saga.wire.ids import start_id
from tests.scenarios.test_what_kafka_refuses import limit

SPANS = InMemorySpanExporter()
PROVIDER, IDS = provided("kit", SimpleSpanProcessor(SPANS))
TRACER: Tracer = PROVIDER.get_tracer("user")
"""What the authors of handlers trace with."""


class Begun(Event):
    event_type: ClassVar[str] = "journey.begun"

    name: str


class Booked(Begun):
    event_type: ClassVar[str] = "journey.booked"


class Paid(Begun):
    event_type: ClassVar[str] = "journey.paid"


JOURNEY = Saga(
    name="journey",
    version=1,
    starts_on=Begun,
    key="{name}",
    run="once",
    steps=(
        Step("book", on=Begun, emits=(Booked,), compensates=True),
        Step("pay", on=Booked, emits=(Paid,), retry=Retry(attempts=3)),
    ),
    ends={Paid: COMPLETED},
    on_failure=OnFailure.COMPENSATE,
)

TRACE_OF_CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
seen: list[str | None] = []


def book(event: Begun, context: Context) -> Booked:
    seen.append(context.traceparent)
    with TRACER.start_as_current_span("ask the hotel"):
        return Booked(name=event.name)


async def pay(event: Booked, _: Context) -> Paid:
    with TRACER.start_as_current_span("ask the bank"):
        await asyncio.sleep(0.5)
    return Paid(name=event.name)


def cancel(_: Booked, __: Context) -> str:
    return "free again"


@pytest.fixture
def world() -> Iterator[SagaTest]:
    SPANS.clear()
    seen.clear()
    with SagaTest(JOURNEY, {"book": book, "pay": pay}, {"book": cancel}) as made:
        for process in made.system.processes.values():
            process.worker.tracing = Spans(PROVIDER, IDS, process.name.group)
        yield made


def finished() -> tuple[ReadableSpan, ...]:
    return SPANS.get_finished_spans()


def lineage(span: ReadableSpan) -> list[str]:
    """The names from the root of the trace to `span`; `?` in place of a parent that is nowhere."""
    by_id = {one.context.span_id: one for one in finished() if one.context is not None}
    names = [span.name]
    while span.parent is not None:
        if span.parent.span_id not in by_id:
            return ["?", *names]
        span = by_id[span.parent.span_id]
        names.insert(0, span.name)
    return names


def named(name: str) -> list[ReadableSpan]:
    return [span for span in finished() if span.name == name]


def only(name: str) -> ReadableSpan:
    (found,) = named(name)
    return found


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def traces() -> set[int]:
    return {span.context.trace_id for span in finished() if span.context is not None}


BOOKED = ["process journey.begun", "send journey.begun", "process journey.begun", "send journey.booked"]


def test_a_saga_is_one_trace_whose_parents_are_its_causes(world: SagaTest) -> None:
    world.given(Begun(name="ann"))
    world.advance(seconds=1)
    assert len(traces()) == 1
    assert lineage(only("send journey.paid")) == [*BOOKED, "process journey.booked", "send journey.paid"]
    assert len(finished()) == 3 * 3 - 1 + 2  # intake has no handler; handlers traced two calls of their own


def test_what_a_handler_traces_is_inside_its_span(world: SagaTest) -> None:
    world.given(Begun(name="ann"))
    world.advance(seconds=1)
    assert lineage(only("ask the hotel"))[-2:] == ["book", "ask the hotel"]
    assert lineage(only("ask the bank")) == [*BOOKED, "process journey.booked", "pay", "ask the bank"]
    own = only("book").context
    assert own is not None
    assert seen == [f"00-{own.trace_id:032x}-{own.span_id:016x}-01"]


def test_a_retry_has_a_span_of_its_own_beside_that_of_the_attempt_before(world: SagaTest) -> None:
    world.fail("pay", RetryableError("the bank is away"), times=1)
    world.given(Begun(name="ann"))
    world.advance(minutes=1)
    failed, retried = only("process journey.booked"), only("process pay.work")
    assert len(traces()) == 1
    assert lineage(failed) == [*BOOKED, "process journey.booked"]
    assert lineage(retried) == [*BOOKED, "send pay.work", "process pay.work"]
    assert [attributes(span)["saga.attempt"] for span in (failed, retried)] == [1, 2]
    assert [attributes(span)["saga.outcome"] for span in (failed, retried)] == ["failed", "done"]


def test_an_error_is_recorded(world: SagaTest) -> None:
    world.fail("pay", RetryableError("the bank is away"), times=1)
    world.given(Begun(name="ann"))
    world.advance(minutes=1)
    whole, handler = only("process journey.booked"), named("pay")[0]
    assert (whole.status.status_code, whole.status.description) == (StatusCode.ERROR, "the bank is away")
    assert attributes(whole)["error.type"] == "retryable"
    (event,) = handler.events
    assert (event.attributes or {})["exception.message"] == "the bank is away"


def test_an_unexpected_error_has_its_traceback(world: SagaTest) -> None:
    world.fail("pay", ZeroDivisionError("by nought"), times=1)
    world.given(Begun(name="ann"))
    world.advance(minutes=1)
    noted = named("pay")[0].events[0].attributes or {}
    assert noted["exception.type"] == "ZeroDivisionError"
    assert "Traceback" in str(noted["exception.stacktrace"])


def test_a_compensation_is_in_the_trace_under_what_it_undoes(world: SagaTest) -> None:
    world.fail("pay", TerminalError("no money"))
    run = world.given(Begun(name="ann"))
    world.advance(minutes=1)
    assert run.compensated == ("book",)
    assert len(traces()) == 1
    undone = only("undo book")
    assert lineage(undone) == [*BOOKED, "send book.work", "process book.work", "undo book"]
    assert attributes(undone)["saga.compensating"] is True
    assert lineage(only("send book.compensated")) == [*lineage(undone)[:-1], "send book.compensated"]


def test_a_duplicate_start_is_a_span_that_says_so(world: SagaTest) -> None:
    world.given(Begun(name="ann"))
    world.given(Begun(name="ann"))
    world.advance(seconds=1)
    skipped = [span for span in named("process journey.begun") if attributes(span)["saga.outcome"] == "skipped"]
    assert [attributes(span)["saga.reason"] for span in skipped] == ["this saga was started before"]
    assert len(traces()) == 1


def test_spans_say_what_they_are_about(world: SagaTest) -> None:
    world.given(Begun(name="ann"))
    world.advance(seconds=1)
    whole = only("process journey.booked")
    assert whole.kind is SpanKind.CONSUMER
    expected = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": "journey.booked",
        "messaging.consumer.group.name": "pay",
        "saga.id": "ann@once",
        "saga.definition": "journey",
        "saga.version": 1,
        "saga.step": "pay",
        "saga.attempt": 1,
        "saga.epoch": 0,
        "saga.outcome": "done",
        "saga.compensating": False,
    }
    assert expected.items() <= attributes(whole).items()
    assert isinstance(attributes(whole)["messaging.kafka.offset"], int)
    assert attributes(whole)["saga.queue_ms"] >= 0
    sent = only("send journey.paid")
    assert (sent.kind, attributes(sent)["saga.step"]) == (SpanKind.PRODUCER, "pay")


def test_a_trace_that_the_publisher_has_begun_goes_on(world: SagaTest) -> None:
    header = ("traceparent", TRACE_OF_CALLER.encode())
    world.system.cluster.publisher().publish(Begun.event_type, None, b'{"name": "ann"}', [header])
    world.advance(seconds=1)
    assert {f"{one:032x}" for one in traces()} == {TRACE_OF_CALLER[3:35]}
    assert lineage(only("send journey.paid"))[0] == "?"
    first = next(span for span in finished() if lineage(span)[0] == "?" and len(lineage(span)) == 2)
    assert first.parent is not None
    assert f"{first.parent.span_id:016x}" == TRACE_OF_CALLER[36:52]


def test_a_trace_that_is_not_sampled_leaves_no_spans(world: SagaTest) -> None:
    header = ("traceparent", f"{TRACE_OF_CALLER[:-2]}00".encode())
    world.system.cluster.publisher().publish(Begun.event_type, None, b'{"name": "ann"}', [header])
    world.advance(seconds=1)
    assert finished() == ()


def headers_of(world: SagaTest) -> dict[str, list[tuple[str, bytes]]]:
    topics = (Begun.event_type, Booked.event_type, Paid.event_type, "pay.work", SAGA_STEPS, DEAD_LETTERS)
    return {
        f"{topic}[{record.partition}]@{record.offset}": record.headers
        for topic in topics
        for record in world.system.records(topic)
    }


def told(*, traced: bool) -> dict[str, list[tuple[str, bytes]]]:
    with SagaTest(JOURNEY, {"book": book, "pay": pay}, {"book": cancel}) as world:
        for process in world.system.processes.values():
            process.worker.tracing = Spans(PROVIDER, IDS, process.name.group) if traced else None
        world.fail("pay", RetryableError("the bank is away"), times=1)
        world.given(Begun(name="ann"))
        world.advance(minutes=1)
        return headers_of(world)


def test_what_is_on_the_log_does_not_depend_on_tracing() -> None:
    assert told(traced=True) == told(traced=False)


def test_an_event_that_was_written_has_the_span_that_its_traceparent_names(world: SagaTest) -> None:
    world.given(Begun(name="ann"))
    world.advance(seconds=1)
    own = next(span for span in named("send journey.begun") if span.context is not None).context
    assert own is not None
    assert f"{own.span_id:016x}" == start_id("ann@once", Begun.event_type).replace("-", "")[:16]


def test_work_of_a_process_that_was_killed_is_traced_where_it_is_taken_up_again(world: SagaTest) -> None:
    world.run()
    world.system.publish(Begun.event_type, {"name": "ann"})
    world.system.turn("book/1")
    world.kill("book")
    world.start("book")
    for process in world.system.processes.values():
        process.worker.tracing = process.worker.tracing or Spans(PROVIDER, IDS, process.name.group)
    world.advance(minutes=5)
    assert len(traces()) == 1
    assert len(named("send journey.paid")) == 1
    assert lineage(only("send journey.paid"))[0] == "process journey.begun"


def test_outside_of_a_handler_no_span_is_current(world: SagaTest) -> None:
    world.given(Begun(name="ann"))
    world.advance(seconds=1)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_what_kafka_does_not_take_is_one_span_that_failed(world: SagaTest) -> None:
    limit(world, Paid.event_type, 50)
    world.given(Begun(name="ann"))
    world.advance(minutes=1)
    whole = only("process journey.booked")
    assert (attributes(whole)["saga.outcome"], attributes(whole)["error.type"]) == ("failed", "terminal")
    assert lineage(only("pay")) == [*BOOKED, "process journey.booked", "pay"]
    assert named("send journey.paid") == []


def test_what_a_person_puts_off_is_a_span_without_a_handler(world: SagaTest) -> None:
    world.delay("book", timedelta(seconds=5))
    run = world.given(Begun(name="ann"))
    run.pause("lunch")
    world.advance(seconds=10)
    run.resume()
    world.advance(minutes=1)
    outcomes = [
        attributes(span)["saga.outcome"] for span in (*named("process journey.booked"), *named("process pay.work"))
    ]
    assert outcomes == ["parked", "done"]
    assert len(named("pay")) == 1
    assert len(traces()) == 1
