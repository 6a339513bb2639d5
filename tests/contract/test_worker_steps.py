"""A step: what becomes of a delivery, whatever its handler does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Record
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import TopicSpec
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.wire.ids import event_id
from kafka_saga.worker.service import Handler
from tests.support.example import PARTITIONS, Example, Fact, example
from tests.support.rig import Rig, envelope, header


def test_a_step_emits_one_outcome_for_each_delivery(rig: Rig, case: Example) -> None:
    worker = rig.worker(rig.service({"finish": finishing(case)}))
    rig.send([case.work_done(f"key{n % 50}", n) for n in range(500)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 500)
    rig.settle()
    assert outcomes.subjects() == sorted(f"key{n % 50}@{n}" for n in range(500))
    assert worker.runner.is_idle
    assert rig.reports().records() == []


def test_an_outcome_lies_beside_its_trigger_and_says_what_caused_it(rig: Rig, case: Example) -> None:
    rig.worker(rig.service({"finish": finishing(case)}))
    trigger = case.work_done("acme", 7)
    rig.send([trigger])
    outcome = one(rig, case.finished)
    cause, found = dict(trigger.headers), envelope(outcome)
    assert (outcome.partition, outcome.key) == (trigger.partition, b"acme")
    assert found.causation_id == cause["ce_id"].decode()
    assert found.id == event_id(found.causation_id, "finish", case.finished.event_type, 0, 0)
    assert (found.subject, found.step, found.attempt, found.epoch) == ("acme@7", "finish", 1, 0)
    assert (found.definition, found.version) == (case.saga.name, 1)


def test_two_services_pass_a_saga_on_from_start_to_end(rig: Rig, case: Example) -> None:
    async def work(event: Fact, _: Context) -> Fact:
        return case.worked(key=event.key, number=event.number)

    rig.worker(rig.service({"work": work}))
    rig.worker(rig.service({"finish": finishing(case)}))
    rig.send([case.start(f"key{n}", n) for n in range(100)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 100)
    rig.settle()
    assert outcomes.subjects() == sorted(f"key{n}@{n}" for n in range(100))


def test_by_products_go_with_their_outcome(rig: Rig, case: Example) -> None:
    rig.worker(rig.service({"work": lambda e, _: (worked(case, e), noted(case, e), noted(case, e))}))
    rig.send([case.start("acme", 1)])
    notes = rig.of(case.noted.event_type)
    rig.eventually(lambda: len(notes.records()) >= 2)
    outcome, trigger = envelope(one(rig, case.worked)), dict(case.start("acme", 1).headers)["ce_id"].decode()
    ids = [envelope(record).id for record in notes.records()]
    assert ids == [event_id(trigger, "work", case.noted.event_type, index, 0) for index in (1, 2)]
    assert outcome.id == event_id(trigger, "work", case.worked.event_type, 0, 0)


def retryable(_: Fact, __: Context) -> Fact:
    raise RetryableError("the shop is shut", retry_after=2.5)


def terminal(_: Fact, __: Context) -> Fact:
    raise TerminalError("there is no such shop")


def unexpected(_: Fact, __: Context) -> Fact:
    raise LookupError("a mistake")


async def cancels_itself(_: Fact, __: Context) -> Fact:
    awaited = asyncio.get_running_loop().create_future()
    awaited.cancel()
    await awaited
    raise AssertionError


async def exits(_: Fact, __: Context) -> Fact:
    raise SystemExit(3)


def exits_inline(_: Fact, __: Context) -> Fact:
    raise SystemExit(3)


def nothing(_: Fact, __: Context) -> None:
    return None


def no_event(_: Fact, __: Context) -> tuple[Fact, ...]:
    return ()


def a_string(_: Fact, __: Context) -> str:
    return "done"


FAILURES = [
    pytest.param(retryable, "the shop is shut", True, id="retryable"),
    pytest.param(terminal, "there is no such shop", False, id="terminal"),
    pytest.param(unexpected, "unexpected LookupError: a mistake", True, id="unexpected"),
    pytest.param(cancels_itself, "unexpected CancelledError", True, id="cancelled by itself"),
    pytest.param(exits, "unexpected SystemExit: 3", True, id="exits"),
    pytest.param(exits_inline, "unexpected SystemExit: 3", True, id="exits inline"),
    pytest.param(nothing, "step work returned NoneType; declared:", False, id="nothing"),
    pytest.param(no_event, "step work returned no event", False, id="no event"),
    pytest.param(a_string, "step work returned str; declared:", False, id="a string"),
]


@pytest.mark.parametrize(("handler", "reason", "is_retryable"), FAILURES)
def test_a_delivery_without_outcome_ends_as_failed(
    rig: Rig, case: Example, handler: Handler, reason: str, is_retryable: bool
) -> None:
    worker = rig.worker(rig.service({"work": handler}))
    trigger = case.start("acme", 1)
    rig.send([trigger])
    report = reported(rig)
    found = envelope(report)
    assert header(report, "ce_reason").startswith(reason)
    assert header(report, "ce_retryable") == str(is_retryable).lower()
    assert (found.type, found.step, found.subject) == ("step.failed", "work", "acme@1")
    assert found.causation_id == dict(trigger.headers)["ce_id"].decode()
    assert header(report, "ce_delivery") == f"{trigger.topic}/{trigger.partition}/0"
    assert (report.partition, report.key) == (trigger.partition, b"acme")
    assert worker.runner.is_idle
    assert rig.of(case.worked.event_type).records() == []


def test_a_retryable_error_says_when_to_try_again(rig: Rig, case: Example) -> None:
    rig.worker(rig.service({"work": retryable}))
    rig.send([case.start("acme", 1)])
    assert header(reported(rig), "ce_retryafterms") == "2500"


def test_an_outcome_of_another_step_is_refused_by_name(rig: Rig, case: Example) -> None:
    rig.worker(rig.service({"work": lambda event, _: case.finished(key=event.key, number=event.number)}))
    rig.send([case.start("acme", 1)])
    reason = header(reported(rig), "ce_reason")
    assert case.finished.event_type in reason
    assert all(kind.event_type in reason for kind in (case.worked, case.refused))


def test_an_outcome_larger_than_an_event_may_be_is_a_terminal_failure(rig: Rig, case: Example) -> None:
    def work(event: Fact, _: Context) -> Fact:
        return case.worked(key=event.key, number=event.number, text="x" * (1_200_000 if event.number == 3 else 1))

    rig.worker(rig.service({"work": work}))
    rig.send([case.start("acme", n) for n in range(6)])
    report = reported(rig)
    assert (envelope(report).subject, header(report, "ce_retryable")) == ("acme@3", "false")
    assert "1,000,000" in header(report, "ce_reason")
    outcomes = rig.of(case.worked.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 5)
    assert outcomes.subjects() == [f"acme@{n}" for n in (0, 1, 2, 4, 5)]


def test_a_record_that_kafka_does_not_take_fails_alone(
    rig_of: Callable[[Saga], Rig], case: Example, cluster: Cluster
) -> None:
    """Its topic takes less than an event may have: the batch is refused twice, then committed one by one."""
    small = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "20000"}
    cluster.admin().create_missing([TopicSpec(case.worked.event_type, PARTITIONS, 1, small)])
    rig = rig_of(case.saga)

    def work(event: Fact, _: Context) -> Fact:
        text = "".join(f"{n * n:x}" for n in range(40_000)) if event.number == 3 else ""
        return case.worked(key=event.key, number=event.number, text=text)

    worker = rig.worker(rig.service({"work": work}))
    rig.send([case.start("acme", n) for n in range(6)])
    report = reported(rig)
    assert (envelope(report).subject, header(report, "ce_retryable")) == ("acme@3", "false")
    assert header(report, "ce_reason").startswith("Kafka does not take the outcome")
    outcomes = rig.of(case.worked.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 5)
    assert outcomes.subjects() == [f"acme@{n}" for n in (0, 1, 2, 4, 5)]
    rig.eventually(lambda: worker.runner.is_idle)


def test_a_handler_that_takes_longer_than_its_timeout_is_stopped_and_reported(
    rig_of: Callable[[Saga], Rig],
) -> None:
    case = example(timedelta(milliseconds=50))
    rig = rig_of(case.saga)
    stopped: list[str] = []

    async def work(event: Fact, _: Context) -> Fact:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(event.key)
            raise
        raise AssertionError

    rig.worker(rig.service({"work": work}))
    rig.send([case.start("acme", 1)])
    report = reported(rig)
    assert header(report, "ce_reason") == "timeout: no result after 0.05 s"
    assert header(report, "ce_retryable") == "true"
    assert stopped == ["acme"]


def test_a_handler_sees_which_saga_and_attempt_it_works_for(rig: Rig, case: Example) -> None:
    seen: list[Context] = []

    def work(event: Fact, context: Context) -> Fact:
        seen.append(context)
        return worked(case, event)

    rig.worker(rig.service({"work": work}))
    rig.send([case.start("acme/shop#7", 2)])
    one(rig, case.worked)
    facts = [(c.saga_id, c.key, c.step, c.attempt, c.epoch) for c in seen]
    assert facts == [("acme/shop#7@2", "acme/shop#7", "work", 1, 0)]
    assert seen[0].idempotency_key == "acme/shop#7@2/work/0"


def finishing(case: Example) -> Handler:
    def finish(event: Fact, _: Context) -> Fact:
        return case.finished(key=event.key, number=event.number)

    return finish


def worked(case: Example, event: Fact) -> Fact:
    return case.worked(key=event.key, number=event.number)


def noted(case: Example, event: Fact) -> Fact:
    return case.noted(key=event.key, number=event.number)


def one(rig: Rig, kind: type[Fact]) -> Record:
    """The only record of an event type."""
    tail = rig.of(kind.event_type)
    rig.eventually(lambda: len(tail.records()) >= 1)
    rig.settle(3)
    (found,) = tail.records()
    return found


def reported(rig: Rig) -> Record:
    """The only report."""
    tail = rig.reports()
    rig.eventually(lambda: len(tail.records()) >= 1)
    rig.settle(3)
    (found,) = tail.records()
    return found
