"""What a person asks for, on `saga.commands`: one record a command, its `ce_id` makes it idempotent.

The scope says what it is about: `saga:KEY@RUN`, `prefix:TEXT` (of business keys), `step:DEFINITION/STEP`,
`definition:NAME`, or `service:NAME`. A command about one saga lies in the saga's partition; a wider one in every
partition.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from kafka_saga.events.event import Event


class Act(StrEnum):
    """What is asked for. `pause` and `resume` take a saga or wider, `continue` a service, the others a saga.

    `continue` lets a service go on with partitions that stand still, since most of what came could not be read.
    """

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    REDRIVE = "redrive"
    REWIND = "rewind"
    SKIP = "skip"
    CONTINUE = "continue"


class SagaCommand(Event):
    """A command, with who gives it and why."""

    event_type: ClassVar[str] = "saga.command"

    command: Act
    scope: Annotated[str, Field(min_length=1, max_length=1100)]
    author: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(max_length=2000)] = ""
    step: Annotated[str | None, Field(description="the step to retry, redrive, rewind to or skip")] = None
    outcome: Annotated[str | None, Field(description="skip: the event type that the step is to have ended with")] = None
    content: Annotated[str | None, Field(description="skip: that event's content, as a JSON object")] = None

    @property
    def fingerprint(self) -> str:
        """What tells it from another command to the same scope; see `fingerprint`."""
        return fingerprint(self.command, self.author, self.reason, self.step, self.outcome, self.content)


def fingerprint(
    command: str, author: str, reason: str, step: str | None, outcome: str | None, content: str | None
) -> str:
    """By which a command that comes again is told from another under the same id: 16 hex digits of its content."""
    text = json.dumps((str(command), author, reason, step, outcome, content))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


SAME_AGAIN = "the same command again"
"""Why a command that comes again changes nothing."""


def other_command(command_id: str) -> str:
    """Why a command is refused whose id another one had."""
    return f"another command was given under the id {command_id!r} before: give this one an id of its own"
