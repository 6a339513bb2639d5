"""The outcome that a skipped step is given: checked against the event's model before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from kafka_saga.definition.described import is_described
from kafka_saga.definition.model import EventType, Saga, Step
from kafka_saga.errors import ChoreographyError, DecodeError
from kafka_saga.inspection.commands.actions import skipped_by
from kafka_saga.tracker.core.plan import saga_plan
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import JSON
from kafka_saga.wire.json_text import json_object


class ContentError(ChoreographyError):
    """The outcome cannot be what the step ends with; the message says which field, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class GivenOutcome:
    """What a step is to have ended with; `content` is the event as JSON text."""

    event_type: str
    content: str


def judged(state: SagaState, step: str, outcome: GivenOutcome | None, definition: Saga | None) -> None:
    """Raises ContentError if the outcome is missing, or cannot be that of the step; the rest is the tracker's rule.

    So is the content of an event of which only the log tells, since its model is not here. `definition` is that of the
    saga, in its version; `None` if that is not known here.
    """
    if outcome is None:
        _refuse_missing(state, step, definition)
    elif definition is None:
        raise ContentError(
            f"The definition {state.definition} v{state.version} of {state.saga_id} is not known here: "
            "give --definition MODULE:ATTRIBUTE."
        )
    else:
        event = _event_of(definition, step, outcome.event_type)
        if not is_described(event):
            check_content(event, outcome.content)


def _refuse_missing(state: SagaState, step: str, definition: Saga | None) -> None:
    """Raises ContentError if the step could be skipped by an outcome, and not without."""
    if definition is not None and (outcomes := skipped_by(state, saga_plan(definition), step)):
        names = ", ".join(outcomes)
        raise ContentError(f"Say what step {step} is to have ended with: the outcome, one of {names}.")


def content_of(text: str) -> str:
    """The content as given: JSON, or `@FILE` with JSON in it. Raises ContentError."""
    if not text.startswith("@"):
        return _compact(text, "--content")
    path = Path(text[1:]).expanduser()
    try:
        return _compact(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ContentError(f"--content: {path} cannot be read ({error.strerror or error}).") from None
    except UnicodeDecodeError:
        raise ContentError(f"--content: {path} is no UTF-8 text.") from None


def check_content(event: EventType, content: str) -> None:
    """Raises ContentError if the content is not this event, or has fields that it does not have."""
    try:
        Codec((event,)).decode(event.event_type, content.encode(), JSON)
    except DecodeError as error:
        raise ContentError(f"The content is no {event.event_type}: {error.where}: {error.what}.") from None
    unknown = sorted(set(json.loads(content)) - set(event.model_fields))
    if unknown:
        fields = ", ".join(event.model_fields)
        raise ContentError(
            f"The content is wrong: {event.event_type} has no field {unknown[0]!r}; its fields are {fields}."
        )


def _event_of(definition: Saga, step: str, event_type: str) -> EventType:
    declared = _step_of(definition, step).emits
    for event in declared:
        if event.event_type == event_type:
            return event
    names = ", ".join(event.event_type for event in declared)
    raise ContentError(f"Step {step} of {definition.name} cannot end with {event_type!r}; its outcomes are {names}.")


def _step_of(definition: Saga, step: str) -> Step:
    found = definition.steps_by_name.get(step)
    if found is None:
        names = ", ".join(definition.steps_by_name)
        raise ContentError(f"{definition.name} has no step {step!r}; its steps are {names}.")
    return found


def _compact(text: str, where: str) -> str:
    try:
        fields = json_object(text.encode())
    except DecodeError as error:
        raise ContentError(f"{where} is no JSON object: {error.where}: {error.what}.") from None
    except UnicodeEncodeError:
        raise ContentError(f"{where} is no UTF-8 text.") from None
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
