"""Control: which entries gate a delivery, what they make of it, and what stands still."""

from __future__ import annotations

import logging

import pytest

from kafka_saga.broker.records import Record
from kafka_saga.steps.control_gates import Control, Entries, GateQuestion, Parked, Skipped, standing_still, verdict
from kafka_saga.wire.control import ControlEntry, Hold, encode, of_definition, of_prefix, of_saga, of_step

SAGA = "acme/shop#7@1"
TRIGGER = GateQuestion(SAGA, "ast", epoch=1)
CANCELLED = ControlEntry(5, cancelled="superseded")
PAUSED = ControlEntry(5, paused=Hold("ada", "", 0))
TOPICS = {"ast": ("pr.validated", "ast.work"), "llm": ("ast.completed", "llm.work")}


def sagas(entry: ControlEntry, saga_id: str = SAGA) -> Entries:
    return Entries({of_saga(saga_id): entry}, {})


def wide(**entries: ControlEntry) -> Entries:
    return Entries({}, entries)


def told(*pairs: tuple[str, ControlEntry | None]) -> Control:
    control = Control()
    for offset, (scope, entry) in enumerate(pairs):
        control.on_control(Record("saga.control", 2, offset, 0, scope.encode(), encode(entry) if entry else None, []))
    return control


@pytest.mark.parametrize(
    ("entries", "asked", "found"),
    [
        (sagas(CANCELLED), TRIGGER, Skipped("cancelled", "the saga is cancelled: superseded")),
        (sagas(CANCELLED, "acme/shop#7@2"), TRIGGER, None),
        (sagas(CANCELLED), TRIGGER._replace(revision=4), Skipped("cancelled", "the saga is cancelled: superseded")),
        (sagas(CANCELLED), TRIGGER._replace(revision=5), None),
        (sagas(CANCELLED), TRIGGER._replace(compensates=True), None),
        (sagas(PAUSED), TRIGGER, Parked("paused by ada")),
        (sagas(PAUSED), TRIGGER._replace(compensates=True), Parked("paused by ada")),
        (sagas(PAUSED), TRIGGER._replace(compensates=True, revision=7), None),
        (
            sagas(ControlEntry(5, floors={"ast": 2})),
            TRIGGER,
            Skipped("superseded", "epoch 1 is over: epoch 2 has begun"),
        ),
        (sagas(ControlEntry(5, floors={"ast": 1})), TRIGGER, None),
        (sagas(ControlEntry(5, floors={"llm": 2})), TRIGGER, None),
        (sagas(ControlEntry(5, floors={"ast": 2})), TRIGGER._replace(compensates=True), None),
        (wide(**{of_prefix("acme/"): PAUSED}), TRIGGER, Parked("paused by ada")),
        (wide(**{of_prefix("acme/"): PAUSED}), TRIGGER._replace(revision=5), None),
        (wide(**{of_prefix("other/"): PAUSED}), TRIGGER, None),
        (wide(**{of_step("code_review", "ast"): PAUSED}), TRIGGER, None),
        (sagas(ControlEntry(5)), TRIGGER, None),
    ],
)
def test_an_entry_gates_what_it_is_about_and_came_after(entries: Entries, asked: GateQuestion, found: object) -> None:
    assert verdict(entries, asked) == found


def test_what_is_cancelled_is_skipped_even_while_it_is_paused() -> None:
    entries = Entries({of_saga(SAGA): CANCELLED}, {of_prefix("acme"): PAUSED})

    assert verdict(entries, TRIGGER) == Skipped("cancelled", "the saga is cancelled: superseded")


def test_who_paused_it_and_why_is_said() -> None:
    assert verdict(sagas(ControlEntry(1, paused=Hold("ada", "bank closed", 0))), TRIGGER) == Parked(
        "paused by ada: bank closed"
    )


@pytest.mark.parametrize(
    ("scope", "topics"),
    [
        (of_step("code_review", "ast"), {"pr.validated", "ast.work"}),
        (of_definition("code_review"), {"pr.validated", "ast.work", "ast.completed", "llm.work"}),
        (of_step("order", "ast"), set()),
        (of_definition("order"), set()),
        (of_prefix("acme"), set()),
    ],
)
def test_the_topics_of_what_is_paused_stand_still(scope: str, topics: set[str]) -> None:
    assert standing_still(wide(**{scope: PAUSED}), "code_review", TOPICS) == topics
    assert standing_still(wide(**{scope: ControlEntry(6)}), "code_review", TOPICS) == set()


def test_the_last_entry_of_a_scope_counts_and_a_tombstone_ends_it() -> None:
    assert told((of_saga(SAGA), CANCELLED), (of_saga(SAGA), PAUSED)).partitions.get(2) == sagas(PAUSED)
    assert told((of_saga(SAGA), CANCELLED), (of_saga(SAGA), None)).partitions.get(2) is None
    assert told((of_saga(SAGA), None)).partitions.get(2) is None
    assert told((of_saga(SAGA), CANCELLED)).partitions.get(1) is None


def test_what_was_forgotten_gates_nothing() -> None:
    control = told((of_saga(SAGA), CANCELLED))
    control.forget()

    assert control.partitions.get(2) is None


@pytest.mark.parametrize(
    ("key", "value"), [(b"saga:x", b"{"), (b"saga:x", b"[]"), (b"\xff", b'{"revision":1}'), (None, b'{"revision":1}')]
)
def test_what_is_no_entry_is_passed_over(key: bytes | None, value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    control = Control()
    with caplog.at_level(logging.WARNING):
        control.on_control(Record("saga.control", 0, 3, 0, key, value, []))

    assert control.partitions.get(0) is None
    assert key is None or "saga.control[0]@3" in caplog.text
