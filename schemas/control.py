"""Entries of `saga.control`, by which services know what is paused, cancelled or of an older epoch. JSON, compacted.

A key is a scope: `saga:KEY@RUN`, `prefix:TEXT`, `step:DEFINITION/STEP`, `definition:NAME`, `service:NAME`; no entry,
nothing to heed.
The tracker writes them, each in its own partition number: wide scopes are in every partition.
"""

from __future__ import annotations

import msgspec

SAGA, PREFIX, STEP, DEFINITION, SERVICE = "saga:", "prefix:", "step:", "definition:", "service:"


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who holds something up or lets it go on, why, and since when (milliseconds UTC, log time)."""

    by: str
    reason: str
    at: int


class ControlEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is to be heeded about one scope.

    `revision` grows within a partition; a command of the tracker carries the highest that it knew, and entries up to
    that do not gate it. `floors` are the lowest epochs that may start, by step. `frozen` are past pauses, from and to
    (milliseconds UTC), by which deadlines are put off; `resumed` says who ended the last of them; `obeyed` are the last
    commands' ids, by which one is known again.
    """

    revision: int
    cancelled: str | None = None
    paused: Hold | None = None
    floors: dict[str, int] = {}
    frozen: tuple[tuple[int, int], ...] = ()
    resumed: Hold | None = None
    obeyed: tuple[str, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ControlEntry)


def encode(entry: ControlEntry) -> bytes:
    """The entry as JSON."""
    return _encoder.encode(entry)


def decode(value: bytes) -> ControlEntry:
    """The entry from JSON. Raises msgspec.DecodeError if it is none."""
    return _decoder.decode(value)


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
