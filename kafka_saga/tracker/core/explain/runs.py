"""Why a step that was asked for has not ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kafka_saga.tracker.core import pauses
from kafka_saga.tracker.core.explain.around import AtService, DeliveryPlace, Look
from kafka_saga.tracker.core.explain.wording import because, moment, since
from kafka_saga.tracker.core.runs import FAILED, base_attempt, is_current
from kafka_saga.tracker.core.state import Progress, Run, Sent, StepStatus
from kafka_saga.wire.control import Hold
from kafka_saga.wire.wording import length

PROMPT = 10_000
"""Milliseconds after which something that is due has not been decided in time: a tracker that is well takes less."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """A run that has not ended, as it is looked at."""

    look: Look
    step: str
    run: Run

    @property
    def place(self) -> AtService:
        """Its work at its service."""
        return self.look.at_service(self.step)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """The tracker's commands to run it again."""
        mine = (sent for sent in self.look.state.sent if sent.step == self.step and not sent.undoes)
        return tuple(sent for sent in mine if sent.about == self.run.about)

    @property
    def asked_at(self) -> int:
        """When its present attempt was asked for."""
        return self.sent[-1].at if self.sent else self.run.at

    @property
    def last(self) -> int:
        """The attempt after which there is none; 0 if that is not known."""
        plan = self.look.plan
        if self.run.last or plan is None:
            return self.run.last
        return base_attempt(self.sent) + plan.steps[self.step].step.retry.attempts - 1

    @property
    def hold(self) -> tuple[str, Hold] | None:
        """The pause of its step or definition that lasts, with how `saga resume` names it."""
        wide, definition = self.look.around.wide, self.look.state.definition
        for name, entry in wide.steps:
            if name == self.step and entry.paused:
                return f"--step {definition}/{name}", entry.paused
        whole = wide.definition.paused if wide.definition else None
        return (f"--definition {definition}", whole) if whole else None

    @property
    def progress(self) -> Progress | None:
        """The last that its handler has told."""
        command = self.sent[-1].id if self.sent else None
        told = (one for one in self.look.state.progress if one.step == self.step and one.cause == self.run.about)
        return next((one for one in told if one.command == command), None)


def at_work(look: Look) -> list[AtWork]:
    """Every current run that has not ended by an outcome."""
    return [
        AtWork(look, step.name, run)
        for step in look.state.steps
        for run in step.runs
        if run.status is not StepStatus.DONE and is_current(run, step.name, look.state)
    ]


def sentence(work: AtWork) -> str:
    """Why one run has not ended."""
    return next(say for applies, say in _SITUATIONS if applies(work))(work)


def attempt(number: int, last: int) -> str:
    """`attempt 3 of 5`, or `attempt 3` if it is not known how many there are."""
    return f"attempt {number} of {last}" if last else f"attempt {number}"


def is_overdue(at: int, now: int) -> bool:
    """Whether what was due then should have been decided."""
    return now - at > PROMPT


def whose_fault(look: Look) -> str:
    """Why something due was not decided, in brackets, where nothing else will say so."""
    return "" if look.around.trackers == 0 or look.around.behind else " (the tracker is down or behind)"


def _failed(work: AtWork) -> str:
    run = work.run
    return (
        f"Step {work.step} has failed for good ({attempt(run.attempt, work.last)}){because(run.error)}. "
        "What follows is about to be decided."
    )


def _paused(work: AtWork) -> str:
    if work.hold is None:
        raise LookupError(work.step)
    name, hold = work.hold
    what = f"Step {work.step}" if name.startswith("--step") else f"The definition {work.look.state.definition}"
    again = attempt(work.run.attempt + (work.run.status is StepStatus.RETRYING), work.last)
    return (
        f"{what} is paused by {hold.by} {since(hold.at, work.look.now)}{because(hold.reason)}. "
        f"Step {work.step} ({again}) waits until `saga resume {name}`."
    )


def _retrying(work: AtWork) -> str:
    run, now, at = work.run, work.look.now, _due(work)
    number, why = attempt(run.attempt + 1, work.last), f"attempt {run.attempt} failed{because(run.error)}"
    if (work.look.state.due or 0) > max(now, at):
        # The tracker has nothing to do until after that: so a pause holds that is not known here.
        return f"Step {work.step} is put off by a pause of the step or of its definition ({number}), since {why}."
    if is_overdue(at, now):
        late = f"{length(now - at)} ago{whose_fault(work.look)}"
        return f"Step {work.step} should have been tried again {late}: {number}, since {why}."
    when = "now" if at <= now else f"in {length(at - now)}, at {moment(at, now)}"
    return f"Step {work.step} is tried again {when} ({number}), since {why}."


def _due(work: AtWork) -> int:
    """When the next attempt is due, as far as pauses are known."""
    run, frozen = work.run, pauses.of_step(work.look.state, work.look.around.wide, work.step)
    ended = run.ended_at or run.at
    return pauses.due_at(ended, max(0, (run.retry_at or ended) - ended), frozen) or work.look.now


def _going_on(work: AtWork) -> str:
    """Put off by a pause that is over, or skipped for a reason that no longer holds."""
    resumed = [pause.until for pause in work.look.state.pauses if pause.until is not None]
    at = max((work.run.ended_at or work.run.at, *resumed))
    why = "put off by a pause" if work.run.status is StepStatus.PARKED else "skipped"
    late = is_overdue(at, work.look.now)
    then = f"should go on {since(at, work.look.now)}" if late else "is about to go on"
    return f"Step {work.step} was {why} and {then}{whose_fault(work.look) if late else ''}."


def _stands_still(work: AtWork) -> str:
    on = f"`saga dlq continue {work.place.service or 'SERVICE'}`"
    return f"{_waits(work)}, but at {work.place.owner}{because(work.place.still)}. It goes on after {on}."


def _down(work: AtWork) -> str:
    before = f", behind {_others(work.place)}," if work.place.ahead else ""
    was = " was running and" if work.run.status is StepStatus.RUNNING else ""
    start = f" (`{work.look.around.started_by}`)" if work.look.around.started_by else ""
    return (
        f"Step {_named(work)}{was} waits{before} {since(work.asked_at, work.look.now)}: "
        f"no instance of {work.place.owner} is running. It goes on when one is{start}."
    )


def _running(work: AtWork) -> str:
    told, now = work.progress, work.look.now
    if told is None:
        return f"Step {_named(work)} is running."
    how_far = _how_far(told)
    said = f": {how_far}" if how_far else ""
    return (
        f"Step {_named(work)} is running for {length(now - told.started_at)}, since {moment(told.started_at, now)}"
        f"{said}, as it told {length(now - told.at)} ago."
    )


def _how_far(told: Progress) -> str:
    total = f" of {told.total}" if told.total is not None else ""
    done = f"{told.done}{total} done" if told.done is not None else ""
    note = because(told.note).removeprefix(": ")
    return f"{done} ({note})" if done and note else done or note


def _queued(work: AtWork) -> str:
    return f"Step {_named(work)} is queued {since(work.asked_at, work.look.now)}, {_behind(work.place)}."


def _behind(place: AtService) -> str:
    return f"behind {_others(place)} at {place.owner}" if place.ahead else f"and is the next at {place.owner}"


def _others(place: AtService) -> str:
    return "1 other" if place.ahead == 1 else f"{place.ahead:,} others"


def _taken(work: AtWork) -> str:
    return f"{_waits(work)}: {work.place.owner} is running it."


def _ended(work: AtWork) -> str:
    return f"{_waits(work)}: {work.place.owner} is done with it, and the tracker is about to read how it ended."


def _somewhere(work: AtWork) -> str:
    return f"{_waits(work)}, and has not ended: it is queued or running at {work.place.owner}."


def _waits(work: AtWork) -> str:
    return f"Step {_named(work)} has its work {since(work.asked_at, work.look.now)}"


def _named(work: AtWork) -> str:
    """The step with its attempt, and how the one before has ended."""
    number = attempt(work.run.attempt, work.last)
    mine = (one for one in work.look.state.reports if one.step == work.step and one.cause == work.run.about)
    failed = [one for one in mine if one.kind == FAILED and one.attempt < work.run.attempt]
    if not failed:
        return f"{work.step} ({number})"
    return f"{work.step} ({number}, since attempt {failed[-1].attempt} failed{because(failed[-1].reason)})"


_SITUATIONS: tuple[tuple[Callable[[AtWork], bool], Callable[[AtWork], str]], ...] = (
    (lambda work: work.run.status is StepStatus.FAILED, _failed),
    (lambda work: work.run.status is not StepStatus.RUNNING and work.hold is not None, _paused),
    (lambda work: work.run.status is StepStatus.RETRYING, _retrying),
    (lambda work: work.run.status.meaning.is_put_off, _going_on),
    (lambda work: bool(work.place.still) and work.place.place is not DeliveryPlace.TAKEN, _stands_still),
    (lambda work: work.place.instances == 0 and work.place.place is not DeliveryPlace.ENDED, _down),
    (lambda work: work.run.status is StepStatus.RUNNING, _running),
    (lambda work: work.place.place is DeliveryPlace.QUEUED, _queued),
    (lambda work: work.place.place is DeliveryPlace.TAKEN, _taken),
    (lambda work: work.place.place is DeliveryPlace.ENDED, _ended),
    (lambda _: True, _somewhere),
)
"""Of what may hold for a run, the first that does says why it has not ended."""
