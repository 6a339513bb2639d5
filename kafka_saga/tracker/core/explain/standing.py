"""Why a saga that has not ended stands where it does, if it is not one of its steps alone."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_saga.tracker.core.derive import is_live
from kafka_saga.tracker.core.due_items import UNKNOWN_FOR
from kafka_saga.tracker.core.explain.around import Look
from kafka_saga.tracker.core.explain.runs import at_work, sentence
from kafka_saga.tracker.core.explain.undoing import lead, undoing
from kafka_saga.tracker.core.explain.wording import ahead, because, both, brief, capital, first_of, since, steps, typed
from kafka_saga.tracker.core.state import Incident, Pause, SagaState, StepStatus
from kafka_saga.wire.control import PREFIX

_SHOWN = 2


def not_started(look: Look) -> str:
    """No first event is known."""
    state = look.state
    if not (state.held_events or state.held_reports):
        return "Not started as far as is known: no event of it has been read."
    return f"Not started as far as is known: {_held(state)} waits for the event that caused it."


def of_unknown_version(state: SagaState) -> bool:
    """Whether no tracker has known the saga's version so far: then nothing is concluded about its steps."""
    return not state.hash and all(step.status is StepStatus.WAITING for step in state.steps)


def unknown_version(look: Look) -> str:
    """Nobody knows what follows what."""
    state = look.state
    at = (state.started_at or look.now) + UNKNOWN_FOR
    return (
        f"It follows {state.definition} v{state.version}, which no running tracker knows: start one that does. "
        f"If none is there, an incident follows {ahead(at, look.now)}."
    )


def paused(look: Look) -> str:
    """Nothing of it runs, because somebody wants it so."""
    return f"Paused {_by_whom(look)}. {_on_resume(look)}"


def pausing(look: Look) -> str:
    """Somebody wants it to stand still, but something of it still runs."""
    state = look.state
    live = [step.name for step in state.steps if is_live(state, (step.name,))]
    undone = [step.name for step in state.steps if step.status is StepStatus.COMPENSATING]
    ends = f"{steps(live)}, which may be running, to end" if live else f"{steps(undone)} to be undone"
    down = [f"no instance of {look.at_service(name).owner} is running" for name in live
            if look.at_service(name).instances == 0]  # fmt: skip
    but = f", but {both(down)}" if down else ""
    return f"Pausing {_by_whom(look)}. It waits for {ends}{but}; then nothing starts until {_resume(state)}."


def _by_whom(look: Look) -> str:
    return ", and ".join(_pause(pause, look.now) for pause in _lasting(look.state))


def _pause(pause: Pause, now: int) -> str:
    whose = f" with all sagas whose key begins with {brief(_prefix(pause))}" if _prefix(pause) else ""
    return f"by {pause.by}{whose} {since(pause.at, now)}{because(pause.reason)}"


def _lasting(state: SagaState) -> list[Pause]:
    return [pause for pause in state.pauses if pause.until is None]


def _prefix(pause: Pause) -> str:
    return pause.scope.removeprefix(PREFIX) if pause.scope.startswith(PREFIX) else ""


def _resume(state: SagaState) -> str:
    ways = [f"`saga resume --key-prefix {_prefix(one)}`" if _prefix(one) else "`saga resume`"
            for one in _lasting(state)]  # fmt: skip
    return both(ways)


def _on_resume(look: Look) -> str:
    state, resume = look.state, _resume(look.state)
    if state.undo is not None:
        return f"{lead(state.undo, look.now)}. That goes on after {resume}."
    going_on = list(dict.fromkeys(work.step for work in at_work(look) if work.run.status is not StepStatus.FAILED))
    who = capital(steps(going_on)) if going_on else "It"
    return f"{who} {'go' if len(going_on) > 1 else 'goes'} on after {resume}."


def with_incidents(look: Look) -> str:
    """A person has to decide, and what goes on meanwhile."""
    state = look.state
    asked = incidents(look)
    if state.undo is not None and not state.status.is_final:
        return f"{asked} {lead(state.undo, look.now)}."
    about = {incident.step for incident in state.incidents}
    others = [work.step for work in at_work(look) if work.run.status.is_open and work.step not in about]
    return f"{asked} Meanwhile {steps(others)} {'go' if len(others) > 1 else 'goes'} on." if others else asked


def incidents(look: Look) -> str:
    """What waits for a person."""
    first, *more = look.state.incidents
    why = f"{since(first.at, look.now)}: {brief(first.reason)}"
    if more:
        return f"{1 + len(more)} incidents wait for a person, the first {why}. `saga incidents` lists them."
    return f"An incident waits for a person {why}. {_solution(first)}"


def _solution(incident: Incident) -> str:
    return f"Decide by {typed(incident.commands)}." if incident.commands else "It closes by itself then."


def brought_back(look: Look) -> str:
    """It fails, is cancelled, or goes back."""
    if look.state.undo is None:
        raise LookupError(look.state.saga_id)
    return undoing(look, look.state.undo)


def outrun(look: Look) -> str:
    """A later saga of the key has started."""
    rival = look.state.rival
    if rival is None:
        raise LookupError(look.state.saga_id)
    begun = ahead(rival.at, look.now)
    return f"Superseded by {rival.saga_id}, which started {begun}: it is about to be cancelled."


def gap(look: Look) -> str:
    """An effect is known, its cause is not."""
    begun = [f"step {work.step} (attempt {work.run.attempt})" for work in at_work(look)]
    until_then = f"; until then {both(begun)} has not ended as far as is known" if begun else ""
    return (
        f"{_held(look.state)} waits for the event that caused it, which has not been read yet{until_then}. "
        "If that event is not on the log, what waits for it is set aside."
    )


def working(look: Look) -> str:
    """Its steps are asked for and have not ended."""
    found = at_work(look)
    more = len(found) - _SHOWN
    said = [sentence(work) for work in found[:_SHOWN]]
    if more > 0:
        said.append(f"Besides, {'1 more step has' if more == 1 else f'{more} more steps have'} not ended.")
    return " ".join((*said, *_then(look.state)))


def _then(state: SagaState) -> Iterator[str]:
    """The steps that follow, if nothing has failed."""
    left = [step.name for step in state.steps if step.status is StepStatus.WAITING]
    if left and not any(step.status is StepStatus.FAILED for step in state.steps):
        yield f"Then: {', '.join(left)}."


def idle(look: Look) -> str:
    """Every step that was asked for has ended, and the saga has not."""
    last = f": {look.state.events[-1].type} was the last event" if look.state.events else ""
    return f"No step has anything to do{last}, and how the saga ends is about to be decided."


def _held(state: SagaState) -> str:
    return first_of([event.type for event in state.held_events] + [report.kind for report in state.held_reports])
