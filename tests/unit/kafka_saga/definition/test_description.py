"""A definition's description says what is decided; what is left out is a default, which never changes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from kafka_saga.definition.durations import days, minutes
from kafka_saga.definition.model import OnCancel, Retry, Saga, Step, in_full
from tests.chain.definition import CHAIN, ChainStarted, OneDone

RETRY_DEFAULTS = {"attempts": 5, "first": 1, "factor": 2, "max_delay": 60, "jitter": 0.2}
STEP_DEFAULTS = {
    "also": [],
    "timeout": 300,
    "deadline": None,
    "retry": RETRY_DEFAULTS,
    "compensates": False,
    "compensation_retry": RETRY_DEFAULTS,
    "on_cancel": "finish",
}
SAGA_DEFAULTS = {
    "deadline": 604_800,
    "on_failure": "incident",
    "on_conflict": "allow",
    "settle_timeout": 300,
    "keep_finished": 604_800,
}


@dataclass(frozen=True, slots=True)
class LaterStep(Step):
    """A step as a later version might have it."""

    after: str = "nothing"


def later(step: Step, after: str = "nothing") -> Step:
    return LaterStep(step.name, step.on, step.emits, after=after)


def with_first(step: Step) -> Saga:
    return replace(CHAIN, steps=(step, *CHAIN.steps[1:]))


def test_only_what_is_decided_is_described() -> None:
    step = Step(
        "one",
        on=ChainStarted,
        emits=(OneDone,),
        retry=Retry(attempts=3),
        on_cancel=OnCancel.INTERRUPT,
        timeout=minutes(5),
    )
    described = with_first(step).describe()
    assert described["steps"] == [
        {
            "name": "one",
            "on": "chain.started",
            "emits": ["one.done"],
            "retry": {"attempts": 3},
            "on_cancel": "interrupt",
        },
        {"name": "two", "on": "one.done", "emits": ["two.done"]},
        {"name": "three", "on": "two.done", "emits": ["three.done"]},
        {"name": "four", "on": "three.done", "emits": ["four.done"]},
    ]
    assert not described.keys() & SAGA_DEFAULTS.keys()


def test_a_decision_for_no_deadline_is_described() -> None:
    assert replace(CHAIN, deadline=None).describe()["deadline"] is None
    assert replace(CHAIN, deadline=None).content_hash != CHAIN.content_hash
    assert replace(CHAIN, deadline=days(7)).content_hash == CHAIN.content_hash


def test_a_default_that_was_released_is_never_changed() -> None:
    """Descriptions on the log leave it out, and go on meaning it."""
    full = in_full({"steps": [{"name": "one"}]})
    assert {name: full[name] for name in SAGA_DEFAULTS} == SAGA_DEFAULTS
    assert full["steps"] == [{"name": "one", "on": None, "emits": None, **STEP_DEFAULTS}]


def test_in_full_every_field_is_said() -> None:
    full = in_full(CHAIN.describe())
    assert list(full) == [item.name for item in fields(Saga) if item.name != "description"]
    assert isinstance(full["steps"], list)
    assert [list(step) for step in full["steps"]] == [[item.name for item in fields(Step)]] * 4
    assert in_full(full) == full


def test_what_is_no_description_stays_what_it_is() -> None:
    assert in_full({}) == {}
    assert in_full({"steps": "one", "more": 1}) == {"steps": "one", "more": 1}
    assert in_full({"steps": ["one"], "more": 1}) == {**in_full({"steps": []}), "steps": ["one"], "more": 1}
    assert in_full({"steps": [{"retry": "often"}]})["steps"] != in_full({"steps": [{}]})["steps"]


def test_a_new_option_changes_no_definition_that_does_not_use_it() -> None:
    before = CHAIN.steps[0]
    assert with_first(later(before)).content_hash == CHAIN.content_hash
    assert with_first(later(before, "midnight")).content_hash != CHAIN.content_hash
