"""What a command comes to: which sagas it is about, as the tracker knows them, and the records that ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.control import of_saga, parsed
from schemas.events.commands import Act, SagaCommand
from schemas.ids import event_id
from services.chassis.port import Cluster
from services.inspection.loading import known_definitions
from services.inspection.reading import began, each_state, find, partition_count, resolve, states
from services.inspection.selection import Selection, SelectionError, is_concerned, matches, note_definition, wide_scope
from services.inspection.sending import Asked, checked_id, new_id
from services.tracker.core.state import SagaState
from topology.topics import SAGA_COMMANDS


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


def planned(cluster: Cluster, selection: Selection, order: Order) -> Plan:
    """What a command comes to, by what the tracker knows now. Raises ChoreographyError if it means nothing."""
    count = partition_count(cluster, SAGA_COMMANDS)
    if selection.is_wide(order.act):
        return _wide_plan(each_state(cluster), selection, order, count)
    found = named(cluster, selection.names) if selection.names else matching(cluster, selection, order.act)
    return Plan(to_each(found, order, is_the_one=len(selection.names) == 1), tuple(found))


def named(cluster: Cluster, names: Sequence[str]) -> list[SagaState]:
    """The sagas that these names mean, each once."""
    if len(names) == 1:
        return [find(cluster, names[0])]
    known = states(cluster)
    return list({(state := resolve(known, name)).saga_id: state for name in names}.values())


def matching(cluster: Cluster, selection: Selection, act: Act) -> list[SagaState]:
    """The sagas that the filters mean, by when they started."""
    return sorted((state for state in each_state(cluster) if matches(selection, act, state)), key=began)


def to_each(found: Sequence[SagaState], order: Order, *, is_the_one: bool = False) -> tuple[Asked, ...]:
    """The command about each of these sagas.

    An id that was given is that of the one saga that was named. Others get their own, made of it: a selection may mean
    another number of sagas when the command comes again.
    """
    return tuple(_about(state, order, is_only=is_the_one) for state in found)


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
    scope = _sound(wide_scope(order.act, selection, definitions))
    asked = to_all(order.command(scope), order.command_id, partitions)
    return Plan((asked,), tuple(sorted(found, key=began)), scope)


def _sound(scope: str) -> str:
    """Raises SelectionError if the scope is none."""
    try:
        parsed(scope)
    except ValueError as error:
        raise SelectionError(f"{scope!r} {error}.") from None
    return scope


def _about(state: SagaState, order: Order, *, is_only: bool) -> Asked:
    if order.command_id is None:
        identity = new_id()
    else:
        given = checked_id(order.command_id)
        identity = given if is_only else event_id(given, "", state.saga_id, 0, 0)
    return Asked(identity, order.command(of_saga(state.saga_id)), (state.partition,))
