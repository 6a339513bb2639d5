"""The outcome that a skipped step is given: checked against the event's model before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.codec import Codec
from schemas.envelope import JSON
from schemas.errors import ChoreographyError, DecodeError
from schemas.json_text import json_object
from services.tracker.core.state import Goal, SagaState
from topology.model import EventType, Saga, Step


class ContentError(ChoreographyError):
    """The outcome cannot be what the step ends with; the message says which field, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step is to have ended with; `content` is the event as JSON text."""

    event_type: str
    content: str


def judged(state: SagaState, step: str, outcome: Outcome | None, definitions: Mapping[str, Saga]) -> None:
    """Raises ContentError unless this saga's step can end so; a compensation is skipped without an outcome."""
    if outcome is None and state.undo is not None and state.undo.goal is not Goal.REDO:
        return
    definition = definitions.get(state.definition)
    if definition is None:
        known = ", ".join(sorted(definitions)) or "none"
        raise ContentError(
            f"The definition {state.definition} of {state.saga_id} is not known here (known: {known}): "
            "give --definition MODULE:ATTRIBUTE."
        )
    event = _event_of(definition, step, None if outcome is None else outcome.event_type)
    check_content(event, "{}" if outcome is None else outcome.content)


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


def _event_of(definition: Saga, step: str, event_type: str | None) -> EventType:
    declared = _step_of(definition, step).emits
    for event in declared:
        if event.event_type == event_type:
            return event
    names = ", ".join(event.event_type for event in declared)
    if event_type is None:
        raise ContentError(f"Say what step {step} is to have ended with: the outcome, one of {names}.")
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
