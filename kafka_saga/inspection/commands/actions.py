"""Whether a command applies to a saga now, and which do: the tracker's own rule, asked without giving one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_saga.api.sagas import Action
from kafka_saga.events.commands import Act
from kafka_saga.tracker.core.commands import Obeyed, RefusedError, obey
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.state import PendingCommand, SagaState

_ALL_OF_IT = (Act.PAUSE, Act.RESUME, Act.CANCEL)
_OF_A_STEP = (Act.RETRY, Act.REDRIVE, Act.REWIND)
_LABELS = {
    Act.PAUSE: "Pause",
    Act.RESUME: "Resume",
    Act.CANCEL: "Cancel",
    Act.RETRY: "Retry",
    Act.REDRIVE: "Run again from",
    Act.REWIND: "Go back to",
    Act.SKIP: "Skip",
}


def why_not(
    state: SagaState,
    plan: SagaPlan | None,
    act: Act,
    step: str | None = None,
    outcome: str | None = None,
    content: str | None = None,
) -> str | None:
    """Why the tracker would refuse a command, by what is known here; `None` if it would obey.

    The command line, the HTTP API and the console all ask here whether a command applies.
    """
    try:
        _tried(state, plan, act, step, outcome, content)
    except RefusedError as refused:
        return str(refused)
    return None


def actions_for(state: SagaState, plan: SagaPlan | None) -> tuple[Action, ...]:
    """The commands that apply now, each with the steps to choose from; none without the saga's definition."""
    if plan is None:
        return ()
    whole = (Action(command=act.value, label=_LABELS[act]) for act in _ALL_OF_IT if why_not(state, plan, act) is None)
    stepwise = (action for act in _OF_A_STEP if (action := _of_step(state, plan, act)) is not None)
    return (*whole, *stepwise, *_skipping(state, plan))


def _of_step(state: SagaState, plan: SagaPlan, act: Act) -> Action | None:
    steps = tuple(name for name in plan.steps if why_not(state, plan, act, name) is None)
    if not steps:
        return None
    chosen = _by_itself(state, plan, act)
    step = chosen if chosen in steps else steps[-1] if act is Act.REWIND or len(steps) == 1 else None
    return Action(command=act.value, step=step, steps=steps, label=_label(act, steps))


def skipped_by(state: SagaState, plan: SagaPlan | None, step: str) -> tuple[str, ...] | None:
    """The outcomes by one of which a step can be skipped now; none of a compensation that has failed.

    `None` if the step cannot be skipped.
    """
    if why_not(state, plan, Act.SKIP, step) is None:
        return ()
    declared = plan.steps[step].step.emits if plan is not None and step in plan.steps else ()
    found = (event.event_type for event in declared)
    return tuple(one for one in found if why_not(state, plan, Act.SKIP, step, one) is None) or None


def _skipping(state: SagaState, plan: SagaPlan) -> Iterator[Action]:
    """A step is skipped with an outcome; a compensation that has failed, without."""
    known = {name: skipped_by(state, plan, name) for name in plan.steps}
    outcomes = {name: found for name, found in known.items() if found is not None}
    if outcomes:
        steps = tuple(outcomes)
        only = steps[0] if len(steps) == 1 else None
        yield Action(command="skip", step=only, steps=steps, outcomes=outcomes, label=_label(Act.SKIP, steps))


def _by_itself(state: SagaState, plan: SagaPlan, act: Act) -> str | None:
    """The step that the tracker would choose if none was named."""
    try:
        obeyed = _tried(state, plan, act)
    except RefusedError:
        return None
    if obeyed.run is not None:
        return obeyed.run[0]
    if obeyed.debt is not None:
        return obeyed.debt.step
    redo = obeyed.state.undo.redo if obeyed.state.undo else None
    return redo.step if redo else None


def _label(act: Act, steps: tuple[str, ...]) -> str:
    which = f" {steps[0]}" if len(steps) == 1 else " a step"
    return f"{_LABELS[act]}{which}"


def _tried(
    state: SagaState,
    plan: SagaPlan | None,
    act: Act,
    step: str | None = None,
    outcome: str | None = None,
    content: str | None = None,
) -> Obeyed:
    """What would become of the saga. Raises RefusedError."""
    if plan is None:
        raise RefusedError(f"the definition {state.definition} v{state.version} is not known here")
    asked = PendingCommand("asked-of-no-one", act.value, "nobody", state.updated_at, -1, "", step, outcome, content)
    return obey(state, asked, plan)
