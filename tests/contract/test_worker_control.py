"""What control says holds before a handler starts, and while it runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.model import OnCancel, Saga
from kafka_saga.engine.context import Context
from kafka_saga.wire.control import ControlEntry, of_definition, of_prefix, of_saga, of_step
from kafka_saga.worker.service import Handler, Service
from tests.support.commands import HELD, Command, control, in_partition
from tests.support.driver import unique
from tests.support.example import PARTITIONS, Example, Fact, commanded
from tests.support.gate import Gate
from tests.support.rig import Rig, envelope, header

RigOf = Callable[[Saga], Rig]

CANCELLED = ControlEntry(5, cancelled="ada: no longer wanted")
PAUSED = ControlEntry(5, paused=HELD)


@pytest.fixture
def case() -> Example:
    return commanded(compensates=True)


def service(rig: Rig, case: Example, seen: list[str]) -> Service:
    def work(event: Fact, context: Context) -> Fact:
        seen.append(context.saga_id)
        return case.worked(key=event.key, number=event.number)

    def undo(event: Fact, context: Context) -> None:
        seen.append(f"undo {context.saga_id}")

    return rig.service({case.work: work}, compensations={case.work: undo})


def reported(rig: Rig, count: int = 1) -> list[tuple[str, str, str, str]]:
    """Of each terminal report: its saga, type, code and reason."""
    tail = rig.reports()
    rig.eventually(lambda: len(tail.records()) >= count)
    rig.settle(3)
    assert len(tail.records()) == count
    return [
        (envelope(one).subject, envelope(one).type, header(one, "ce_code"), header(one, "ce_reason"))
        for one in tail.records()
    ]


# ---- gates


@pytest.mark.parametrize(
    ("scope", "entry", "kind", "code", "reason"),
    [
        ("saga", CANCELLED, "step.skipped", "cancelled", "the saga is cancelled: ada: no longer wanted"),
        ("saga", PAUSED, "step.parked", "", "paused by ada: the bank is closed"),
        ("prefix", PAUSED, "step.parked", "", "paused by ada: the bank is closed"),
        ("floor", None, "step.skipped", "superseded", "epoch 0 is over: epoch 2 has begun"),
    ],
)
def test_what_control_gates_does_not_run_from_the_first_record_on(
    rig: Rig, case: Example, scope: str, entry: ControlEntry | None, kind: str, code: str, reason: str
) -> None:
    """The entry and the start are there before the worker is: control is read before any handler starts."""
    seen: list[str] = []
    key, other = unique("gated"), unique("free")
    scopes = {"prefix": of_prefix(key[:12])}
    found = entry or ControlEntry(5, floors={case.work: 2})
    rig.send([control(scopes.get(scope, of_saga(f"{key}@1")), found, key)])
    rig.send([case.start(key, 1), case.start(other, 1)])
    rig.worker(service(rig, case, seen))
    assert reported(rig) == [(f"{key}@1", kind, code, reason)]
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 1)
    assert seen == [f"{other}@1"]


def test_an_entry_that_comes_while_a_worker_runs_is_heeded_until_it_goes(rig: Rig, case: Example) -> None:
    seen: list[str] = []
    key = unique("key")
    worker = rig.worker(service(rig, case, seen))
    rig.ready(worker)
    rig.send([control(of_saga(f"{key}@1"), PAUSED, key)])
    rig.send([case.start(key, 1)])
    rig.eventually(lambda: bool(seen or rig.reports().records()))
    is_parked = bool(rig.reports().records())
    rig.send([control(of_saga(f"{key}@2"), PAUSED, key), control(of_saga(f"{key}@2"), None, key)])
    rig.settle(10)
    rig.send([case.start(key, 2)])
    rig.eventually(lambda: f"{key}@2" in seen)
    assert is_parked != (f"{key}@1" in seen)


def test_a_parked_start_that_is_executed_later_runs_once(rig: Rig, case: Example) -> None:
    seen: list[str] = []
    key = unique("key")
    rig.send([control(of_saga(f"{key}@1"), PAUSED, key)])
    rig.send([case.start(key, 1), case.start(key, 1)])
    rig.worker(service(rig, case, seen))
    kinds = [(kind, code) for _, kind, code, _ in reported(rig, 2)]
    assert kinds == [("step.parked", ""), ("step.skipped", "duplicate_start")]
    trigger = rig.of(case.started.event_type).records()[0]
    rig.send([Command(trigger, case.work, attempt=1, revision=PAUSED.revision).execute()])
    rig.eventually(lambda: bool(seen))
    rig.settle(3)
    assert seen == [f"{key}@1"]


def test_a_command_is_gated_by_what_came_after_it_only(rig: Rig, case: Example) -> None:
    seen: list[str] = []
    key = unique("key")
    rig.send([case.start(key, 1)])
    rig.worker(service(rig, case, seen))
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 1)
    (trigger,), (outcome,) = rig.of(case.started.event_type).records(), rig.of(case.worked.event_type).records()
    rig.send([control(of_saga(f"{key}@1"), CANCELLED, key)])
    rig.settle(10)
    rig.send([Command(trigger, case.work, epoch=1, revision=4).execute()])
    rig.send([Command(trigger, case.work, epoch=1, revision=5).execute()])
    rig.send([Command(outcome, case.work, epoch=1, revision=0).compensate()])
    rig.eventually(lambda: len(rig.of(f"{case.work}.compensated").records()) == 1)
    assert [code for _, _, code, _ in reported(rig)] == ["cancelled"]
    assert seen == [f"{key}@1", f"{key}@1", f"undo {key}@1"]


def test_what_cannot_be_read_as_control_changes_nothing(rig: Rig, case: Example) -> None:
    seen: list[str] = []
    key = unique("key")
    good = control(of_saga(f"{key}@1"), PAUSED, key)
    rig.send([Outgoing(good.topic, good.partition, good.key, b"{", [])])
    rig.send([case.start(key, 1)])
    rig.worker(service(rig, case, seen))
    rig.eventually(lambda: seen == [f"{key}@1"])


# ---- paused steps and definitions


@pytest.mark.parametrize("wide", ["step", "definition"])
def test_a_paused_step_stands_still_and_goes_on_when_it_is_resumed(rig: Rig, case: Example, wide: str) -> None:
    seen: list[str] = []
    scope = of_step(case.saga.name, case.work) if wide == "step" else of_definition(case.saga.name)
    rig.send([in_partition(number, scope, PAUSED) for number in range(PARTITIONS)])
    rig.send([case.start(f"key{n}", n) for n in range(200)])
    worker = rig.worker(service(rig, case, seen))
    rig.ready(worker)
    rig.settle(30)
    assert seen == []
    assert rig.reports().records() == []
    assert worker.runner.is_idle
    rig.send([in_partition(0, scope, None)])
    mine = sorted(f"key{n}@{n}" for n in range(200) if case.start(f"key{n}", n).partition == 0)
    rig.eventually(lambda: len(seen) >= len(mine))
    rig.settle(5)
    assert sorted(seen) == mine
    rig.send([in_partition(number, scope, None) for number in range(1, PARTITIONS)])
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 200)
    rig.settle(5)
    assert len(seen) == len(set(seen)) == 200


def test_what_waits_behind_a_running_handler_waits_for_the_resume_too(rig: Rig, case: Example) -> None:
    """The running one goes on; the next of its key was taken in before the pause."""
    gate = Gate()
    key = unique("key")
    scope = of_step(case.saga.name, case.work)
    worker = rig.worker(rig.service({case.work: gated(case, gate)}, compensations={case.work: nothing}))
    rig.send([case.start(key, n) for n in range(3)])
    rig.eventually(lambda: gate.entered == [key])
    rig.send([control(scope, PAUSED, key)])
    rig.settle(20)
    gate.open(key)
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 1)
    rig.settle(10)
    assert gate.entered == [key]
    assert worker.runner.is_idle
    rig.send([control(scope, None, key)])
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 3)
    subjects = [envelope(record).subject for record in rig.of(case.worked.event_type).records()]
    assert subjects == [f"{key}@{n}" for n in range(3)]


# ---- running handlers


def gated(case: Example, gate: Gate, contexts: list[Context] | None = None) -> Handler:
    async def work(event: Fact, context: Context) -> Fact:
        if contexts is not None:
            contexts.append(context)
        await gate.passes(event.key)
        return case.worked(key=event.key, number=event.number)

    return work


def nothing(event: Fact, context: Context) -> None:
    """Nothing to undo."""


def test_a_handler_of_a_cancelled_saga_is_interrupted_if_its_step_says_so(
    rig_of: RigOf,
) -> None:
    case = commanded(on_cancel=OnCancel.INTERRUPT)
    rig = rig_of(case.saga)
    gate = Gate()
    key, other = unique("key"), unique("other")
    worker = rig.worker(rig.service({case.work: gated(case, gate)}))
    rig.send([case.start(key, 1), case.start(other, 1)])
    rig.eventually(lambda: len(gate.entered) == 2)
    rig.send([control(of_saga(f"{key}@1"), CANCELLED, key)])
    assert reported(rig) == [
        (f"{key}@1", "step.skipped", "interrupted", "the saga is cancelled: ada: no longer wanted")
    ]
    assert gate.cancelled == [key]
    gate.open(other)
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 1)
    rig.eventually(lambda: worker.runner.is_idle)


def test_a_handler_of_an_epoch_that_is_over_is_interrupted_too(rig_of: RigOf) -> None:
    case = commanded(on_cancel=OnCancel.INTERRUPT)
    rig = rig_of(case.saga)
    gate = Gate()
    key = unique("key")
    rig.worker(rig.service({case.work: gated(case, gate)}))
    rig.send([case.start(key, 1)])
    rig.eventually(lambda: len(gate.entered) == 1)
    rig.send([control(of_saga(f"{key}@1"), ControlEntry(5, floors={case.work: 1}), key)])
    ((_, kind, code, _),) = reported(rig)
    assert (kind, code) == ("step.skipped", "interrupted")


def test_a_handler_that_may_finish_sees_that_it_is_cancelled_and_its_outcome_counts(rig: Rig, case: Example) -> None:
    gate = Gate()
    key = unique("key")
    contexts: list[Context] = []
    rig.worker(rig.service({case.work: gated(case, gate, contexts)}, compensations={case.work: nothing}))
    rig.send([case.start(key, 1)])
    rig.eventually(lambda: len(gate.entered) == 1)
    assert not contexts[0].cancelled
    rig.send([control(of_saga(f"{key}@1"), CANCELLED, key)])
    rig.eventually(lambda: contexts[0].cancelled)
    gate.open(key)
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 1)
    assert rig.reports().records() == []
