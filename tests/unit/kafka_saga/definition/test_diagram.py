"""What people look at is compared with golden files; SAGA_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from examples.order.definition import ORDER
from kafka_saga.definition.diagram import WIDTH, as_mermaid, as_text, step_notes
from kafka_saga.definition.durations import minutes, seconds
from kafka_saga.definition.model import OnCancel, Retry, Saga, Step
from kafka_saga.events.event import Event
from tests.unit.kafka_saga.definition.small import BRANCHING, FIRST, GOOD, LAST, LOOPING, Done, Lost, Right
from topology.code_review import CODE_REVIEW

GOLDEN = Path(__file__).parent / "golden"
SAGAS = {saga.name: saga for saga in (CODE_REVIEW, ORDER, BRANCHING, LOOPING)}


def assert_golden(name: str, drawn: str) -> None:
    file = GOLDEN / name
    if os.environ.get("SAGA_UPDATE_GOLDEN"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("saga", SAGAS.values(), ids=SAGAS.keys())
def test_a_definition_is_drawn_as_text(saga: Saga) -> None:
    drawn = as_text(saga)
    assert_golden(f"{saga.name}.txt", drawn)
    assert max(map(len, drawn.splitlines())) <= WIDTH


@pytest.mark.parametrize("saga", SAGAS.values(), ids=SAGAS.keys())
def test_a_definition_is_drawn_as_mermaid(saga: Saga) -> None:
    assert_golden(f"{saga.name}.mmd", as_mermaid(saga))


def test_every_step_is_drawn_once() -> None:
    drawn = as_text(BRANCHING)
    assert [drawn.count(f"│ {step.name:<7} │") for step in BRANCHING.steps] == [1] * len(BRANCHING.steps)


def test_steps_that_nothing_reaches_are_named() -> None:
    saga = replace(GOOD, steps=(*GOOD.steps, Step("island", on=Right, emits=(Lost,))))
    assert as_text(saga).endswith("\nnever reached: island\n")


@pytest.mark.parametrize(
    ("step", "notes"),
    [
        (replace(FIRST, retry=Retry(attempts=1)), ("timeout 5 min", "1 attempt", "")),
        (replace(FIRST, retry=Retry(attempts=2)), ("timeout 5 min", "2 attempts, 1 s apart", "")),
        (replace(FIRST, retry=Retry(factor=1)), ("timeout 5 min", "5 attempts, 1 s apart", "")),
        (replace(FIRST, retry=Retry(attempts=50)), ("timeout 5 min", "50 attempts, 1 s to 1 min apart", "")),
        (replace(FIRST, retry=Retry(attempts=9999)), ("timeout 5 min", "9999 attempts, 1 s to 1 min apart", "")),
        (
            replace(FIRST, deadline=minutes(9), compensates=True, on_cancel=OnCancel.INTERRUPT, timeout=seconds(1)),
            ("timeout 1 s, deadline 9 min", "5 attempts, 1 s to 8 s apart", "compensates, interrupted on cancel"),
        ),
    ],
)
def test_what_bounds_a_step_is_said(step: Step, notes: tuple[str, str, str]) -> None:
    assert step_notes(step) == notes


class Quoted(Event):
    event_type: ClassVar[str] = 'a"]<b>#1;&`end'


def test_labels_are_escaped_for_mermaid() -> None:
    saga = replace(GOOD, steps=(replace(FIRST, emits=(Quoted,)), replace(LAST, on=Quoted, emits=(Done,))))
    assert 'event2(["a#34;]#60;b#62;#35;1;#38;#96;end"]):::event' in as_mermaid(saga)
