"""A saga of orders in every standing that matters to a command: each told from its first fact on."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from kafka_saga.definition.model import Saga
from kafka_saga.events.commands import Act
from kafka_saga.tracker.core.facts import EventFact
from kafka_saga.tracker.core.fold import fold
from kafka_saga.tracker.core.pauses import Wide
from kafka_saga.tracker.core.plan import unknown_version
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.control import ControlEntry, Hold
from tests.unit.kafka_saga.tracker.history import Story, sent
from tests.unit.kafka_saga.tracker.orders import CAREFUL, ORDER

HOUR = 3_600_000


def paid(definition: Saga = ORDER) -> tuple[Story, str]:
    """A saga whose second step is asked for; its trigger."""
    story = Story(definition)
    return story, story.emitted("payment", "payment.authorized", story.started(at=0), at=10)


def broken() -> Story:
    """A saga whose second step has failed, and waits for a person."""
    story, authorized = paid(CAREFUL)
    story.failed("stock", authorized, at=30)
    story.ruled(until=40)
    return story


def _given(story: Story, act: Act, step: str | None = None, outcome: str | None = None) -> SagaState:
    story.asked(act, at=100, step=step, outcome=outcome)
    story.ruled(until=101)
    return story.state()


def not_started() -> SagaState:
    story, _ = paid()
    del story.facts[0]
    return story.state()


def only_commanded() -> SagaState:
    story = Story(ORDER)
    story.asked(Act.CANCEL, at=0)
    return story.state()


def queued() -> SagaState:
    return paid()[0].state()


def running() -> SagaState:
    story, authorized = paid()
    story.progressed("stock", authorized, at=50)
    return story.state()


def retrying() -> SagaState:
    story, authorized = paid()
    story.failed("stock", authorized, at=30, retryable=True)
    return story.state()


def tried_again() -> SagaState:
    story, authorized = paid()
    story.failed("stock", authorized, at=30, retryable=True)
    story.ruled(until=HOUR // 4)
    return story.state()


def failed_step() -> SagaState:
    return broken().state()


def overdue() -> SagaState:
    story = Story(CAREFUL)
    story.started(at=0)
    story.ruled(until=HOUR)
    return story.state()


def pausing() -> SagaState:
    return _given(paid()[0], Act.PAUSE)


def paused() -> SagaState:
    story, authorized = paid()
    story.asked(Act.PAUSE, at=100)
    story.ruled(until=101)
    story.parked("stock", authorized, at=102)
    story.ruled(until=103)
    return story.state()


def paused_with_a_failed_step() -> SagaState:
    return _given(broken(), Act.PAUSE)


def paused_by_its_prefix() -> SagaState:
    story = broken()
    story.wide = Wide(prefixes=(("prefix:acme/", ControlEntry(1, paused=Hold("ann", "quota", 50))),))
    story.ruled(until=101)
    return story.state()


def cancelling() -> SagaState:
    return _given(paid()[0], Act.CANCEL)


def _compensating() -> Story:
    story, authorized = paid()
    story.failed("stock", authorized, at=30)
    story.ruled(until=HOUR)
    return story


def compensating() -> SagaState:
    return _compensating().state()


def _stuck() -> Story:
    story, authorized = paid()
    story.failed("stock", authorized, at=30)
    command = sent(story.ruled(until=HOUR))
    story.failed("payment", command.about, at=2 * HOUR, by=command)
    story.ruled(until=3 * HOUR)
    return story


def stuck_compensation() -> SagaState:
    return _stuck().state()


def paused_with_a_stuck_compensation() -> SagaState:
    story = _stuck()
    story.asked(Act.PAUSE, at=4 * HOUR)
    story.ruled(until=4 * HOUR + 1)
    return story.state()


def completed() -> SagaState:
    story, authorized = paid()
    reserved = story.emitted("stock", "stock.reserved", authorized, at=20)
    story.emitted("shipping", "shipment.created", reserved, at=30)
    story.ruled(until=40)
    return story.state()


def failed_with_nothing_undone() -> SagaState:
    story = Story(ORDER)
    story.failed("payment", story.started(at=0), at=100)
    story.ruled(until=101)
    return story.state()


def failed_and_undone() -> SagaState:
    story = _compensating()
    story.compensated(story.state().sent[-1], at=HOUR + 10)
    story.ruled(until=2 * HOUR)
    return story.state()


def failed_and_left() -> SagaState:
    story = _stuck()
    story.asked(Act.SKIP, at=4 * HOUR, step="payment")
    story.ruled(until=5 * HOUR)
    return story.state()


def cancelled() -> SagaState:
    story = Story(ORDER)
    placed = story.started(at=0)
    story.asked(Act.CANCEL, at=100)
    story.ruled(until=101)
    story.skipped("payment", placed, at=102, code="cancelled")
    story.ruled(until=200)
    return story.state()


def superseded() -> SagaState:
    story = Story(ORDER)
    placed = story.started(at=0)
    story.rivalled(at=100)
    story.ruled(until=101)
    story.skipped("payment", placed, at=102, code="cancelled")
    story.ruled(until=200)
    return story.state()


def being_brought_back() -> SagaState:
    story, _ = paid()
    return _given(story, Act.REWIND, "payment")


def cancelled_with_a_late_outcome_that_cannot_be_undone() -> SagaState:
    story, authorized = paid()
    story.asked(Act.CANCEL, at=100)
    story.ruled(until=101)
    story.compensated(sent(story.ruled(until=HOUR)), at=HOUR + 1)
    story.ruled(until=2 * HOUR)
    story.emitted("stock", "stock.reserved", authorized, at=3 * HOUR)
    late = sent(story.ruled(until=4 * HOUR))
    story.failed("stock", late.about, at=5 * HOUR, by=late)
    story.ruled(until=6 * HOUR)
    return story.state()


def brought_back() -> SagaState:
    story = broken()
    _given(story, Act.REDRIVE)
    story.ruled(until=HOUR)
    return story.state()


def skipped() -> SagaState:
    return _given(broken(), Act.SKIP, "stock", "stock.reserved")


def of_an_unknown_version() -> SagaState:
    story = Story(ORDER)
    story.started(at=0)
    first = story.facts[0]
    assert isinstance(first, EventFact)
    later = replace(first, envelope=replace(first.envelope, version=2))
    return fold(None, later, unknown_version(ORDER))[0]


_STANDINGS: tuple[Callable[[], SagaState], ...] = (
    not_started, only_commanded, queued, running, retrying, tried_again, failed_step, overdue, pausing, paused,
    paused_with_a_failed_step, paused_by_its_prefix, cancelling, compensating, stuck_compensation,
    paused_with_a_stuck_compensation, completed, failed_with_nothing_undone, failed_and_undone, failed_and_left,
    cancelled, cancelled_with_a_late_outcome_that_cannot_be_undone, superseded, being_brought_back, brought_back,
    skipped, of_an_unknown_version,
)  # fmt: skip


def standings() -> dict[str, SagaState]:
    """By the name of the standing: sagas of the definition ORDER, each with an id of its own."""
    return {one.__name__: replace(one(), saga_id=f"acme/{one.__name__}@r") for one in _STANDINGS}
