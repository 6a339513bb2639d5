"""Handlers that run for a while are heard of, so that queued and running are told apart."""

from __future__ import annotations

from kafka_saga.engine.context import Context
from tests.support.example import Example, Fact
from tests.support.gate import Gate
from tests.support.rig import Rig, envelope, header


def test_a_handler_that_runs_for_a_second_reports_how_far_it_is_and_then_at_intervals(rig: Rig, case: Example) -> None:
    gate = Gate()
    contexts: list[Context] = []

    async def work(event: Fact, context: Context) -> Fact:
        contexts.append(context)
        await gate.passes(event.key)
        return case.worked(key=event.key, number=event.number)

    worker = rig.worker(rig.service({"work": work}), progress_interval=1.5)
    rig.send([case.start("acme", 1)])
    progress = rig.progress()
    rig.eventually(lambda: len(progress.records()) == 1)
    (context,) = contexts
    context.progress(12, 40, "files read")
    rig.eventually(lambda: len(progress.records()) == 3)
    gate.open("acme")
    rig.eventually(lambda: worker.runner.is_idle)
    rig.settle()

    first, second, third = progress.records()
    assert (envelope(first).type, envelope(first).subject, envelope(first).step) == ("step.progress", "acme@1", "work")
    assert header(first, "ce_done") == header(first, "ce_total") == header(first, "ce_reason") == ""
    told = [header(second, name) for name in ("ce_done", "ce_total", "ce_reason")]
    assert told == ["12", "40", "files read"]
    assert header(first, "ce_delivery") == f"{case.started.event_type}/{first.partition}/0"
    assert len({envelope(one).id for one in (first, second, third)}) == 3
    begun = int(header(first, "ce_startedat"))
    assert {header(one, "ce_startedat") for one in (second, third)} == {str(begun)}
    waited = [one.timestamp - begun for one in (first, second, third)]
    assert waited[0] >= 1_000
    assert waited[1] - waited[0] >= 1_400  # by two clocks, the service's and the broker's
    assert rig.reports().records() == []


def test_light_handlers_report_nothing(rig: Rig, case: Example) -> None:
    rig.worker(rig.service({"work": lambda event, _: case.worked(key=event.key, number=event.number)}))
    rig.send([case.start(f"key{n}", 1) for n in range(50)])
    rig.eventually(lambda: len(rig.of(case.worked.event_type).records()) == 50)
    rig.settle()
    assert rig.progress().records() == []
