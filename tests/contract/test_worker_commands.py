"""Commands to a step: it runs again, or undoes what it did, with an event that lies elsewhere on the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.model import Saga
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError
from kafka_saga.events.compensated import Compensated, compensated_event
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.ids import event_id, split_id
from tests.support.commands import Command
from tests.support.driver import unique
from tests.support.example import Example, Fact, commanded
from tests.support.rig import Rig, Tail, envelope, header


@pytest.fixture
def case() -> Example:
    return commanded(compensates=True)


class Hands:
    """Handlers of the first step that keep what they were given, and fail as long as they are told to."""

    def __init__(self, case: Example) -> None:
        self.case = case
        self.failures = 0
        self.seen: list[tuple[Fact, Context]] = []
        self.undone: list[tuple[Fact, Context]] = []

    def work(self, event: Fact, context: Context) -> Fact:
        self.seen.append((event, context))
        self._may_fail()
        count = int(context.state.get() or b"0") + 1
        context.state.set(b"%d" % count)
        return self.case.worked(key=event.key, number=event.number, text=f"{count}")

    async def undo(self, event: Fact, context: Context) -> str:
        self.undone.append((event, context))
        self._may_fail()
        return f"took back {event.text}"

    def _may_fail(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise RetryableError("not now")


def working(rig: Rig, case: Example) -> Hands:
    hands = Hands(case)
    rig.worker(rig.service({case.work: hands.work}, compensations={case.work: hands.undo}, stateful=True))
    return hands


def arrives(rig: Rig, tail: Tail, count: int = 1) -> Record:
    """The last of so many records."""
    rig.eventually(lambda: len(tail.records()) >= count)
    rig.settle(3)
    assert len(tail.records()) == count
    return tail.records()[-1]


def started(rig: Rig, case: Example, key: str = "") -> Record:
    """A start that has been worked on (or failed)."""
    rig.send([case.start(key or unique("key"), 1)])
    return arrives(rig, rig.of(case.started.event_type))


def test_a_step_runs_again_with_the_event_that_triggered_it(rig: Rig, case: Example) -> None:
    hands = working(rig, case)
    hands.failures = 1
    trigger = started(rig, case)
    arrives(rig, rig.reports())
    rig.send([Command(trigger, case.work, attempt=2).execute()])
    outcome = arrives(rig, rig.of(case.worked.event_type))

    found, cause = envelope(outcome), envelope(trigger)
    assert (found.causation_id, found.attempt, found.epoch) == (cause.id, 2, 0)
    assert found.id == event_id(cause.id, case.work, case.worked.event_type, 0, 0)
    assert header(outcome, "ce_command").startswith("command-")
    assert hands.seen[0][0] == hands.seen[1][0]
    assert [context.attempt for _, context in hands.seen] == [1, 2]
    assert not hands.seen[1][1].compensating


def test_an_execute_of_a_later_epoch_has_outcomes_of_its_own(rig: Rig, case: Example) -> None:
    working(rig, case)
    trigger = started(rig, case)
    first = arrives(rig, rig.of(case.worked.event_type))
    rig.send([Command(trigger, case.work, attempt=1, epoch=1).execute()])
    second = arrives(rig, rig.of(case.worked.event_type), 2)

    cause = envelope(trigger).id
    ids = [event_id(cause, case.work, case.worked.event_type, 0, epoch) for epoch in (0, 1)]
    assert [envelope(first).id, envelope(second).id] == ids
    assert envelope(second).epoch == 1
    assert rig.reports().records() == []  # the first step runs again: that is no duplicate start


def test_what_an_executed_step_keeps_for_its_key_is_kept(rig: Rig, case: Example) -> None:
    working(rig, case)
    trigger = started(rig, case)
    arrives(rig, rig.of(case.worked.event_type))
    rig.send([Command(trigger, case.work, epoch=1).execute()])
    second = arrives(rig, rig.of(case.worked.event_type), 2)
    event = Codec([case.worked]).decode(case.worked.event_type, second.value)
    assert isinstance(event, Fact)
    assert event.text == "2"


def test_a_report_of_an_executed_step_says_which_command_it_answers(rig: Rig, case: Example) -> None:
    hands = working(rig, case)
    hands.failures = 2
    trigger = started(rig, case)
    arrives(rig, rig.reports())
    rig.send([Command(trigger, case.work, attempt=2, ce_id="the-command").execute()])
    report = arrives(rig, rig.reports(), 2)

    assert (header(report, "ce_command"), header(report, "ce_code")) == ("the-command", "retryable")
    assert header(report, "ce_delivery") == f"{case.work}.work/{trigger.partition}/0"
    assert envelope(report).causation_id == envelope(trigger).id
    assert envelope(report).attempt == 2


def test_many_executes_are_worked_on_in_the_order_of_their_key(rig: Rig, case: Example) -> None:
    hands = working(rig, case)
    keys = [unique("key") for _ in range(5)]
    rig.send([case.start(key, number) for number in range(20) for key in keys])
    starts = rig.of(case.started.event_type)
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 100)
    hands.seen.clear()
    rig.send([Command(record, case.work, epoch=1).execute() for record in starts.records()])
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 200)
    ran = [event.number for event, _ in hands.seen if event.key == keys[0]]
    asked = [int(split_id(envelope(r).subject)[1]) for r in starts.records() if r.key == keys[0].encode()]
    assert ran == asked


def test_a_record_that_is_not_there_fails_the_delivery_for_good(rig: Rig, case: Example) -> None:
    """At its offset lies the marker of a transaction, and the topic goes on behind it."""
    working(rig, case)
    key = unique("key")
    trigger = started(rig, case, key)
    rig.send([case.start(key, 2)])
    arrives(rig, rig.of(case.worked.event_type), 2)
    rig.send([Command(trigger, case.work, offset=trigger.offset + 1).execute()])
    report = arrives(rig, rig.reports())
    assert (header(report, "ce_code"), header(report, "ce_retryable")) == ("missing_reference", "false")
    assert header(report, "ce_reason").startswith("there is no record")


def test_a_record_that_is_another_one_fails_the_delivery_for_good(rig: Rig, case: Example) -> None:
    working(rig, case)
    key = unique("key")
    trigger = started(rig, case, key)
    rig.send([case.start(key, 2)])
    other = arrives(rig, rig.of(case.started.event_type), 2)
    rig.send([Command(trigger, case.work, offset=other.offset).execute()])
    report = arrives(rig, rig.reports())
    assert (header(report, "ce_code"), header(report, "ce_retryable")) == ("missing_reference", "false")
    assert "is not the event" in header(report, "ce_reason")


def test_a_step_is_undone_with_its_own_outcome(rig: Rig, case: Example) -> None:
    hands = working(rig, case)
    trigger = started(rig, case)
    outcome = arrives(rig, rig.of(case.worked.event_type))
    rig.send([Command(outcome, case.work, attempt=1, ce_id="undo-it").compensate()])
    kind = f"{case.work}.compensated"
    done = arrives(rig, rig.of(kind))

    found = envelope(done)
    assert found.id == event_id(envelope(outcome).id, case.work, kind, 0, 0)
    assert (found.causation_id, found.step, found.type) == (envelope(outcome).id, case.work, kind)
    assert header(done, "ce_command") == "undo-it"
    value = Codec([compensated_event(kind)]).decode(kind, done.value)
    assert isinstance(value, Compensated)
    assert (value.step, value.note) == (case.work, "took back 1")
    ((event, context),) = hands.undone
    assert isinstance(event, case.worked)
    assert context.compensating
    assert context.idempotency_key == f"{envelope(trigger).subject}/{case.work}.compensate/0"


def test_a_compensation_that_fails_is_reported_and_may_be_tried_again(rig: Rig, case: Example) -> None:
    hands = working(rig, case)
    started(rig, case)
    outcome = arrives(rig, rig.of(case.worked.event_type))
    hands.failures = 1
    rig.send([Command(outcome, case.work, attempt=1).compensate()])
    report = arrives(rig, rig.reports())
    assert (header(report, "ce_code"), envelope(report).causation_id) == ("retryable", envelope(outcome).id)
    rig.send([Command(outcome, case.work, attempt=2).compensate()])
    assert envelope(arrives(rig, rig.of(f"{case.work}.compensated"))).attempt == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("ce_reference", b"somewhere"), ("ce_reference", b"saga.steps/0/0"), ("ce_controlrevision", b"-1")],
)
def test_a_command_that_is_malformed_is_a_dead_letter_and_is_reported(
    rig_of: Callable[[Saga], Rig], name: str, value: bytes
) -> None:
    case = commanded(compensates=True)
    rig = rig_of(case.saga)
    working(rig, case)
    trigger = started(rig, case)
    good = Command(trigger, case.work).execute()
    headers = [one for one in good.headers if one[0] != name]
    rig.send([Outgoing(good.topic, good.partition, good.key, None, [*headers, (name, value)])])
    report = arrives(rig, rig.reports())
    assert (header(report, "ce_code"), header(report, "ce_retryable")) == ("undecodable", "false")
    assert header(report, "ce_command").startswith("command-")
    rig.eventually(lambda: len(rig.letters().records()) == 1)
