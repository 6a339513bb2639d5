"""Commands to sagas: to some by their ids, to all that a selection means, or to a scope with those that come later."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo, field_validator, model_validator

from kafka_saga.api.command_fields import INSTEAD, NEED_STEP, TAKES, shapes
from kafka_saga.api.model import Answer, Author, KeyPrefix, Reason, Request, Value
from kafka_saga.events.commands import Act
from kafka_saga.wire import control

FIRST = 100
"""How many ids of concerned sagas an answer names."""

LARGEST = 2**53 - 1
"""The largest number that every reader of JSON takes as it is (RFC 8259, 6)."""

SagaId = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]

Status = Literal[
    "unknown", "running", "pausing", "paused", "cancelling", "compensating", "completed", "failed", "cancelled"
]
"""How a saga stands."""

_NARROW: list[JsonValue] = [
    {"required": ["status"], "properties": {"status": {"minItems": 1}}},
    {"required": ["definition"], "properties": {"definition": {"type": "string"}}},
    {"required": ["step"], "properties": {"step": {"type": "string"}}},
    {"required": ["key_prefix"], "properties": {"key_prefix": {"type": "string"}}},
]
"""What a selection has at least, for those who read the document."""


class SagaSelection(Request):
    """The sagas that fit all of these, and to which the command can do anything."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _NARROW})

    status: Annotated[tuple[Status, ...], Field(max_length=20)] = ()
    definition: Annotated[Name | None, Field(description="the name of their definition")] = None
    step: Annotated[Name | None, Field(description="that are at work at it, or failed there")] = None
    key_prefix: KeyPrefix | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it means every saga there is."""
        return not (self.status or self.definition or self.step or self.key_prefix)


def _whole(number: object) -> object:
    """What JSON Schema takes for an integer, too: `2.0`."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class CommandRequest(Request):
    """A command; either `saga_ids`, `selection` or `scope` says to which sagas.

    `scope`, for pause and resume: all sagas of a definition, those for which one of its steps is to run, or those whose
    key begins so, with the ones that start later.
    `step` is the step to retry, redrive, rewind to or skip; `outcome` and `content` (a JSON object) are the event that
    a skipped step is to have ended with. A field that does not belong to the command is refused.
    With `dry_run` nothing is sent. `expected` is the number of sagas that a person has confirmed: the command is
    refused (409) when it concerns another number by now.
    """

    model_config = ConfigDict(json_schema_extra=shapes)

    command: Annotated[Act, Field(description="`continue` is no command to sagas")]
    saga_ids: Annotated[tuple[SagaId, ...], Field(max_length=1000)] = ()
    selection: SagaSelection | None = None
    scope: Annotated[
        str | None,
        Field(
            max_length=1000,
            json_schema_extra={"pattern": control.WIDE_PATTERN},
            description="`definition:NAME`, `step:DEFINITION/STEP` or `prefix:TEXT`",
        ),
    ] = None
    step: Annotated[Name | None, Field(validate_default=True)] = None
    outcome: Name | None = None
    content: dict[str, object] | None = None
    author: Author
    reason: Reason = ""
    dry_run: bool = False
    expected: Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(_whole)] | None = None
    wait_s: Annotated[float, Field(ge=0, le=30, description="how long to wait for the tracker's answers")] = 0

    @field_validator("command")
    @classmethod
    def _is_about_sagas(cls, command: Act) -> Act:
        if command is Act.CONTINUE:
            raise ValueError("continue is about a service, not about sagas: `saga dlq continue`")
        return command

    @field_validator("scope")
    @classmethod
    def _is_wide(cls, scope: str | None) -> str | None:
        if scope is not None and control.parsed(scope).kind not in control.WIDE:
            raise ValueError("is no scope of many sagas: give definition:NAME, step:DEFINITION/STEP or prefix:TEXT")
        return scope

    @field_validator("scope", "step", "outcome", "content")
    @classmethod
    def _belongs(cls, value: object, info: ValidationInfo) -> object:
        """Whether the command takes this field; whether it lacks it."""
        command, name = info.data.get("command"), info.field_name or ""
        if command is None:
            return value
        if value is None and name == "step" and command in NEED_STEP:
            raise ValueError(f"{command} needs a step: name it")
        if value is not None and name not in TAKES[command]:
            raise ValueError(f"{command} takes no {name}: {INSTEAD[name]}")
        if value is not None and name == "content" and info.data.get("outcome") is None:
            raise ValueError("content is of an outcome: name that, too")
        return value

    @model_validator(mode="after")
    def _says_whom(self) -> Self:
        if sum((bool(self.saga_ids), self.selection is not None, self.scope is not None)) != 1:
            raise ValueError("give saga_ids, selection or scope, one of them")
        if self.selection is not None and self.selection.is_empty:
            raise ValueError("the selection is empty: it would mean every saga")
        return self

    @property
    def fingerprint(self) -> str:
        """What tells it from a request for something else: 32 hex digits of all that is asked for."""
        asked = self.model_dump(mode="json", exclude={"dry_run", "wait_s"})
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


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

    `command_id` is the one given as Idempotency-Key (or made); of several sagas, or a selection, each command has its
    own, made of it.
    """

    command_id: str
    command_ids: Annotated[tuple[str, ...], Field(description=f"the first {FIRST}")]
    sagas: int
    saga_ids: Annotated[tuple[str, ...], Field(description=f"the first {FIRST}")]
    refused: Annotated[
        tuple[RefusedSaga, ...], Field(description="those that it will probably not apply to, by what is known here")
    ] = ()
    answers: Annotated[tuple[CommandAnswer, ...], Field(description="with wait_s; the first 100")] = ()
    repeated: Annotated[
        bool, Field(description="the same request was given before under this key: nothing was sent again")
    ] = False
