"""What a command has to be answered, by how its saga stands (docs/steering.md, "What is refused")."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_saga.events.commands import Act, SagaCommand
from tests.simulation.reference.runs import Run, downstream, outcomes_of
from tests.simulation.reference.standing import Standing


def is_accepted(standing: Standing, command: SagaCommand) -> bool:
    """Whether a command applies."""
    if standing.start is None or command.step not in {None, *standing.definition.steps_by_name}:
        return standing.start is not None and command.command in {Act.PAUSE, Act.RESUME, Act.CANCEL}
    match command.command:
        case Act.PAUSE:
            return standing.final() is None and not _is_paused_itself(standing)
        case Act.RESUME:
            return _is_paused_itself(standing)
        case Act.CANCEL:
            return standing.final() is None and not (standing.undo is not None and standing.undo.is_over)
        case Act.RETRY:
            return bool(_to_retry(standing, command))
        case Act.REDRIVE:
            return not _is_brought_back(standing) and _may_redrive(standing, command)
        case Act.REWIND:
            return not _is_brought_back(standing) and _may_rewind(standing, command)
        case Act.SKIP:
            return _may_skip(standing, command)
        case _:
            return False


def retried(standing: Standing, command: SagaCommand) -> Run | None:
    """What an accepted retry runs again: a step at its trigger, or the undoing of an outcome."""
    found = _to_retry(standing, command)
    return found[0] if found else None


def _to_retry(standing: Standing, command: SagaCommand) -> Sequence[Run]:
    if standing.undo is not None:
        stuck = [standing.undone[fact.seen.id] for fact in standing.stuck()]
        return [run for run in stuck if command.step in {None, run.step.name}]
    if standing.final() is not None or standing.is_paused():
        return ()
    found = [run for run in standing.current() if standing.status(run) in {"failed", "retrying"}]
    mine = [run for run in found if command.step in {None, run.step.name}]
    picked = _picked(standing, mine, command)
    return [] if picked is None or picked.is_live else [picked]


def _picked(standing: Standing, found: Sequence[Run], command: SagaCommand) -> Run | None:
    """Of several runs the failed ones first; of a named step the last, else the first in the definition's order."""
    failed = [run for run in found if standing.status(run) == "failed"] or list(found)
    ordered = _in_order(standing, failed)
    return ordered[-1 if command.step else 0] if ordered else None


def _in_order(standing: Standing, runs: Sequence[Run]) -> list[Run]:
    order = list(standing.definition.steps_by_name)
    return sorted(runs, key=lambda run: (order.index(run.step.name), run.cause.at, run.cause.depth))


def _may_redrive(standing: Standing, command: SagaCommand) -> bool:
    if standing.final() == "completed" or _is_undone(standing) or standing.rival is not None:
        return False
    wanted = {"failed", "skipped"} if command.step is None else {"failed", "skipped", "live", "retrying", "parked"}
    if standing.final() is not None:
        wanted |= {"retrying", "parked"}
    found = [run for run in standing.current() if _is_meant(standing, run, command, wanted)]
    picked = _picked(standing, found, command)
    return picked is not None and standing.status(picked) != "done"


def _is_meant(standing: Standing, run: Run, command: SagaCommand, wanted: set[str]) -> bool:
    is_named = command.step in {None, run.step.name}
    has_fired = (run.step.name, run.cause.seen.id, run.epoch) in standing.fired
    return is_named and (standing.status(run) in wanted or has_fired or (command.step is not None))


def _may_rewind(standing: Standing, command: SagaCommand) -> bool:
    if command.step is None or standing.rival is not None:
        return False
    if not any(run.step.name == command.step for run in standing.current()):
        return False
    again = downstream(standing.definition)[command.step]
    return not any(_is_being_undone(standing, fact.seen.id) and _counts(standing, fact.seen.step, fact.seen.epoch)
                   for fact in standing.owed() if fact.seen.step not in again)  # fmt: skip


def _may_skip(standing: Standing, command: SagaCommand) -> bool:
    if command.step is None:
        return False
    undo = standing.undo
    if undo is not None and undo.is_over and not undo.has_ended:
        return any(fact.seen.step == command.step for fact in standing.stuck())
    if standing.final() == "completed" or _is_undone(standing) or _is_brought_back(standing):
        return False
    runs = [run for run in standing.current() if run.step.name == command.step]
    picked = _picked(standing, runs, command)
    if picked is None or standing.status(picked) == "done" or standing.rival is not None:
        return False
    return command.outcome in outcomes_of(standing.definition.steps_by_name[command.step])


def _is_paused_itself(standing: Standing) -> bool:
    return bool(standing.pauses) and standing.pauses[-1][1] is None


def _is_brought_back(standing: Standing) -> bool:
    return standing.undo is not None and not standing.undo.has_ended


def _is_undone(standing: Standing) -> bool:
    """Whether something that still counts has been undone, or is being undone."""
    return any(
        (_is_being_undone(standing, fact.seen.id) or standing.is_paid(fact))
        and _counts(standing, fact.seen.step, fact.seen.epoch)
        for fact in standing.owed()
    )


def _is_being_undone(standing: Standing, outcome: str) -> bool:
    run = standing.undone.get(outcome)
    return run is not None and bool(run.deliveries)


def _counts(standing: Standing, step: str, epoch: int) -> bool:
    return epoch >= standing.floors.get(step, 0)
