"""Events and reports as they become known: what they change of how a saga stands."""

from __future__ import annotations

from tests.simulation.reference.demands import EVER
from tests.simulation.reference.runs import Delivery, Run, outcomes_of
from tests.simulation.reference.standing import Standing
from tests.simulation.reference.timelines import Fact, Later
from tests.simulation.seen import GIVEN


def is_late(standing: Standing, fact: Fact) -> bool:
    """Whether it is certain that an outcome was read when nobody counted on it any more."""
    step, undo = standing.definition.steps_by_name.get(fact.seen.step), standing.undo
    if step is None or fact.seen.type not in outcomes_of(step):
        return False
    is_old = fact.seen.epoch < standing.floors.get(step.name, 0) and fact.at > standing.lifted.get(step.name, EVER)
    return is_old or (undo is not None and undo.is_over and fact.at > (undo.told_at or EVER))


def take_in(standing: Standing, fact: Fact | Later) -> None:
    """An event or a report is known, or that another saga has started later."""
    if isinstance(fact, Later):
        _take_in_later(standing, fact)
    else:
        _take_in(standing, fact)
        if standing.rival is not None and standing.final() == "completed":
            standing.rival = None


def _take_in_later(standing: Standing, later: Later) -> None:
    """A finished saga is left alone."""
    if standing.undo is not None and later.at <= standing.undo.written:
        standing.may_be_outrun = True
    elif standing.final() is None:
        standing.rival = later.saga


def _take_in(standing: Standing, fact: Fact) -> None:
    seen = fact.seen
    if seen.topic == "saga.steps":
        _take_in_report(standing, fact)
        return
    standing.events[seen.id] = fact
    if not seen.cause:
        standing.start = standing.start or fact
    elif (step := standing.definition.steps_by_name.get(seen.step)) is not None:
        if seen.type in outcomes_of(step):
            _take_in_outcome(standing, fact)
        elif seen.type == step.compensated_type and seen.cause in standing.undone:
            _end_delivery(standing.undone[seen.cause], fact)
            standing.undone[seen.cause].outcomes.append(fact)
    for then in standing.definition.triggered_by.get(seen.type, ()):
        run = Run(then, fact, [Delivery(None, 1, seen.epoch, fact.at)])
        standing.runs[then.name, seen.id] = run


def place(known: Fact | Later) -> tuple[int, int]:
    return known.at, 2 + (known.depth if isinstance(known, Fact) else 0)


def _take_in_outcome(standing: Standing, fact: Fact) -> None:
    if fact.seen.command == GIVEN and standing.undo is not None and not standing.undo.is_over:
        standing.undo = None
    run = standing.runs.get((fact.seen.step, fact.seen.cause))
    if run is not None:
        run.outcomes.append(fact)
        if fact.seen.command != GIVEN:
            _end_delivery(run, fact)


def _take_in_report(standing: Standing, fact: Fact) -> None:
    seen = fact.seen
    standing.events[seen.id] = fact
    if seen.type == "step.skipped" and seen.headers.get("ce_code", "") in {"duplicate_start", ""}:
        return
    run = standing.runs.get((seen.step, seen.cause))
    if run is None or run.delivery(seen.command) is None:
        run = standing.undone.get(seen.cause)
    if run is not None:
        _end_delivery(run, fact)


def _end_delivery(run: Run, fact: Fact) -> None:
    delivery = run.delivery(fact.seen.command)
    if delivery is not None and not delivery.is_over:
        delivery.is_over = True
        delivery.end = fact if fact.seen.topic == "saga.steps" else None


def end_pause(standing: Standing, at: int) -> None:
    if standing.pauses and standing.pauses[-1][1] is None:
        standing.pauses[-1] = (standing.pauses[-1][0], max(at, standing.pauses[-1][0]))


def waive(standing: Standing, step: str) -> None:
    stuck = next((fact for fact in standing.stuck() if fact.seen.step == step), None)
    if stuck is not None:
        standing.undone[stuck.seen.id].is_waived = True
