"""What a person's command does to a saga, or why it does not apply. Pure."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from kafka_saga.events.commands import Act
from kafka_saga.tracker.core.compensations import PendingCompensation, pending_compensations
from kafka_saga.tracker.core.derive import is_paused
from kafka_saga.tracker.core.due_items import is_outrun
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.runs import step_runs, trigger_of
from kafka_saga.tracker.core.state import (
    Goal,
    Pause,
    PendingCommand,
    Redo,
    Run,
    SagaState,
    SagaStatus,
    StepStatus,
    Undo,
)


class Obeyed(NamedTuple):
    """The state with the command in it; `run` is to be executed afresh, `debt` is to be compensated afresh."""

    state: SagaState
    run: tuple[str, Run] | None = None
    debt: PendingCompensation | None = None


class RefusedError(Exception):
    """The command does not apply; the text says why, and what would."""


def obey(state: SagaState, asked: PendingCommand, plan: SagaPlan) -> Obeyed:
    """Raises RefusedError."""
    if state.started_at is None:
        raise RefusedError("no saga of this id has started: look for it with `saga ls`")
    if not plan.is_known:
        raise RefusedError(f"the tracker does not know {state.definition} v{state.version}: start one that does")
    match asked.command:
        case Act.PAUSE:
            return Obeyed(_paused(state, asked))
        case Act.RESUME:
            return Obeyed(_resumed(state, asked))
        case Act.CANCEL:
            return Obeyed(_cancelled(state, asked, plan))
        case Act.RETRY:
            return _retried(state, asked, plan)
        case Act.REDRIVE:
            return Obeyed(_redriven(state, asked, plan))
        case Act.REWIND:
            return Obeyed(_rewound(state, asked, plan))
        case Act.SKIP:
            return Obeyed(_skipped(state, asked, plan))
        case _:
            raise RefusedError(f"{asked.command} is no command for one saga")


def _paused(state: SagaState, asked: PendingCommand) -> SagaState:
    _refuse_ended(state)
    if any(pause.until is None and pause.scope == "saga" for pause in state.pauses):
        raise RefusedError("the saga is paused already")
    return replace(state, pauses=(*state.pauses, Pause("saga", asked.author, asked.reason, asked.at)))


def _resumed(state: SagaState, asked: PendingCommand) -> SagaState:
    if not any(pause.until is None and pause.scope == "saga" for pause in state.pauses):
        wide = next((pause.scope for pause in state.pauses if pause.until is None), None)
        if wide:
            raise RefusedError(f"the saga itself is not paused, but {wide} is: resume that")
        raise RefusedError("the saga is not paused")
    return replace(state, pauses=resumed(state.pauses, "saga", asked.at))


def resumed(pauses: tuple[Pause, ...], scope: str, at: int) -> tuple[Pause, ...]:
    """The pauses, with the one of this scope over."""
    return tuple(
        replace(pause, until=max(at, pause.at)) if pause.scope == scope and pause.until is None else pause
        for pause in pauses
    )


def _cancelled(state: SagaState, asked: PendingCommand, plan: SagaPlan) -> SagaState:
    _refuse_ended(state)
    if state.undo is not None and state.undo.goal is not Goal.REDO:
        _refuse_undoing(state)
    said = f": {asked.reason}" if asked.reason else ""
    free = replace(state, pauses=resumed(state.pauses, "saga", asked.at))
    return begun(free, plan, Goal.CANCELLED, f"cancelled by {asked.author}{said}", asked.at)


def begun(
    state: SagaState, plan: SagaPlan, goal: Goal, reason: str, at: int, step: str | None = None, end: str | None = None
) -> SagaState:
    """The state in which the whole saga is being undone."""
    undo = Undo(goal, reason, at, state.epoch, tuple(plan.steps), step, end)
    return replace(state, undo=undo)


def _retried(state: SagaState, asked: PendingCommand, plan: SagaPlan) -> Obeyed:
    if state.undo is not None:
        stuck = [
            debt for debt in pending_compensations(state, plan) if debt.is_stuck and asked.step in {None, debt.step}
        ]
        if not stuck:
            raise RefusedError("no compensation has failed that could be tried again")
        return Obeyed(state, debt=stuck[0])
    _refuse_ended(state)
    name, run = _the_run(state, asked, plan, *(status for status in StepStatus if status.meaning.has_failed))
    if run.live:
        raise RefusedError(f"a delivery of step {name} is under way: wait until it has ended")
    _refuse_paused(state)
    return Obeyed(state, run=(name, run))


def _redriven(state: SagaState, asked: PendingCommand, plan: SagaPlan) -> SagaState:
    _refuse_undone(state, plan)
    _refuse_completed(state)
    _refuse_undoing(state)
    wanted = tuple(StepStatus) if asked.step is not None else _redrivable(is_over=state.status.is_final)
    name, run = _the_run(state, asked, plan, *wanted, overdue=True)
    if run.status is StepStatus.DONE:
        raise RefusedError(f"step {name} is done: rewind to it")
    return _redo(state, plan, Redo(name, run.about), asked)


def _redrivable(*, is_over: bool) -> tuple[StepStatus, ...]:
    """The statuses of the runs that a redrive looks for by itself; what waits in a saga that is over was stopped."""
    stands_as = {status: (status.meaning.when_stopped if is_over else None) or status for status in StepStatus}
    return tuple(status for status, known_as in stands_as.items() if known_as.meaning.is_redrivable)


def _rewound(state: SagaState, asked: PendingCommand, plan: SagaPlan) -> SagaState:
    if asked.step is None:
        raise RefusedError("which step to go back to is missing: name it with --to")
    _refuse_undoing(state)
    name, run = _the_run(state, asked, plan, *StepStatus)
    kept = [debt for debt in pending_compensations(state, plan) if debt.step not in plan.steps[name].downstream]
    undone = [debt.step for debt in kept if debt.last is not None and _still_counts(state, debt)]
    if undone:
        raise RefusedError(f"step {undone[0]} has been compensated, and would be kept: go back to it or further")
    return _redo(state, plan, Redo(name, run.about), asked)


def _still_counts(state: SagaState, debt: PendingCompensation) -> bool:
    """Whether no later epoch has replaced what is undone."""
    return debt.outcome.epoch >= state.floors.get(debt.step, 0)


def _skipped(state: SagaState, asked: PendingCommand, plan: SagaPlan) -> SagaState:
    if asked.step is None:
        raise RefusedError("the step to skip is missing: name it with --step")
    if state.undo is not None and state.undo.goal is not Goal.REDO and state.undo.ended_at is None:
        return _waived(state, asked.step, plan)
    _refuse_undone(state, plan)
    _refuse_completed(state)
    _refuse_undoing(state)
    name, run = _the_run(state, asked, plan, *StepStatus)
    if run.status is StepStatus.DONE:
        raise RefusedError(f"step {name} is done already")
    if asked.outcome is None or asked.outcome not in plan.steps[name].outcomes:
        known = ", ".join(sorted(plan.steps[name].outcomes))
        raise RefusedError(f"the outcome of step {name} is missing or not declared; it ends by one of {known}")
    return _redo(state, plan, Redo(name, run.about, asked.outcome, asked.content or "{}"), asked)


def _waived(state: SagaState, step: str, plan: SagaPlan) -> SagaState:
    """A compensation that a person does by hand, or does without."""
    stuck = next((debt for debt in pending_compensations(state, plan) if debt.step == step and debt.is_stuck), None)
    if stuck is None:
        raise RefusedError(f"no compensation of step {step} has failed: there is nothing to skip")
    return replace(state, waived=(*state.waived, stuck.outcome.id))


def _redo(state: SagaState, plan: SagaPlan, redo: Redo, asked: PendingCommand) -> SagaState:
    """A new epoch, from a step on: what older ones lead to there and after no longer counts."""
    _refuse_outrun(state)
    epoch = state.epoch + 1
    steps = plan.steps[redo.step].downstream
    floors = {**state.floors, **dict.fromkeys(sorted(steps), epoch)}
    said = f": {asked.reason}" if asked.reason else ""
    reason = f"{asked.command} of step {redo.step} by {asked.author}{said}"
    undo = Undo(Goal.REDO, reason, asked.at, epoch, tuple(sorted(steps)), redo.step, None, redo)
    return replace(state, epoch=epoch, floors=floors, undo=undo)


def _the_run(
    state: SagaState, asked: PendingCommand, plan: SagaPlan, *wanted: StepStatus, overdue: bool = False
) -> tuple[str, Run]:
    """The run that a command is about: the last one of the named step, or the one that stands in one of the states."""
    if asked.step is not None and asked.step not in plan.steps:
        raise RefusedError(f"{plan.definition.name} has no step {asked.step}; its steps are {', '.join(plan.steps)}")
    fired = {(one.about, one.epoch) for one in state.fired} if overdue else set()
    found = [
        (name, run) for name, run in step_runs(state, plan)
        if (asked.step in {None, name}) and (run.status in wanted or (run.about, run.epoch) in fired)
    ]  # fmt: skip
    if not found:
        where = f"step {asked.step}" if asked.step else "the saga"
        raise RefusedError(f"there is nothing to {asked.command}: {where} is {_standing(state, asked.step)}")
    failed = [pair for pair in found if pair[1].status is StepStatus.FAILED]
    name, run = (failed or found)[-1 if asked.step else 0]
    if trigger_of(run, state) is None:
        raise RefusedError(f"what step {name} worked on is not known any more: the saga has had too many events since")
    return name, run


def _standing(state: SagaState, step: str | None) -> str:
    return state.status.value if step is None else state.step(step).status.value


def _refuse_ended(state: SagaState) -> None:
    if state.status.is_final:
        raise RefusedError(f"the saga is {state.status.value}")


def _refuse_undone(state: SagaState, plan: SagaPlan) -> None:
    owed = [debt for debt in pending_compensations(state, plan) if debt.outcome.epoch >= state.floors.get(debt.step, 0)]
    if any(debt.paid_at is not None or debt.last is not None for debt in owed):
        raise RefusedError("steps of the saga have been compensated: start a new saga")


def _refuse_completed(state: SagaState) -> None:
    if state.status is SagaStatus.COMPLETED:
        raise RefusedError("the saga is completed: rewind it to the step to run again")


def _refuse_undoing(state: SagaState) -> None:
    if state.undo is not None and state.undo.ended_at is None:
        raise RefusedError(f"the saga is being brought back ({state.undo.reason}): wait until that is over")


def _refuse_outrun(state: SagaState) -> None:
    """Of a key the saga that started last is to run: this one would yield again at once."""
    if state.rival is not None and is_outrun(state):
        later = state.rival.saga_id
        raise RefusedError(f"{later} has started later and superseded the saga, which would yield to it again")


def _refuse_paused(state: SagaState) -> None:
    if is_paused(state):
        raise RefusedError("the saga is paused: resume it first")
