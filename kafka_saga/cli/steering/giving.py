"""Gives a command to the sagas that are meant: finds them, says how many, asks, sends, and says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kafka_saga.broker.port import Cluster
from kafka_saga.cli.exits import Exit
from kafka_saga.cli.output import err, make_sure, out, print_json, safe
from kafka_saga.cli.render.answers import answer_json, answers_view, asked_view, dry_json, matching_view
from kafka_saga.inspection.commands.giving import Check, CommandPlan, Order, planned
from kafka_saga.inspection.commands.selection import Selection, SelectionError, check
from kafka_saga.inspection.commands.sending import CommandVerdict, SentCommand, send
from kafka_saga.inspection.diagnose.diagnosis import TRACKER
from kafka_saga.inspection.log.groups import Groups
from kafka_saga.inspection.log.times import now


@dataclass(frozen=True, slots=True)
class Typed(Order):
    """A command as it was typed; `wait` is in seconds."""

    wait: float = 10.0
    is_dry: bool = False
    is_sure: bool = False
    as_json: bool = False


def give(
    cluster: Cluster,
    groups: Groups,
    selection: Selection,
    order: Typed,
    judge: Check | None = None,
) -> Exit:
    """Do all of it; the exit code. `judge` raises what was typed wrongly, before any command is sent."""
    check(order.act, selection)
    plan = planned(cluster, selection, order, judge)
    if plan.unknown:
        _say_left_out(plan)
    if not plan.asked:
        return _nothing(order)
    if plan.is_bulk or order.is_dry:
        (err() if order.as_json else out()).print(matching_view(plan.sagas, plan.scope, now()))
    if order.is_dry:
        return _dry(plan, order)
    make_sure(asked_view(plan.asked, order.act), is_sure=order.is_sure or not plan.is_bulk)
    return put(cluster, groups, plan.asked, order)


def put(cluster: Cluster, groups: Groups, asked: Sequence[SentCommand], order: Typed) -> Exit:
    """Send commands and say what the tracker answers; the exit code."""
    answers = send(cluster, asked, order.wait)
    is_silent = any(answer.verdict is CommandVerdict.SILENT for answer in answers)
    is_away = is_silent and not groups.members([TRACKER]).get(TRACKER)
    if order.as_json:
        print_json([answer_json(answer) for answer in answers])
    else:
        out().print(answers_view(answers, order.wait, is_tracker_away=is_away), soft_wrap=len(answers) == 1)
    if any(answer.verdict is CommandVerdict.REFUSED for answer in answers):
        return Exit.ERROR
    return Exit.TIMEOUT if is_silent else Exit.OK


def _say_left_out(plan: CommandPlan) -> None:
    """Raises SelectionError if no other sagas are meant: that nothing was done must not pass for success."""
    text = (
        f"Sagas of {', '.join(plan.unknown)} are left out, since that is not known here: set SAGA_DEFINITIONS as the "
        "tracker has it, give --definition MODULE:ATTRIBUTE, or name them by ID or --status."
    )
    if not plan.asked:
        raise SelectionError(text)
    err().print(safe(text, "yellow"), soft_wrap=True)


def _nothing(order: Typed) -> Exit:
    if order.as_json:
        print_json([])
    else:
        out().print(safe(f"No saga matches that could be asked to {order.act}: nothing was done."))
    return Exit.OK


def _dry(plan: CommandPlan, order: Typed) -> Exit:
    if order.as_json:
        print_json([dry_json(one) for one in plan.asked])
    else:
        out().print(safe(f"{asked_view(plan.asked, order.act)}: left undone (--dry-run)."))
    return Exit.OK
