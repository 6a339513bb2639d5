"""A definition is made of its description again, without the Python classes that it was written with."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from examples.order.definition import ORDER
from kafka_saga.definition.described import DescribedEvent, described_event, is_described, saga_of
from kafka_saga.definition.diagram import as_text
from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import OnFailure, Retry, Saga
from kafka_saga.errors import TopologyError
from tests.simulation.definitions.drawn import KINDS
from tests.simulation.shapes import SHAPES, shape
from topology.code_review import CODE_REVIEW

KNOWN = (CODE_REVIEW, ORDER)
DRAWN = tuple(f"{kind}-{number}" for kind in KINDS for number in range(25))


def described(saga: Saga, **more: object) -> dict[str, object]:
    """What a definition says of itself, as it comes from JSON; with other fields."""
    plain: dict[str, object] = json.loads(json.dumps(saga.describe()))
    return {**plain, **more}


def without(description: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in description.items() if name not in names}


@pytest.mark.parametrize("saga", [*KNOWN, *(shape(name).saga for name in SHAPES)], ids=lambda saga: saga.name)
def test_it_describes_itself_as_the_definition_did(saga: Saga) -> None:
    made = saga_of(described(saga))
    assert made.describe() == saga.describe()
    assert made.content_hash == saga.content_hash


@pytest.mark.parametrize("name", DRAWN)
def test_so_does_whatever_is_drawn(name: str) -> None:
    drawn = shape(name)
    for saga in (drawn.saga, drawn.newer.saga):
        assert saga_of(described(saga)).content_hash == saga.content_hash


@pytest.mark.parametrize("saga", KNOWN, ids=lambda saga: saga.name)
def test_it_is_drawn_and_looked_up_as_the_definition_is(saga: Saga) -> None:
    made = saga_of(described(saga))
    assert as_text(made) == as_text(replace(saga, description=""))
    assert tuple(made.events) == tuple(saga.events)
    assert made.ends_by_type == saga.ends_by_type
    assert {event: [step.name for step in steps] for event, steps in made.triggered_by.items()} == {
        event: [step.name for step in steps] for event, steps in saga.triggered_by.items()
    }


def test_an_event_type_has_one_class_of_which_nothing_but_the_name_is_known() -> None:
    one, other = saga_of(described(ORDER)), saga_of(described(ORDER))
    assert one == other
    assert one.starts_on is described_event("order.placed")
    assert issubclass(one.starts_on, DescribedEvent)
    assert one.starts_on.model_fields == {}
    assert all(map(is_described, one.events.values()))
    assert not any(map(is_described, ORDER.events.values()))


def test_what_is_missing_has_its_default_and_what_is_not_known_is_ignored() -> None:
    step = {"name": "work", "on": "a", "emits": ["b"], "colour": "green"}
    least = {"name": "small", "version": 3, "starts_on": "a", "key": "{k}", "run": "{r}", "steps": [step], "ends": {}}
    made = saga_of({**least, "weather": {"rain": True}})
    assert (made.steps[0].timeout, made.steps[0].retry, made.on_failure) == (minutes(5), Retry(), OnFailure.INCIDENT)
    assert saga_of(without(described(ORDER), "settle_timeout")).settle_timeout == minutes(5)


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ({}, "missing required field `name`"),
        (described(ORDER, name=None), r"got `null` - at `\$\.name`"),
        (described(ORDER, starts_on=5), r"5 is no event type - at `\$\.starts_on`"),
        (described(ORDER, steps=None), r"at `\$\.steps`"),
        (described(ORDER, steps=[{"name": "x"}]), r"missing required field `on` - at `\$\.steps\[0\]`"),
        (described(ORDER, on_failure="shrug"), "Invalid enum value 'shrug'"),
        (described(ORDER, deadline=math.nan), "Duration is out of range"),
        (described(ORDER, deadline=1e300), "Duration is out of range"),
        (described(ORDER, starts_on="a\0b"), "null characters"),
        (described(ORDER, ends={"a\0b": "failed"}), "null characters"),
        (described(ORDER, ends={"a": "shrug"}), "Invalid enum value 'shrug'"),
    ],
)
def test_what_describes_no_definition_is_refused(description: Mapping[str, object], said: str) -> None:
    with pytest.raises(TopologyError, match=f"^this describes no definition: .*{said}"):
        saga_of(description)
