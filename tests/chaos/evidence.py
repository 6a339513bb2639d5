"""What lies on the topics after a run, cut into histories that invariants can be asked of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from kafka_saga.broker.partitioner import murmur2
from kafka_saga.broker.reasons import sound
from kafka_saga.broker.records import Record
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_COMMANDS, SAGA_CONTROL, SAGA_STATE
from kafka_saga.tracker.core.state import decode
from kafka_saga.wire import control
from kafka_saga.wire.ids import key_of
from tests.simulation.history import History, Seen

PIECES = 100
"""Histories that each definition's sagas are spread over: invariants compare everything with everything."""


def seen(record: Record) -> Seen:
    """A record with what its headers say."""
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    return Seen(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers)


def histories(records: Iterable[Record], saga: Saga, pieces: int = PIECES) -> Iterator[History]:
    """The sagas of a definition by business key, each with everything that concerns it.

    Invariants speak of one saga, or of one key, so that they hold of all if they hold of each piece.
    """
    cut: list[defaultdict[str, list[Seen]]] = [defaultdict(list) for _ in range(pieces)]
    for record in sorted(records, key=lambda each: (each.partition, each.offset)):
        if not _concerns(record, saga):
            continue
        each, key = seen(record), business_key(record)
        for number in range(pieces) if key is None else (murmur2(key.encode()) % pieces,):
            cut[number][each.topic].append(each)
    return (History((saga,), piece) for piece in cut)


def business_key(record: Record) -> str | None:
    """Whose a record is; none: everybody's. What cannot be read is nobody's, which is a key like any other."""
    subject = dict(record.headers).get("ce_subject")
    if record.topic == SAGA_STATE:
        return key_of((record.key or b"").decode())
    if record.topic == SAGA_CONTROL:
        scope = (record.key or b"").decode()
        saga_id = control.saga_in(scope)
        return None if saga_id is None else key_of(saga_id)
    if record.topic == DEAD_LETTERS:
        return None
    return key_of(subject.decode(errors="replace")) if subject else _raw_key(record.value)


def of_definition(key: str | None, saga: Saga) -> bool:
    """Keys begin with the name of their definition; what is everybody's is of all."""
    return key is None or key == "" or key.startswith(f"{saga.name}-")


def trace(records: Iterable[Record], key: str) -> Iterator[str]:
    """Everything about the sagas of a business key, in the order of log time."""
    own = [seen(record) for record in records if business_key(record) == key]
    for one in sorted(own, key=lambda each: (each.at, each.topic, each.offset)):
        told = " ".join(f"{name}={value}" for name in _TELLING if (value := one.headers.get(name)))
        yield f"{one.at} {one!s:28} {one.type or '-':22} {one.saga} {told} {_content(one)}".rstrip()


_TELLING = (
    "ce_step", "ce_attempt", "ce_epoch", "ce_code", "ce_reason", "ce_id", "ce_causationid", "ce_command",
    "ce_delivery", "ce_reference", "ce_controlrevision", "ce_revision",
)  # fmt: skip


def _content(one: Seen) -> str:
    """What headers do not tell: of an entry everything, of a view how the saga stands."""
    if one.value is None:
        return "nothing" if one.topic in {SAGA_STATE, SAGA_CONTROL} else ""
    if one.topic == SAGA_STATE:
        state = decode(one.value)
        steps = ", ".join(f"{step.name} {step.status} {step.attempt}/{step.epoch}" for step in state.steps)
        return f"revision {state.revision}, {state.status}, epoch {state.epoch}: {steps}"
    return sound(one.value.decode(errors="replace")) if one.topic in {SAGA_CONTROL, SAGA_COMMANDS} else ""


def _concerns(record: Record, saga: Saga) -> bool:
    return of_definition(business_key(record), saga)


def _raw_key(value: bytes | None) -> str:
    """The key of a plain start, as its template has it."""
    try:
        return str(json.loads(value or b"").get("key", ""))
    except (ValueError, AttributeError):
        return ""
