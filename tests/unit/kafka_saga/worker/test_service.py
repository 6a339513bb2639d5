"""A service is put together only if its definition, its handlers and its compensations fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kafka_saga.engine.work import Mode
from kafka_saga.errors import TopologyError
from kafka_saga.worker.service import Service
from tests.support.example import commanded

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
