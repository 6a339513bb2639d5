"""Sagas told from midday on, and the sentence that says why they are not finished."""

from __future__ import annotations

from dataclasses import replace as with_fields

from msgspec.structs import replace

from kafka_saga.definition.model import Retry, Saga
from kafka_saga.tracker.core.decisions import Compensate, Execute
from kafka_saga.tracker.core.due_items import next_due
from kafka_saga.tracker.core.explain.around import NOTHING_KNOWN, Around
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.plan import saga_plan
from kafka_saga.tracker.core.state import Sent
from tests.unit.kafka_saga.tracker.history import Story
from tests.unit.kafka_saga.tracker.orders import ORDER

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
MIDDAY = 1_767_225_600_000 + 12 * HOUR
ORDERED = Around(definition=ORDER)
PAYMENT, STOCK, SHIPPING = ORDER.steps
PATIENT = with_fields(ORDER, steps=(PAYMENT, with_fields(STOCK, retry=Retry(attempts=5)), SHIPPING))

SOMEWHERE = (
    "Step payment (attempt 1) has its work since 12:00:00 UTC, 4 min ago, and has not ended: it is queued or running "
    "at its service. Then: stock, shipping."
)


def said(story: Story, now: int, around: Around = NOTHING_KNOWN) -> str:
    """The sentence, of the state as the tracker's shell leaves it: with the time at which it will take it up."""
    state = story.state()
    return reason(replace(state, due=next_due(state, saga_plan(story.definition), story.wide)), now, around)


def begun(definition: Saga = ORDER) -> tuple[Story, str]:
    """A saga whose first step is asked for; its trigger."""
    story = Story(definition)
    return story, story.started(at=MIDDAY)


def paid(definition: Saga = ORDER) -> tuple[Story, str]:
    """A saga whose second step is asked for; its trigger."""
    story, placed = begun(definition)
    return story, story.emitted("payment", "payment.authorized", placed, at=MIDDAY + SECOND)


def reserved(definition: Saga = ORDER) -> tuple[Story, str]:
    """A saga whose third step is asked for; its trigger."""
    story, authorized = paid(definition)
    return story, story.emitted("stock", "stock.reserved", authorized, at=MIDDAY + 2 * SECOND)


def last_sent(story: Story) -> Sent:
    """The last command to a step."""
    return [one.sent for one in story.decided if isinstance(one, Execute | Compensate)][-1]
