"""Which sagas a command means: named ones, those that match, or a scope that is wider than any list of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kafka_saga.errors import ChoreographyError
from kafka_saga.events.commands import Act
from kafka_saga.inspection.present.spans import current_steps
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from kafka_saga.wire.control import of_definition, of_prefix, of_step

_WIDE = frozenset({Act.PAUSE, Act.RESUME})
_STEP_IS_TARGET = frozenset({Act.RETRY, Act.REDRIVE, Act.SKIP})


class SelectionError(ChoreographyError):
    """What was asked for means no saga, or more than can be told apart; the message says what to give instead."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the command line says about the sagas it means; `step` may be `STEP` or `DEFINITION/STEP`.

    `model` is where the definition is, as `module:ATTRIBUTE`, if it was given so.
    """

    names: tuple[str, ...] = ()
    step: str | None = None
    definition: str | None = None
    key_prefix: str | None = None
    statuses: frozenset[SagaStatus] = frozenset()
    model: str | None = None

    @property
    def step_name(self) -> str | None:
        """The step without its definition."""
        return self.step and self.step.rpartition("/")[2]

    @property
    def definition_name(self) -> str | None:
        """The definition, wherever it was said."""
        return (self.step or "").rpartition("/")[0] or self.definition

    def is_wide(self, act: Act) -> bool:
        """Whether a whole step, definition or key prefix is meant, with the sagas that start later."""
        return act in _WIDE and not self.names and not self.statuses


def check(act: Act, selection: Selection) -> None:
    """Raises SelectionError if nothing was said, or things that do not go together."""
    step_filters = selection.step is not None and act not in _STEP_IS_TARGET
    others = selection.definition or selection.key_prefix or selection.statuses
    if selection.names and (step_filters or others):
        raise SelectionError("Give saga ids, or --step, --definition, --key-prefix, --status: not both.")
    if not selection.names and not selection.step and not others:
        raise SelectionError(
            f"Which sagas? Give an ID, or --step, --definition, --key-prefix, --status: `saga {act} --help`."
        )
    in_step = (selection.step or "").rpartition("/")[0]
    if in_step and selection.definition and in_step != selection.definition:
        raise SelectionError(f"--step is of the definition {in_step}, --definition says {selection.definition}.")


def is_concerned(selection: Selection, state: SagaState) -> bool:
    """Whether a wide command means the saga now: it fits and is not over, whatever its status."""
    return fits(selection, state) and not state.status.is_final


def fits(selection: Selection, state: SagaState) -> bool:
    """Whether a saga is what the filters say."""
    return (
        selection.definition_name in {None, state.definition}
        and state.key.startswith(selection.key_prefix or "")
        and (selection.step_name is None or selection.step_name in current_steps(state))
        and (not selection.statuses or state.status in selection.statuses)
    )


def wide_scope(act: Act, selection: Selection, definitions: Mapping[str, Collection[str]]) -> str:
    """The scope of a command about more than one saga. `definitions` are those that are known, with their steps' names.

    What is told in full is taken as it is, since the tracker may know more. Raises SelectionError if it is not told
    which is meant.
    """
    definition = selection.definition_name
    if selection.key_prefix is not None:
        if definition is not None or selection.step is not None:
            raise SelectionError(
                f"A key prefix is {act}d for all definitions: add --status to mean only the sagas that match now."
            )
        return of_prefix(selection.key_prefix)
    if selection.step_name is None:
        return of_definition(definition or "")
    return of_step(definition or _only_owner(selection.step_name, definitions), selection.step_name)


def check_step(state: SagaState, step: str | None) -> None:
    """Raises SelectionError if the saga has no step of that name."""
    names = tuple(one.name for one in state.steps)
    if step is not None and step not in names:
        raise SelectionError(f"{state.saga_id} has no step {step!r}; its steps are {', '.join(names) or 'not known'}.")


def note_definition(known: dict[str, tuple[str, ...]], state: SagaState) -> None:
    """Remember the steps of a saga's definition, of the one with the most where versions differ."""
    before = known.get(state.definition, ())
    if len(state.steps) > len(before):
        known[state.definition] = tuple(step.name for step in state.steps)


def _only_owner(step: str, definitions: Mapping[str, Collection[str]]) -> str:
    owners = sorted(name for name, steps in definitions.items() if step in steps)
    if len(owners) == 1:
        return owners[0]
    if owners:
        some = " or ".join(f"--step {owner}/{step}" for owner in owners)
        raise SelectionError(f"{len(owners)} definitions have a step {step}: give {some}.")
    steps = ", ".join(f"{owner}/{name}" for owner, names in sorted(definitions.items()) for name in names) or "none"
    raise SelectionError(f"No step {step!r} is known here, only {steps}: give --step DEFINITION/STEP.")
