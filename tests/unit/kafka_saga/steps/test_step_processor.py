"""What records and results mean to a service: starts, outcomes, and a report of whatever else a handler does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.model import Saga, Step
from kafka_saga.definition.topics import SAGA_STEPS
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context, KeyedState, Noted
from kafka_saga.engine.state_store import Store
from kafka_saga.engine.work import (
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
    Start,
    TimedOut,
)
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.reports import REPORTS, StepFailed, StepProgress
from kafka_saga.steps.definition_registry import Statement
from kafka_saga.steps.step_processor import StepProcessor
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import from_headers
from kafka_saga.wire.ids import event_id, report_id
from kafka_saga.worker.service import Service
from schemas.events.code_review import PrReceived, PrRejected, PrValidated
from tests.unit.kafka_saga.engine.dead_letters import corpus, examples
from topology.code_review import CODE_REVIEW

NOW = 1_767_225_600_000
HERE = partition_of(corpus.KEY, 4)
REPORTED = Codec(REPORTS)


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def never(event: PrReceived, _: Context) -> PrValidated:
    raise AssertionError(event)


def logic(step: str = "validate", *, stateful: bool = False, saga: Saga = CODE_REVIEW) -> StepProcessor:
    (found,) = Service("tested", {saga: {step: never}}, stateful=stateful).processors(4)
    return found


def stores(of: StepProcessor) -> dict[str, Store]:
    return {spec.topic: Store(spec, HERE) for spec in of.stores}


def start_record(offset: int = 5, **changed: Any) -> Record:
    fields = {"value": corpus.good("pr.received"), "key": corpus.KEY, **changed}
    headers: list[Any] = fields.get("headers", corpus.envelope_of("pr.received"))
    return Record("pr.received", fields.get("partition", HERE), offset, 0, fields["key"], fields["value"], headers)


def delivered(of: StepProcessor, state: Mapping[str, Store] | None = None) -> Delivery:
    found = of.route(start_record(), {}, NOW)
    assert isinstance(found, Delivery)
    admitted = of.admit(found, state or stores(of), NOW)
    assert isinstance(admitted, Start)
    return found


def concluded(result: Result) -> tuple[Ended, Outgoing]:
    of = logic()
    ended = of.on_result(delivered(of), result, NOW)
    return ended, ended.outgoing[0]


def report(result: Result) -> tuple[StepFailed, dict[str, bytes]]:
    ended, outgoing = concluded(result)
    value = REPORTED.decode("step.failed", outgoing.value)
    assert ended.kind is Kind.FAILED
    assert outgoing.topic == SAGA_STEPS
    assert isinstance(value, StepFailed)
    return value, dict(outgoing.headers)


# ---- outcomes


def test_an_outcome_has_the_trigger_as_its_cause_and_an_id_of_what_caused_it() -> None:
    ended, outgoing = concluded(Returned(examples.VALIDATED))
    envelope, cause = from_headers(outgoing.headers), from_headers(start_record().headers)

    assert (ended.kind, outgoing.topic) == (Kind.DONE, "pr.validated")
    assert (outgoing.partition, outgoing.key) == (HERE, corpus.KEY)
    assert envelope.id == event_id(cause.id, "validate", "pr.validated", 0, 0)
    assert (envelope.causation_id, envelope.subject, envelope.step) == (cause.id, cause.subject, "validate")
    assert corpus.codec().decode("pr.validated", outgoing.value) == examples.VALIDATED


def test_any_of_several_outcomes_ends_the_step() -> None:
    rejected = PrRejected(pull_request=examples.PULL_REQUEST, code="no_changes", reason="nothing", stages=())

    assert concluded(Returned(rejected))[1].topic == "pr.rejected"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "step validate returned NoneType; declared: pr.rejected, pr.validated"),
        (examples.RECEIVED, "step validate returned pr.received; declared: pr.rejected, pr.validated"),
        ((), "step validate returned no event; it must return one of its outcomes"),
        ((examples.VALIDATED, examples.VALIDATED), "step validate returned pr.validated; declared: nothing more"),
        ("\ud800", "step validate returned str; declared: pr.rejected, pr.validated"),
    ],
)
def test_what_is_not_declared_is_a_terminal_failure_that_says_what_is(returned: object, said: str) -> None:
    value, _ = report(Returned(returned))

    assert (value.reason, value.code, value.retryable) == (said, "terminal", False)


@pytest.mark.parametrize(
    "spoiled",
    [
        examples.VALIDATED.model_copy(update={"files": 7}),
        examples.VALIDATED.model_copy(update={"stages": None}),
        PrRejected.model_construct(pull_request=examples.PULL_REQUEST, code="\ud800", reason="r", stages=()),
        PrRejected(pull_request=examples.PULL_REQUEST, code="c", reason="x" * 1_100_000, stages=()),
    ],
)
def test_an_outcome_that_cannot_be_written_is_a_terminal_failure(spoiled: object) -> None:
    value, headers = report(Returned(spoiled))

    assert value.code == "terminal"
    assert headers["ce_retryable"] == b"false"


# ---- failures


@pytest.mark.parametrize(
    ("result", "code", "reason", "retryable"),
    [
        (Raised(RetryableError("not now")), "retryable", "not now", True),
        (Raised(TerminalError("never")), "terminal", "never", False),
        (Raised(ValueError("why"), "trace"), "unexpected", "unexpected ValueError: why", True),
        (TimedOut(60.0), "timeout", "timeout: no result after 60 s", True),
        (Died(-9), "crashed", "the handler's process died with -9", True),
        (Crashed(3), "crashed", "its process died 3 times while it was worked on", False),
    ],
)
def test_what_a_handler_ends_with_is_reported(result: Result, code: str, reason: str, retryable: bool) -> None:
    value, headers = report(result)

    assert (value.code, value.reason, value.retryable) == (code, reason, retryable)
    assert headers["ce_reason"] == reason.encode()
    assert headers["ce_id"] == report_id("pr.received", HERE, 5, "validate", "step.failed").encode()
    assert headers["ce_delivery"] == f"pr.received/{HERE}/5".encode()


@pytest.mark.parametrize(("after", "said"), [(2.5, 2_500), (-1, 0), (math.nan, None), (math.inf, 2_592_000_000)])
def test_the_wait_a_handler_asks_for_is_passed_on_if_it_is_one(after: float, said: int | None) -> None:
    value, headers = report(Raised(RetryableError("later", retry_after=after)))

    assert value.retry_after_ms == said
    assert headers.get("ce_retryafterms") == (None if said is None else b"%d" % said)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("\udcff"),
        ValueError("nul \0 and \x1b[31m"),
        ValueError("x" * 3_000_000),
        MuteError(),
        TerminalError("\ud800"),
        TerminalError(None),  # type: ignore[arg-type]
        RetryableError("x" * 3_000_000),
        RetryableError("later", retry_after="soon"),  # type: ignore[arg-type]
    ],
)
def test_no_error_is_too_strange_to_be_reported(error: Exception) -> None:
    value, headers = report(Raised(error, "\udcff" * 5))

    assert len(value.reason) <= 11_000
    assert headers["ce_reason"].decode().isprintable()


@given(st.text(), st.text())
def test_any_reason_and_traceback_can_be_reported(reason: str, traceback: str) -> None:
    value, _ = report(Raised(RuntimeError(reason), traceback))

    assert value.reason.startswith("unexpected RuntimeError")


def test_what_kafka_does_not_take_is_reported_instead() -> None:
    of = logic()
    ended = of.on_result(delivered(of), Returned(examples.VALIDATED), NOW)

    instead = of.refuse(ended, "too large", NOW)

    assert (instead.kind, instead.reason) == (Kind.FAILED, "Kafka does not take the outcome: too large")
    assert [record.topic for record in instead.outgoing] == [SAGA_STEPS]


def test_a_raw_start_that_kafka_does_not_take_is_a_dead_letter() -> None:
    of = logic()
    ended = of.route(start_record(headers=[], key=None), {}, NOW)
    assert isinstance(ended, Ended)

    assert of.refuse(ended, "too large", NOW).kind is Kind.DEAD


# ---- starts


def test_a_start_is_marked_when_it_ends_and_then_known() -> None:
    of = logic()
    state = stores(of)
    ended = of.on_result(delivered(of, state), Raised(TerminalError("never")), NOW)
    for change in ended.changes:
        state[change.topic].put(change)

    again = of.route(start_record(9), {}, NOW)
    assert isinstance(again, Delivery)
    skipped = of.admit(again, state, NOW)

    assert isinstance(skipped, Ended)
    assert (skipped.kind, skipped.changes) == (Kind.SKIPPED, ())
    assert dict(skipped.outgoing[0].headers)["ce_reason"] == b"this saga was started before"


def test_a_start_whose_envelope_is_not_what_the_templates_give_is_named_anew() -> None:
    of = logic()
    headers = corpus.with_header(corpus.envelope_of("pr.received"), "ce_subject", b"acme/shop#7@other")
    found = of.route(start_record(headers=headers), {}, NOW)
    assert isinstance(found, Delivery)

    ended = of.admit(found, stores(of), NOW)

    assert isinstance(ended, Ended)
    assert ended.kind is Kind.NORMALISED
    assert dict(ended.outgoing[0].headers)["ce_subject"] == corpus.SAGA_ID.encode()


def test_a_start_that_names_a_saga_of_another_key_is_named_anew() -> None:
    headers = corpus.with_header(corpus.envelope_of("pr.received"), "ce_subject", b"acme/shop#7@other@3f2c")
    ended = logic().route(start_record(headers=headers), {}, NOW)

    assert isinstance(ended, Ended)
    assert ended.kind is Kind.NORMALISED
    assert dict(ended.outgoing[0].headers)["ce_subject"] == corpus.SAGA_ID.encode()


SECOND = Saga(
    name="twice",
    version=1,
    starts_on=PrReceived,
    key=CODE_REVIEW.key,
    run=CODE_REVIEW.run,
    steps=(
        Step("validate", on=PrReceived, emits=(PrValidated,)),
        Step("reject", on=PrReceived, emits=(PrRejected,)),
    ),
    ends={**CODE_REVIEW.ends, PrValidated: CODE_REVIEW.ends[PrRejected], PrRejected: CODE_REVIEW.ends[PrRejected]},
)


@pytest.mark.parametrize("subject", [None, b"acme/shop#7@other"])
def test_who_does_not_own_the_start_ignores_what_is_not_normalised(subject: bytes | None) -> None:
    (job,) = Service("tested", {CODE_REVIEW: {"validate": never}}).jobs  # with another step of the same trigger
    of = StepProcessor("other", SECOND, [Job(SECOND.steps_by_name["reject"], job.handler, job.mode)], 4)
    headers = corpus.with_header(corpus.envelope_of("pr.received"), "ce_sagadefinition", b"twice")
    record = start_record(headers=corpus.with_header(headers, "ce_subject", subject) if subject else [])
    found = of.route(record, {}, NOW)
    ended = of.admit(found, stores(of), NOW) if isinstance(found, Delivery) else found

    assert isinstance(ended, Ended)
    assert (ended.kind, ended.outgoing) == (Kind.IGNORED, [])


# ---- keyed state


def test_what_a_handler_keeps_is_committed_with_its_outcome() -> None:
    of = logic(stateful=True)
    delivery = delivered(of)
    assert isinstance(delivery.state, KeyedState)
    delivery.state.set(b"seen")

    changes = of.on_result(delivery, Returned(examples.VALIDATED), NOW).changes

    assert ("tested.state", corpus.KEY, b"seen") in changes


def test_what_a_failed_handler_kept_is_dropped() -> None:
    of = logic(stateful=True)
    delivery = delivered(of)
    assert isinstance(delivery.state, KeyedState)
    delivery.state.set(b"seen")

    ended = of.on_result(delivery, Raised(RetryableError("not now")), NOW)

    assert all(change.topic != "tested.state" for change in ended.changes)


def test_state_that_is_not_bytes_is_a_terminal_failure() -> None:
    of = logic(stateful=True)
    delivery = delivered(of)
    assert isinstance(delivery.state, KeyedState)
    delivery.state.set("text")  # type: ignore[arg-type]

    ended = of.on_result(delivery, Returned(examples.VALIDATED), NOW)

    assert (ended.kind, ended.reason) == (Kind.FAILED, "context.state was set to a str; set bytes or None")


# ---- what is told of a handler


def running(noted: Noted) -> tuple[StepProcessor, Delivery]:
    of = logic()
    delivery = delivered(of)
    delivery.context = Context("s@1", "s", "validate", 1, 0, BlobStore("memory://steps"), started_at=NOW, noted=noted)
    return of, delivery


def test_progress_says_since_when_and_how_far_in_its_headers() -> None:
    of, delivery = running(Noted(12, 40, "files\nread"))
    made = of.progress(delivery, NOW + 1_000)
    assert made is not None
    headers = dict(made.outgoing[0].headers)

    assert (made.number, made.outgoing[0].topic) == (HERE, SAGA_STEPS)
    assert [headers[f"ce_{name}"] for name in ("done", "total", "reason")] == [b"12", b"40", b"files read"]
    assert headers["ce_startedat"] == b"%d" % NOW
    assert headers["ce_id"] == report_id("pr.received", HERE, 5, "validate", "step.progress", NOW + 1_000).encode()


@pytest.mark.parametrize(
    ("done", "total", "note"), [(0, None, ""), (-5, 2**80, "\ud800 \0"), (3, 3, "x" * 2_000_000), (True, 2, "")]
)
def test_no_progress_is_too_strange_to_be_reported(done: int, total: int | None, note: str) -> None:
    of, delivery = running(Noted())
    assert delivery.context is not None
    delivery.context.progress(done, total, note)

    made = of.progress(delivery, NOW)
    assert made is not None
    value = REPORTED.decode("step.progress", made.outgoing[0].value)
    assert isinstance(value, StepProgress)
    assert value.done is not None
    assert value.done >= 0


def test_a_handler_that_was_interrupted_ends_as_skipped_and_says_why() -> None:
    of = logic()
    delivery = delivered(of)
    delivery.disturbed = "the saga is cancelled: superseded"
    ended = of.on_result(delivery, Interrupted(), NOW)
    headers = dict(ended.outgoing[0].headers)

    assert (ended.kind, headers["ce_code"]) == (Kind.SKIPPED, b"interrupted")
    assert headers["ce_reason"] == b"the saga is cancelled: superseded"


# ---- other versions


@pytest.mark.parametrize(
    ("steps", "is_ours"),
    [
        ({"validate": "pr.received"}, True),
        ({"validate": "pr.announced"}, False),
        ({"triage": "pr.received"}, False),
        (None, True),
    ],
)
def test_an_event_of_another_version_is_ours_unless_that_is_known_not_to_have_the_step(
    steps: dict[str, str] | None, is_ours: bool
) -> None:
    described: dict[str, object] = {"steps": [{"name": name, "on": on} for name, on in (steps or {}).items()]}
    known = [Statement("code_review", 7, "", described)] if steps is not None else []
    (of,) = Service("tested", {CODE_REVIEW: {"validate": never}}).processors(4, known)
    headers = [(name, b"7" if name == "ce_sagaversion" else value) for name, value in start_record().headers]
    found = of.route(start_record(headers=headers), {}, NOW)

    assert isinstance(found, Delivery) is is_ours
    assert is_ours or (isinstance(found, Ended) and (found.kind, found.outgoing) == (Kind.IGNORED, []))
