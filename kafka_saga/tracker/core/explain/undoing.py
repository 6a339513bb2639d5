"""How far the undoing of a saga is: settling, undoing one step after the other, or trying that again."""

from __future__ import annotations

from typing import NamedTuple

from kafka_saga.tracker.core.compensations import pending_compensations
from kafka_saga.tracker.core.derive import is_live
from kafka_saga.tracker.core.due_items import DueKind, due_items
from kafka_saga.tracker.core.explain.around import Look
from kafka_saga.tracker.core.explain.runs import attempt, is_overdue, whose_fault
from kafka_saga.tracker.core.explain.wording import because, both, brief, capital, moment, since, steps
from kafka_saga.tracker.core.runs import FAILED, base_attempt
from kafka_saga.tracker.core.state import Goal, ReportRef, SagaState, Sent, Undo
from kafka_saga.wire.wording import length


class Undone(NamedTuple):
    """An outcome that the tracker has had undone, or tries to: its last command, and how that failed."""

    sent: Sent
    report: ReportRef | None
    is_paid: bool
    is_waived: bool


def attempts_to_undo(state: SagaState) -> list[Undone]:
    """Every outcome that was asked to be undone, in that order."""
    last = {sent.about: sent for sent in state.sent if sent.undoes}
    return [_undone(state, sent) for sent in last.values()]


def under_way(state: SagaState) -> Undone | None:
    """The outcome that is being undone."""
    return next((one for one in attempts_to_undo(state) if not one.is_paid and not one.is_waived), None)


def undoing(look: Look, undo: Undo) -> str:
    """Why a saga that is brought back is not through with that."""
    return f"{lead(undo, look.now)}. {_settling(look, undo) if undo.settled_at is None else _undoing(look, undo)}"


def lead(undo: Undo, now: int) -> str:
    """What has led to it, and when."""
    why = f"{brief(undo.reason)} ({moment(undo.at, now)})"
    return f"The saga fails: {why}" if undo.goal is Goal.FAILED else capital(why)


def being_undone(look: Look, one: Undone) -> str:
    """One outcome that is being undone, without a full stop."""
    sent, report, now = one.sent, one.report, look.now
    if report is None:
        number = attempt(sent.attempt, _last(look, sent))
        return f"Step {sent.step} is being undone {since(sent.at, now)} ({number}){_if_down(look, sent.step)}"
    if _is_stuck(look.state, report):
        return f"Step {sent.step} cannot be undone (attempt {sent.attempt}){because(report.reason)}"
    return _undone_again(look, sent, report)


def _is_stuck(state: SagaState, report: ReportRef) -> bool:
    """Whether undoing has failed for good: nothing follows by itself."""
    asked = any(one.kind == "compensation_failed" and one.step == report.step for one in state.incidents)
    return report.kind == FAILED and (asked or not report.retryable)


def _undone_again(look: Look, sent: Sent, report: ReportRef) -> str:
    now, number = look.now, attempt(sent.attempt + (report.kind == FAILED), _last(look, sent))
    why = f", since attempt {sent.attempt} failed{because(report.reason)}" if report.kind == FAILED else ""
    at = _due(look, DueKind.COMPENSATE)
    if at is not None and is_overdue(at, now):
        return f"Undoing step {sent.step} should have gone on {length(now - at)} ago{whose_fault(look)}: {number}{why}"
    when = f"in {length(at - now)}, at {moment(at, now)}" if at is not None and at > now else "soon"
    return f"Undoing step {sent.step} is tried again {when} ({number}){why}"


def _undone(state: SagaState, sent: Sent) -> Undone:
    report = next((one for one in state.reports if one.command == sent.id), None)
    is_paid = any(event.cause == sent.about and event.type == f"{sent.step}.compensated" for event in state.events)
    return Undone(sent, report, is_paid, sent.about in state.waived)


def _settling(look: Look, undo: Undo) -> str:
    live = [step.name for step in look.state.steps if is_live(look.state, (step.name,)) and step.name in undo.steps]
    if not live:
        return f"Nothing of it runs any more: it is about to go on{_late(look, undo.at)}."
    return f"First {steps(live)}, which may still be running, has to end: {_limit(look)}{_if_down(look, live[0])}."


def _late(look: Look, at: int) -> str:
    return whose_fault(look) if is_overdue(max(at, look.state.updated_at), look.now) else ""


def _limit(look: Look) -> str:
    at, now = _due(look, DueKind.SETTLE), look.now
    if at is None:
        return "that is waited for, but not for ever"
    if is_overdue(at, now):
        return f"the wait should have ended at {moment(at, now)}, {length(now - at)} ago{whose_fault(look)}"
    return f"that is waited for until {moment(at, now)} at the latest, in {length(at - now)}"


def _undoing(look: Look, undo: Undo) -> str:
    one = under_way(look.state)
    left = _left(look, one)
    if one is not None:
        return f"{being_undone(look, one)}{f', then {both(left)}' if left else ''}; {_in_the_end(undo)}."
    late = _late(look, undo.settled_at or undo.at)
    if left:
        return f"Nothing of it runs any more: {steps(left)} {'is' if len(left) == 1 else 'are'} undone next{late}."
    return f"Nothing of it runs any more: what has to be undone is undone next{late}; {_in_the_end(undo)}."


def _left(look: Look, now: Undone | None) -> list[str]:
    """The steps to undo after the one that is being undone, where the definition is known."""
    owed = pending_compensations(look.state, look.plan) if look.plan else []
    about = now.sent.about if now else None
    return [debt.step for debt in owed if debt.paid_at is None and debt.outcome.id != about]


def _in_the_end(undo: Undo) -> str:
    if undo.redo is None:
        return f"in the end the saga is {undo.goal.value}"
    return f"in the end step {undo.redo.step} {'is skipped' if undo.redo.outcome else 'runs again'}"


def _last(look: Look, sent: Sent) -> int:
    """The attempt at undoing after which there is none; 0 if that is not known."""
    if look.plan is None:
        return 0
    mine = [one for one in look.state.sent if one.undoes and one.about == sent.about]
    return base_attempt(mine) + look.plan.steps[sent.step].step.compensation_retry.attempts - 1


def _due(look: Look, what: DueKind) -> int | None:
    """When the next such item is due; if the definition is not known, when the tracker will take up the saga."""
    if look.plan is None:
        return look.state.due
    items = due_items(look.state, look.plan, look.around.wide)
    return min((item.at for item in items if item.what is what), default=None)


def _if_down(look: Look, step: str) -> str:
    place = look.at_service(step)
    return f", but no instance of {place.owner} is running" if place.instances == 0 else ""
