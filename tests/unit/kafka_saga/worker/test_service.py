"""A service is put together only if its definition, its handlers and its compensations fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from kafka_saga.definition.model import COMPLETED, FAILED, EndStatus, EventType
from kafka_saga.definition.topics import intake_topic
from kafka_saga.engine.work import Mode
from kafka_saga.errors import TopologyError
from kafka_saga.steps.announcements import Announcement, StepOf
from kafka_saga.worker.service import Service
from tests.support.example import Example, commanded, example

UNDOABLE, PLAIN = commanded(compensates=True), commanded()


def plain(event: object, context: object) -> None:
    """A handler."""


async def waiting(event: object, context: object) -> None:
    """A handler."""


def test_a_step_that_declares_a_compensation_needs_one() -> None:
    with pytest.raises(TopologyError, match=f"step {UNDOABLE.work} declares a compensation, which is not there"):
        Service("s", {UNDOABLE.saga: {UNDOABLE.work: plain}})


def test_a_compensation_that_is_not_declared_is_refused() -> None:
    with pytest.raises(TopologyError, match=f"step {PLAIN.work} declares no compensation"):
        Service("s", {PLAIN.saga: {PLAIN.work: plain}}, compensations={PLAIN.saga: {PLAIN.work: plain}})


def test_who_undoes_a_step_does_it_too() -> None:
    with pytest.raises(TopologyError, match="but no handler"):
        Service("s", {UNDOABLE.saga: {"finish": plain}}, compensations={UNDOABLE.saga: {UNDOABLE.work: plain}})


def test_a_step_that_is_done_elsewhere_needs_no_compensation_here() -> None:
    (served,) = Service("s", {UNDOABLE.saga: {"finish": plain}}).served

    assert served.undoing == ()


@pytest.mark.parametrize(
    ("undo", "heavy", "mode"),
    [
        (plain, (), Mode.INLINE),
        (waiting, (), Mode.ASYNC),
        (plain, (UNDOABLE.work,), Mode.HEAVY),
        (waiting, (UNDOABLE.work,), Mode.ASYNC),
    ],
)
def test_a_compensation_runs_where_its_kind_and_its_step_say(
    undo: Callable[..., Any], heavy: tuple[str, ...], mode: Mode
) -> None:
    handlers, undoing = {UNDOABLE.saga: {UNDOABLE.work: plain}}, {UNDOABLE.saga: {UNDOABLE.work: undo}}
    (served,) = Service("s", handlers, compensations=undoing, heavy=heavy).served

    assert [job.mode for job in served.undoing] == [mode]


def test_a_service_reads_the_work_topics_of_its_steps() -> None:
    roles = Service("s", {PLAIN.saga: {PLAIN.work: plain, "finish": plain}}).roles(4)

    assert roles.processor.topics == (
        PLAIN.started.event_type,
        PLAIN.worked.event_type,
        f"{PLAIN.work}.work",
        "finish.work",
    )


# ---- several definitions


def alone() -> Example:
    """An example of one step, which shares no name with another."""
    made = commanded()
    ends: Mapping[EventType, EndStatus] = {made.worked: COMPLETED, made.refused: FAILED}
    return replace(made, saga=replace(made.saga, steps=made.saga.steps[:1], ends=ends))


ONE, TWO = alone(), alone()
BOTH = {ONE.saga: {ONE.work: plain}, TWO.saga: {TWO.work: plain}}


def test_a_service_of_two_definitions_reads_and_announces_the_steps_of_both() -> None:
    service = Service("s", BOTH, stateful=True)
    processor = service.roles(4).processor

    assert processor.topics == (ONE.started.event_type, f"{ONE.work}.work", TWO.started.event_type, f"{TWO.work}.work")
    assert [spec.topic for spec in processor.stores] == [intake_topic(ONE.saga), "s.state", intake_topic(TWO.saga)]
    assert service.announcement == Announcement(
        "s",
        (StepOf(ONE.saga.name, 1, ONE.work), StepOf(TWO.saga.name, 1, TWO.work)),
        (ONE.started.event_type, TWO.started.event_type),
    )


def test_definitions_that_cannot_run_side_by_side_are_refused() -> None:
    one, two = example(), example()  # whose steps have the same names

    with pytest.raises(TopologyError, match="both have this step"):
        Service("s", {one.saga: {"work": plain}, two.saga: {"work": plain}})


def test_two_versions_of_a_definition_are_refused() -> None:
    newer = replace(PLAIN.saga, version=2)

    with pytest.raises(TopologyError, match="serves one version of a definition"):
        Service("s", {PLAIN.saga: {PLAIN.work: plain}, newer: {PLAIN.work: plain}})


def test_a_service_without_a_handler_is_refused() -> None:
    with pytest.raises(TopologyError, match="has no handler"):
        Service("s", {})
    with pytest.raises(TopologyError, match=f"has no handler for a step of {ONE.saga.name}"):
        Service("s", {PLAIN.saga: {PLAIN.work: plain}, ONE.saga: {}})


def test_a_heavy_step_is_one_that_the_service_does() -> None:
    with pytest.raises(TopologyError, match=r"heavy=\['finish'\] names no step that it does"):
        Service("s", {PLAIN.saga: {PLAIN.work: plain}}, heavy=("finish",))


def test_a_step_of_either_definition_may_be_heavy() -> None:
    service = Service("s", BOTH, heavy=(TWO.work,))

    assert [job.mode for job in service.jobs] == [Mode.INLINE, Mode.HEAVY]
