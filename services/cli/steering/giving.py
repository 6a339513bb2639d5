"""Gives a command to the sagas that are meant: finds them, says how many, asks, sends, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from schemas.control import of_saga
from schemas.events.commands import Act, SagaCommand
from schemas.ids import event_id
from services.chassis.port import Cluster
from services.cli.asking import make_sure
from services.cli.diagnosis import TRACKER
from services.cli.exits import Exit
from services.cli.groups import Groups
from services.cli.loading import known_definitions
from services.cli.output import err, now, out, print_json, safe
from services.cli.reading import began, each_state, find, partition_count, resolve, states
from services.cli.steering.selection import (
    Selection,
    check,
    check_step,
    is_concerned,
    matches,
    note_definition,
    wide_scope,
)
from services.cli.steering.sending import Asked, Verdict, checked_id, new_id, send
from services.cli.views.answers import answer_json, answers_view, asked_view, dry_json, matching_view
from services.tracker.core.state import SagaState
from topology.topics import SAGA_COMMANDS


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it was typed; `wait` is in seconds, `content` a JSON object."""

    act: Act
    author: str
    reason: str = ""
    step: str | None = None
    outcome: str | None = None
    content: str | None = None
    command_id: str | None = None
    wait: float = 10.0
    is_dry: bool = False
    is_sure: bool = False
    as_json: bool = False

    def command(self, scope: str) -> SagaCommand:
        """The command about one scope."""
        return SagaCommand(
            command=self.act,
            scope=scope,
            author=self.author,
            reason=self.reason,
            step=self.step,
            outcome=self.outcome,
            content=self.content,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be asked, and the sagas that it concerns now."""

    asked: tuple[Asked, ...]
    sagas: tuple[SagaState, ...]
    scope: str | None = None

    @property
    def is_bulk(self) -> bool:
        """Whether it is about more than one saga."""
        return self.scope is not None or len(self.asked) > 1


def give(
    cluster: Cluster,
    groups: Groups,
    selection: Selection,
    order: Order,
    judge: Callable[[SagaState], None] | None = None,
) -> Exit:
    """Do all of it; the exit code. `judge` raises what speaks against a saga's command before any is sent."""
    check(order.act, selection)
    plan = planned(cluster, selection, order)
    for state in plan.sagas if plan.scope is None else ():
        check_step(state, order.step)
        if judge is not None:
            judge(state)
    if not plan.asked:
        return _nothing(order)
    if plan.is_bulk or order.is_dry:
        (err() if order.as_json else out()).print(matching_view(plan.sagas, plan.scope, now()))
    if order.is_dry:
        return _dry(plan, order)
    make_sure(asked_view(plan.asked, order.act), is_sure=order.is_sure or not plan.is_bulk)
    return put(cluster, groups, plan.asked, order)


def put(cluster: Cluster, groups: Groups, asked: Sequence[Asked], order: Order) -> Exit:
    """Send commands and say what the tracker answers; the exit code."""
    answers = send(cluster, asked, order.wait)
    is_silent = any(answer.verdict is Verdict.SILENT for answer in answers)
    is_away = is_silent and not groups.members([TRACKER]).get(TRACKER)
    if order.as_json:
        print_json([answer_json(answer) for answer in answers])
    else:
        out().print(answers_view(answers, order.wait, is_tracker_away=is_away), soft_wrap=len(answers) == 1)
    if any(answer.verdict is Verdict.REFUSED for answer in answers):
        return Exit.ERROR
    return Exit.TIMEOUT if is_silent else Exit.OK


def planned(cluster: Cluster, selection: Selection, order: Order) -> Plan:
    """What a command comes to, by what the tracker knows now. Raises ChoreographyError if it means nothing."""
    count = partition_count(cluster, SAGA_COMMANDS)
    if selection.is_wide(order.act):
        return _wide_plan(each_state(cluster), selection, order, count)
    found = named(cluster, selection.names) if selection.names else matching(cluster, selection, order.act)
    return Plan(tuple(_about(state, order, is_only=len(found) == 1) for state in found), tuple(found))


def named(cluster: Cluster, names: Sequence[str]) -> list[SagaState]:
    """The sagas that these names mean, each once."""
    if len(names) == 1:
        return [find(cluster, names[0])]
    known = states(cluster)
    return list({(state := resolve(known, name)).saga_id: state for name in names}.values())


def matching(cluster: Cluster, selection: Selection, act: Act) -> list[SagaState]:
    """The sagas that the filters mean, by when they started."""
    return sorted((state for state in each_state(cluster) if matches(selection, act, state)), key=began)


def to_all(command: SagaCommand, command_id: str | None, partitions: int) -> Asked:
    """A command that every partition gets, with one id."""
    identity = new_id() if command_id is None else checked_id(command_id)
    return Asked(identity, command, tuple(range(partitions)))


def _wide_plan(known: Iterable[SagaState], selection: Selection, order: Order, partitions: int) -> Plan:
    definitions = {saga.name: tuple(saga.steps_by_name) for saga in known_definitions(None).values()}
    found = []
    for state in known:
        note_definition(definitions, state)
        if is_concerned(selection, state):
            found.append(state)
    scope = wide_scope(order.act, selection, definitions)
    asked = to_all(order.command(scope), order.command_id, partitions)
    return Plan((asked,), tuple(sorted(found, key=began)), scope)


def _about(state: SagaState, order: Order, *, is_only: bool) -> Asked:
    """The command about one saga; of an id that was given, each of several sagas gets its own."""
    if order.command_id is None:
        identity = new_id()
    else:
        given = checked_id(order.command_id)
        identity = given if is_only else event_id(given, "", state.saga_id, 0, 0)
    return Asked(identity, order.command(of_saga(state.saga_id)), (state.partition,))


def _nothing(order: Order) -> Exit:
    if order.as_json:
        print_json([])
    else:
        out().print(safe(f"No saga matches that could be asked to {order.act}: nothing was done."))
    return Exit.OK


def _dry(plan: Plan, order: Order) -> Exit:
    if order.as_json:
        print_json([dry_json(one) for one in plan.asked])
    else:
        out().print(safe(f"{asked_view(plan.asked, order.act)}: left undone (--dry-run)."))
    return Exit.OK
