"""The value of the table: the sagas of one business key, newest first, each as its compressed record. Pure.

A value is MessagePack: the version of this layout, the offset on `saga.state` that it is of, and the sagas.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from kafka_saga.tracker.core.state import SagaState, decode

LAYOUT = 1

MOST_BYTES = 900_000
"""Bytes of a value: a record on the changelog holds 1 MiB. Of a key with more, the oldest sagas are left out.

Those that have ended go first. A saga of four steps takes some 500 bytes: this is well over a thousand runs of one key.
"""

_FRAME = 100
"""Bytes that a saga takes in a value besides its record, at most."""

_WORDS = (
    b'{"saga_id":"@","definition":"","version":1,"partition":0,"hash":"","status":"completed","revision":,'
    b'"started_at":17,"updated_at":17,"ended_at":17,"end":"","error":"","traceparent":"00--01","floors":{},"epoch":1,'
    b'"steps":[{"name":"","status":"waiting","attempt":2,"since":17,"error":"","code":"","live":true,"retry_at":,"last":5,'
    b'"runs":[{"about":"-5","at":17,"status":"retrying","outcome":"","ended_at":17}]},{"name":"","status":"skipped"},'
    b'"reports":[{"id":"","step":"","cause":"","kind":"step.failed","reason":"","offset":,"at":17,"retryable":true}],'
    b'"sent":[{"id":"","step":"","about":"","at":17,"undoes":true}],"incidents":[],"pauses":[],"unmatched":[],'
    b'{"name":"","status":"done","attempt":1,"since":17,"runs":[{"about":"-5","at":17,"status":"done","outcome":"'
    b'.completed","ended_at":17}]}],"events":[{"id":"-5","type":"","offset":,"at":17,"depth":1,"cause":"-5","step":""}'
)
"""What records of sagas say again and again, the most frequent last (zlib, `deflateSetDictionary`)."""


class StoredSagas(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One saga of a key. `started` and `ended` (if it has) are milliseconds UTC; `packed` is its record."""

    saga_id: str
    definition: str
    revision: int
    started: int
    ended: int | None
    packed: bytes

    @property
    def record(self) -> bytes:
        """The record on `saga.state`, as it was."""
        return unpacked(self.packed)


class Shelf(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The sagas of a key, newest first; `offset` is that of the last record that went in."""

    layout: int = LAYOUT
    offset: int = -1
    sagas: tuple[StoredSagas, ...] = ()

    def find(self, saga_id: str) -> StoredSagas | None:
        """One of them."""
        return next((one for one in self.sagas if one.saga_id == saga_id), None)


EMPTY = Shelf()

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Shelf)


def encode(shelf: Shelf) -> bytes:
    """The value of a table."""
    return _encoder.encode(shelf)


def shelf_of(value: bytes | None) -> Shelf:
    """The sagas of a value; none of no value. Raises msgspec.DecodeError if it is something else."""
    return _decoder.decode(value) if value else EMPTY


def packed(record: bytes) -> bytes:
    """A record, compressed."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return packer.compress(record) + packer.flush()


def unpacked(value: bytes) -> bytes:
    """A record as it was."""
    return zlib.decompressobj(-15, _WORDS).decompress(value)


class StepOutcome(Enum):
    """What a record on `saga.state` does to the table."""

    CHANGED = auto()
    GONE = auto()
    OLDER = auto()
    UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record on `saga.state`: `saga_id` is its key, `at` its log time (milliseconds UTC)."""

    saga_id: str
    record: bytes | None
    offset: int
    at: int


@dataclass(frozen=True, slots=True)
class Folded:
    """What became of a key: its sagas (none: the key leaves), and the state that was read.

    `crowded` are the ids of its sagas that run and for which there is no room.
    """

    outcome: StepOutcome
    shelf: Shelf
    state: SagaState | None = None
    why: str = ""
    crowded: tuple[str, ...] = ()


def fold(shelf: Shelf, arrival: Arrival, keep: Mapping[str, int]) -> Folded:
    """Take a record in. `keep`: for how long a saga that has ended is kept, milliseconds by definition.

    The same records in the same order give the same value, whoever folds them, and however often some are repeated.
    """
    known = shelf.find(arrival.saga_id)
    if arrival.record is None:
        return _without(shelf, arrival, keep) if known is not None else Folded(StepOutcome.OLDER, shelf)
    try:
        state = decode(arrival.record)
    except msgspec.DecodeError as error:
        return Folded(StepOutcome.UNREADABLE, shelf, why=str(error))
    if state.saga_id != arrival.saga_id:
        return Folded(
            StepOutcome.UNREADABLE, shelf, why=f"its key is {arrival.saga_id}, its content of {state.saga_id}"
        )
    if known is not None and known.revision >= state.revision:
        return Folded(StepOutcome.OLDER, shelf)
    others = [one for one in shelf.sagas if one is not known]
    return _folded(StepOutcome.CHANGED, [_kept(state, arrival.record), *others], arrival, keep, state)


def _without(shelf: Shelf, arrival: Arrival, keep: Mapping[str, int]) -> Folded:
    left = [one for one in shelf.sagas if one.saga_id != arrival.saga_id]
    return _folded(StepOutcome.GONE, left, arrival, keep)


def _kept(state: SagaState, record: bytes) -> StoredSagas:
    ended = (state.ended_at or state.updated_at) if state.status.is_final else None
    started = state.started_at or state.updated_at
    return StoredSagas(state.saga_id, state.definition, state.revision, started, ended, packed(record))


def _folded(
    outcome: StepOutcome,
    sagas: list[StoredSagas],
    arrival: Arrival,
    keep: Mapping[str, int],
    state: SagaState | None = None,
) -> Folded:
    """The sagas that stay, newest first: those that ended too long ago leave, but never the one just written."""
    stay = [one for one in sagas if one.saga_id == arrival.saga_id or not is_expired(one, arrival.at, keep)]
    stay.sort(key=_age, reverse=True)
    leave = _without_room(stay, arrival.saga_id)
    fitting = tuple(one for one in stay if one.saga_id not in leave)
    crowded = tuple(one.saga_id for one in leave.values() if one.ended is None)
    return Folded(outcome, Shelf(LAYOUT, arrival.offset, fitting), state, crowded=crowded)


def _age(one: StoredSagas) -> tuple[int, str]:
    return one.started, one.saga_id


def is_expired(one: StoredSagas, now: int, keep: Mapping[str, int]) -> bool:
    """Whether a saga has ended so long ago that nobody looks for it; its tombstone may still be to come."""
    return one.ended is not None and one.definition in keep and one.ended + keep[one.definition] <= now


def _without_room(sagas: list[StoredSagas], written: str) -> dict[str, StoredSagas]:
    """Those that leave for lack of room: the oldest that have ended, then the oldest, and last the one just written."""
    room = MOST_BYTES - sum(len(one.packed) + _FRAME for one in sagas)
    leave: dict[str, StoredSagas] = {}
    if room < 0:
        for one in sorted(sagas, key=lambda one: (one.saga_id == written, one.ended is None, *_age(one))):
            if room >= 0:
                break
            room += len(one.packed) + _FRAME
            leave[one.saga_id] = one
    return leave
