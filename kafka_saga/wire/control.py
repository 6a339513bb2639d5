"""Entries of `saga.control`, by which services know what is paused, cancelled or of an older epoch. JSON, compacted.

A key is a scope: `saga:KEY@RUN`, `prefix:TEXT`, `step:DEFINITION/STEP`, `definition:NAME`, `service:NAME`; no entry,
nothing to heed.
The tracker writes them, each in its own partition number: wide scopes are in every partition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from kafka_saga.wire.wording import LINE_PATTERN, UNSEEN, line, seen

SAGA, PREFIX, STEP, DEFINITION, SERVICE = "saga:", "prefix:", "step:", "definition:", "service:"


WIDE = (PREFIX, STEP, DEFINITION)
"""The kinds of scopes that are about many sagas."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scope says: `kind` is one of the words above, `name` what follows it, but for the step."""

    kind: str
    name: str
    step: str | None = None


def parsed(scope: str) -> Scope:
    """What a scope says. Raises ValueError that says what is wrong with it."""
    kind, colon, rest = scope.partition(":")
    kind += colon
    if kind not in _FORMS:
        raise ValueError(f"is no scope: give {', '.join(_FORMS.values())}")
    if kind in {SAGA, PREFIX}:
        return Scope(kind, line(rest))
    name, slash, step = seen(rest).partition("/")
    parts = (name, step) if slash else (name,)
    if len(parts) != (2 if kind == STEP else 1) or not all(re.fullmatch(_NAME, part) for part in parts):
        raise ValueError(f"is no scope: give {_FORMS[kind]}")
    return Scope(kind, name, step or None)


_FORMS = {
    SAGA: "saga:KEY@RUN",
    PREFIX: "prefix:TEXT",
    STEP: "step:DEFINITION/STEP",
    DEFINITION: "definition:NAME",
    SERVICE: "service:NAME",
}
_NAME = rf"[^/\s{UNSEEN}]+"

WIDE_PATTERN = rf"^({DEFINITION}{_NAME}|{STEP}{_NAME}/{_NAME}|{PREFIX}{LINE_PATTERN[1:-1]})$"
"""Scopes of many sagas, as a regular expression of JSON Schema (ECMA-262)."""


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who holds something up or lets it go on, why, and since when (milliseconds UTC, log time)."""

    by: str
    reason: str
    at: int


class ControlEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What services must know of one scope.

    `revision` grows within a partition; a command of the tracker carries the highest that it knew, and entries up to
    that do not gate it. `floors` are the lowest epochs that may start, by step. `frozen` are past pauses, from and to
    (milliseconds UTC), by which deadlines are put off; `resumed` says who ended the last of them; `answered` are the
    last commands' ids, each with its fingerprint, by which one is known again.
    """

    revision: int
    cancelled: str | None = None
    paused: Hold | None = None
    floors: dict[str, int] = {}
    frozen: tuple[tuple[int, int], ...] = ()
    resumed: Hold | None = None
    answered: dict[str, str] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ControlEntry)


def encode(entry: ControlEntry) -> bytes:
    """The entry as JSON."""
    return _encoder.encode(entry)


def decode(value: bytes) -> ControlEntry:
    """The entry from JSON. Raises msgspec.DecodeError if it is none."""
    return _decoder.decode(value)


def remembered(answered: Mapping[str, str], command_id: str, fingerprint: str, most: int) -> dict[str, str]:
    """The last commands' ids with one more; of more than `most` the oldest goes."""
    return dict([*answered.items(), (command_id, fingerprint)][-most:])


def of_saga(saga_id: str) -> str:
    """The scope of one saga."""
    return SAGA + saga_id


def of_step(definition: str, step: str) -> str:
    """The scope of one step of a definition."""
    return f"{STEP}{definition}/{step}"


def of_definition(definition: str) -> str:
    """The scope of all sagas of a definition."""
    return DEFINITION + definition


def of_prefix(prefix: str) -> str:
    """The scope of all sagas whose business key begins so."""
    return PREFIX + prefix


def of_service(service: str) -> str:
    """The scope of one service: it goes on with partitions that stand still."""
    return SERVICE + service


def saga_in(scope: str) -> str | None:
    """The id of the saga that a scope is about; `None` if it is another kind of scope."""
    return scope.removeprefix(SAGA) if scope.startswith(SAGA) else None


def step_in(scope: str, definition: str) -> str | None:
    """The name of the step that a scope is about, if it is one of this definition; else `None`."""
    begin = of_step(definition, "")
    return scope.removeprefix(begin) if scope.startswith(begin) else None


def is_of_prefix(scope: str, key: str) -> bool:
    """Whether a scope is that of a prefix of this business key."""
    return scope.startswith(PREFIX) and key.startswith(scope.removeprefix(PREFIX))


def is_wide(scope: str) -> bool:
    """Whether a scope is about many sagas."""
    return scope.startswith(WIDE)


def concerns(scope: str, definition: str, key: str) -> bool:
    """Whether a wide scope is about a saga of this definition and business key; a step's is about all that have it."""
    return is_of_prefix(scope, key) or scope == of_definition(definition) or step_in(scope, definition) is not None
