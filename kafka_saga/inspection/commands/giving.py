"""What a command comes to: which sagas it is about, as the tracker knows them, and the records that ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kafka_saga.broker.port import Cluster
from kafka_saga.definition.topics import SAGA_COMMANDS
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.inspection.commands.actions import why_not
from kafka_saga.inspection.commands.selection import (
    Selection,
    SelectionError,
    check_step,
    fits,
    is_concerned,
    note_definition,
    wide_scope,
)
from kafka_saga.inspection.commands.sending import SentCommand, checked_id, new_id
from kafka_saga.inspection.log.deployed import DefinitionVersion, Deployed
from kafka_saga.inspection.log.loading import known_on
from kafka_saga.inspection.log.reading import began, each_state, find, partition_count, resolve, states
from kafka_saga.tracker.core.plan import SagaPlan, saga_plan
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from kafka_saga.wire.control import of_saga, parsed
from kafka_saga.wire.ids import event_id


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it is given, before it is known to which sagas; `content` is a JSON object."""

    act: Act
    author: str
    reason: str = ""
    step: str | None = None
    outcome: str | None = None
    content: str | None = None
    command_id: str | None = None

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


Check = Callable[[SagaState], None]
"""Raises ChoreographyError with what is wrong about a command to this saga, as it was typed."""


@dataclass(frozen=True, slots=True)
class CommandPlan:
    """What would be asked, and the sagas that it concerns now.

    `unknown` are definitions (`order v2`) that are not known here: sagas of theirs fit the filters, and are left out.
    """

    asked: tuple[SentCommand, ...]
    sagas: tuple[SagaState, ...]
    scope: str | None = None
    unknown: tuple[str, ...] = ()

    @property
    def is_bulk(self) -> bool:
        """Whether it is about more than one saga."""
        return self.scope is not None or len(self.asked) > 1


@dataclass(slots=True)
class Matching:
    """The sagas that filters mean, by when they started, and the definitions of those that cannot be judged here.

    `left`: of a command about a step that applies to no saga, those that the filters mean. What was typed may be wrong.
    """

    sagas: list[SagaState] = field(default_factory=list)
    left: list[SagaState] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    def leave_out(self, state: SagaState, order: Order) -> None:
        """Note a saga that the command does not apply to; many are left out, and few of them are of use."""
        if order.step is not None and not self.sagas:
            self.left.append(state)


def planned(cluster: Cluster, selection: Selection, order: Order, check: Check | None = None) -> CommandPlan:
    """What a command comes to, by what the tracker knows now. Raises ChoreographyError if it means nothing."""
    count = partition_count(cluster, SAGA_COMMANDS)
    if selection.is_wide(order.act):
        return _wide_plan(each_state(cluster), known_on(cluster), selection, order, count)
    meant = Matching(named(cluster, selection.names)) if selection.names else matching(cluster, selection, order)
    for state in meant.sagas or meant.left:
        check_step(state, order.step)
        if check is not None:
            check(state)
    asked = to_each(meant.sagas, order, is_the_one=len(selection.names) == 1)
    return CommandPlan(asked, tuple(meant.sagas), unknown=tuple(sorted(meant.unknown)))


def named(cluster: Cluster, names: Sequence[str]) -> list[SagaState]:
    """The sagas that these names mean, each once."""
    if len(names) == 1:
        return [find(cluster, names[0])]
    known = states(cluster)
    return list({(state := resolve(known, name)).saga_id: state for name in names}.values())


def matching(cluster: Cluster, selection: Selection, order: Order) -> Matching:
    """The sagas that the filters mean and the command applies to; with a status, exactly those of that status."""
    plans = {} if selection.statuses else _plans(known_on(cluster, selection.model))
    found = Matching()
    for state in each_state(cluster):
        if not fits(selection, state):
            continue
        plan = plans.get((state.definition, state.version))
        if selection.statuses or _refusal(state, plan, order) is None:
            found.sagas.append(state)
        elif plan is not None:
            found.leave_out(state, order)
        elif state.definition and state.status is not SagaStatus.COMPLETED:  # else it hardly waits for a command
            found.unknown.add(f"{state.definition} v{state.version}")
    found.sagas.sort(key=began)
    return found


def _plans(known: Deployed) -> Mapping[DefinitionVersion, SagaPlan]:
    return {version: saga_plan(saga) for version, saga in known.definitions.items()}


def _refusal(state: SagaState, plan: SagaPlan | None, order: Order) -> str | None:
    return why_not(state, plan, order.act, order.step, order.outcome, order.content)


def to_each(found: Sequence[SagaState], order: Order, *, is_the_one: bool = False) -> tuple[SentCommand, ...]:
    """The command about each of these sagas.

    An id that was given is that of the one saga that was named. Others get their own, made of it: a selection may mean
    another number of sagas when the command comes again.
    """
    return tuple(_about(state, order, is_only=is_the_one) for state in found)


def to_all(command: SagaCommand, command_id: str | None, partitions: int) -> SentCommand:
    """A command that every partition gets, with one id."""
    identity = new_id() if command_id is None else checked_id(command_id)
    return SentCommand(identity, command, tuple(range(partitions)))


def _wide_plan(
    states: Iterable[SagaState], known: Deployed, selection: Selection, order: Order, partitions: int
) -> CommandPlan:
    definitions = {name: tuple(saga.steps_by_name) for name, saga in known.latest.items()}
    found = []
    for state in states:
        note_definition(definitions, state)
        if is_concerned(selection, state):
            found.append(state)
    scope = _sound(wide_scope(order.act, selection, definitions))
    asked = to_all(order.command(scope), order.command_id, partitions)
    return CommandPlan((asked,), tuple(sorted(found, key=began)), scope)


def _sound(scope: str) -> str:
    """Raises SelectionError if the scope is none."""
    try:
        parsed(scope)
    except ValueError as error:
        raise SelectionError(f"{scope!r} {error}.") from None
    return scope


def _about(state: SagaState, order: Order, *, is_only: bool) -> SentCommand:
    if order.command_id is None:
        identity = new_id()
    else:
        given = checked_id(order.command_id)
        identity = given if is_only else event_id(given, "", state.saga_id, 0, 0)
    return SentCommand(identity, order.command(of_saga(state.saga_id)), (state.partition,))
