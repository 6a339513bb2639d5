"""Which fields belong to which command: one table, by which requests are checked and the API's document is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_saga.events.commands import Act

TAKES: Mapping[Act, frozenset[str]] = {
    Act.PAUSE: frozenset({"scope"}),
    Act.RESUME: frozenset({"scope"}),
    Act.CANCEL: frozenset(),
    Act.RETRY: frozenset({"step"}),
    Act.REDRIVE: frozenset({"step"}),
    Act.REWIND: frozenset({"step"}),
    Act.SKIP: frozenset({"step", "outcome", "content"}),
}
"""The fields that a command takes, of those that not all of them take; another one beside it is refused."""


NEED_STEP = frozenset({Act.REWIND, Act.SKIP})
"""The commands that mean nothing without a step."""

INSTEAD = {
    "scope": "a scope is paused or resumed; for other commands give a selection",
    "step": "a step is paused or resumed as the scope step:DEFINITION/STEP",
    "outcome": "it belongs to skip",
    "content": "it belongs to skip",
}
"""What to do in place of giving a field to a command that does not take it."""

_OF_ALL = frozenset({"saga_ids", "selection"})
_WHOM: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "saga_ids": ({"minItems": 1}, {"maxItems": 0}),
    "selection": ({"type": "object"}, {"type": "null"}),
    "scope": ({"type": "string"}, {"type": "null"}),
}
"""The ways to say whom a command is about: as JSON Schema has each when it says it, and when it does not."""


def shapes(schema: dict[str, Any]) -> None:
    """What belongs to which command, for those who read the document: a shape for each way to say whom it is about."""
    schema["oneOf"] = [_shape(act, whom) for act in TAKES for whom in _WHOM if whom in TAKES[act] | _OF_ALL]
    schema["dependentSchemas"] = {
        "content": {
            "anyOf": [
                {"properties": {"content": {"type": "null"}}},
                {"required": ["outcome"], "properties": {"outcome": {"type": "string"}}},
            ]
        }
    }


def _shape(act: Act, whom: str) -> dict[str, Any]:
    needed = ["command", whom, *(["step"] if act in NEED_STEP else [])]
    taken = {"step": {"type": "string"}} if act in NEED_STEP else {}
    others = {name: {"type": "null"} for name in sorted(frozenset(INSTEAD) - TAKES[act])}
    nobody = {name: empty for name, (_, empty) in _WHOM.items() if name != whom}
    fields = {"command": {"const": act.value}, **others, **nobody, whom: _WHOM[whom][0], **taken}
    return {"properties": fields, "required": needed}
