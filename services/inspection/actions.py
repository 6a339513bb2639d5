"""Which commands apply to a saga now: the tracker's own rules, asked without giving a command. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.api.sagas import Action
from schemas.events.commands import Act
from services.tracker.core.orders import Obeyed, RefusedError, obey
from services.tracker.core.outline import Outline
from services.tracker.core.state import Asked, SagaState

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
    plan: Outline | None,
    act: Act,
    now: int,
    step: str | None = None,
    outcome: str | None = None,
    content: str | None = None,
) -> str | None:
    """Why the tracker would refuse a command, by what is known here; none if it would obey."""
    try:
        _tried(state, plan, act, now, step, outcome, content)
    except RefusedError as refused:
        return str(refused)
    return None


def actions_for(state: SagaState, plan: Outline | None, now: int) -> tuple[Action, ...]:
    """The commands that apply now, each with the steps to choose from; none without the saga's definition."""
    if plan is None:
        return ()
    whole = (Action(command=act.value, label=_LABELS[act]) for act in _ALL_OF_IT if not why_not(state, plan, act, now))
    stepwise = (action for act in _OF_A_STEP if (action := _of_step(state, plan, act, now)) is not None)
    return (*whole, *stepwise, *_skipping(state, plan, now))


def _of_step(state: SagaState, plan: Outline, act: Act, now: int) -> Action | None:
    steps = tuple(name for name in plan.steps if why_not(state, plan, act, now, name) is None)
    if not steps:
        return None
    chosen = _by_itself(state, plan, act, now)
    step = chosen if chosen in steps else steps[-1] if act is Act.REWIND or len(steps) == 1 else None
    return Action(command=act.value, step=step, steps=steps, label=_label(act, steps))


def _skipping(state: SagaState, plan: Outline, now: int) -> Iterator[Action]:
    """A step is skipped with an outcome; a compensation that has failed, without."""
    outcomes: dict[str, tuple[str, ...]] = {}
    for name, step in plan.steps.items():
        if why_not(state, plan, Act.SKIP, now, name) is None:
            outcomes[name] = ()
        else:
            found = (event.event_type for event in step.step.emits)
            fitting = tuple(one for one in found if why_not(state, plan, Act.SKIP, now, name, one) is None)
            outcomes |= {name: fitting} if fitting else {}
    if outcomes:
        steps = tuple(outcomes)
        only = steps[0] if len(steps) == 1 else None
        yield Action(command="skip", step=only, steps=steps, outcomes=outcomes, label=_label(Act.SKIP, steps))


def _by_itself(state: SagaState, plan: Outline, act: Act, now: int) -> str | None:
    """The step that the tracker would choose if none was named."""
    try:
        obeyed = _tried(state, plan, act, now)
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
    plan: Outline | None,
    act: Act,
    now: int,
    step: str | None = None,
    outcome: str | None = None,
    content: str | None = None,
) -> Obeyed:
    """What would become of the saga. Raises RefusedError."""
    if plan is None:
        raise RefusedError(f"the definition {state.definition} v{state.version} is not known here")
    asked = Asked("asked-of-no-one", act.value, "nobody", now, -1, "", step, outcome, content)
    return obey(state, asked, plan)
