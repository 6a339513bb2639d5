"""Commands to sagas: to some by their ids, to all that a selection means, or to a scope with those that come later."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.api.model import Answer, Count, Request, Value
from schemas.events.commands import Act

FIRST = 100
"""How many ids of concerned sagas an answer names."""

SagaId = Annotated[str, Field(min_length=1, max_length=1000)]


class SagaSelection(Request):
    """The sagas that fit all of these, and to which the command can do anything."""

    status: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    definition: Annotated[str | None, Field(max_length=200)] = None
    step: Annotated[str | None, Field(max_length=200, description="that are at work at it, or failed there")] = None
    key_prefix: Annotated[str | None, Field(max_length=1000)] = None

    @property
    def is_empty(self) -> bool:
        """Whether it means every saga there is."""
        return not (self.status or self.definition or self.step or self.key_prefix)


class CommandRequest(Request):
    """A command; either `saga_ids`, `selection` or `scope` says to which sagas.

    `scope`, for pause and resume: all sagas of a definition, those for which one of its steps is to run, or those whose
    key begins so, with the ones that start later.
    `step` is the step to retry, redrive, rewind to or skip; `outcome` and `content` (a JSON object) are the event that
    a skipped step is to have ended with. With `dry_run` nothing is sent. `expected` is the number of sagas that a
    person has confirmed: the command is refused (409) when it concerns another number by now.
    """

    command: Annotated[Act, Field(description="`continue` is no command to sagas")]
    saga_ids: Annotated[tuple[SagaId, ...], Field(max_length=1000)] = ()
    selection: SagaSelection | None = None
    scope: Annotated[
        str | None,
        Field(
            max_length=1000,
            pattern=r"^(definition:[^/\s]+|step:[^/\s]+/[^/\s]+|prefix:.+)$",
            description="`definition:NAME`, `step:DEFINITION/STEP` or `prefix:TEXT`",
        ),
    ] = None
    step: Annotated[str | None, Field(max_length=200)] = None
    outcome: Annotated[str | None, Field(max_length=200)] = None
    content: dict[str, object] | None = None
    author: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(max_length=2000)] = ""
    dry_run: bool = False
    expected: Count | None = None
    wait_s: Annotated[float, Field(ge=0, le=30, description="how long to wait for the tracker's answers")] = 0

    @model_validator(mode="after")
    def _is_about_sagas(self) -> Self:
        if self.command is Act.CONTINUE:
            raise ValueError("continue is about a service, not about sagas: `saga dlq continue`")
        if sum((bool(self.saga_ids), self.selection is not None, self.scope is not None)) != 1:
            raise ValueError("give saga_ids, selection or scope, one of them")
        if self.scope is not None and self.command not in {Act.PAUSE, Act.RESUME}:
            raise ValueError("a scope is paused or resumed; for other commands give a selection")
        if self.scope is not None and self.step is not None:
            raise ValueError("give no step with a scope: step:DEFINITION/STEP is a scope of its own")
        if self.selection is not None and self.selection.is_empty:
            raise ValueError("the selection is empty: it would mean every saga")
        return self


class RefusedSaga(Value):
    """A saga that the command does not apply to, by what is known now."""

    saga_id: str
    why: str


class CommandAnswer(Value):
    """What the tracker has said to a command within `wait_s`: `accepted`, `refused`, or `pending`.

    `saga_id` is empty if the command is about a scope.
    """

    saga_id: str
    command_id: str
    answer: str
    why: str


class DryRun(Answer):
    """What a command would come to: to how many sagas it would be given, and to which it does not apply."""

    sagas: int
    saga_ids: Annotated[tuple[str, ...], Field(description=f"the first {FIRST}")]
    refused: tuple[RefusedSaga, ...]


class Accepted(Answer):
    """The commands are on the log: the tracker obeys or refuses each when it reads it.

    `command_id` is the one given as Idempotency-Key (or made); of several sagas each command has its own, made of it.
    """

    command_id: str
    command_ids: Annotated[tuple[str, ...], Field(description=f"the first {FIRST}")]
    sagas: int
    saga_ids: Annotated[tuple[str, ...], Field(description=f"the first {FIRST}")]
    refused: Annotated[
        tuple[RefusedSaga, ...], Field(description="those that it will probably not apply to, by what is known here")
    ] = ()
    answers: Annotated[tuple[CommandAnswer, ...], Field(description="with wait_s; the first 100")] = ()
