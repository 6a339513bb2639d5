"""What `saga.control` says in the partitions that are ours: entries by scope, and what they gate.

Pure: records in, verdicts out (docs/architecture.md 4.6). A command is not gated by entries that its sender knew of.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import msgspec

from kafka_saga.broker.records import Record
from kafka_saga.wire.control import (
    SERVICE,
    ControlEntry,
    decode,
    is_of_prefix,
    of_definition,
    of_saga,
    of_step,
    saga_in,
)
from kafka_saga.wire.ids import key_of

LOG = logging.getLogger("saga.control")

_SERVICE = SERVICE.encode()

KNOWS_NOTHING = -1
"""The revision that a trigger was issued under: every entry gates it."""


class Entries(NamedTuple):
    """The entries of one partition, by scope: those of sagas, which may be many, and the wider ones."""

    sagas: dict[str, ControlEntry]
    wide: dict[str, ControlEntry]


class GateQuestion(NamedTuple):
    """What is about to be worked on."""

    saga_id: str
    step: str
    epoch: int
    compensates: bool = False
    revision: int = KNOWS_NOTHING


class Skipped(NamedTuple):
    """Verdict: this is not to be worked on any more."""

    code: str
    reason: str


class Parked(NamedTuple):
    """Verdict: this is not to be worked on now; the tracker asks for it again."""

    reason: str


Verdict = Skipped | Parked


class Control:
    """The entries of all partitions that are ours; `partitions` are those in which something holds."""

    def __init__(self) -> None:
        self.partitions: dict[int, Entries] = {}

    def on_control(self, record: Record) -> None:
        """Take a record in; one that cannot be read is said in the log, and changes nothing."""
        if record.key is None or record.key.startswith(_SERVICE):  # what lets a service go on gates nothing
            return
        try:
            scope = record.key.decode()
            entry = decode(record.value) if record.value is not None else None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            LOG.warning("%s: no control entry, passed over: %s", record.where, error)
            return
        found = self.partitions.setdefault(record.partition, Entries({}, {}))
        entries = found.wide if saga_in(scope) is None else found.sagas
        if entry is None:
            entries.pop(scope, None)
        else:
            entries[scope] = entry
        if not any(found):
            del self.partitions[record.partition]

    def forget(self) -> None:
        """The partitions have gone; whoever gets them reads them anew."""
        self.partitions.clear()


def verdict(entries: Entries, asked: GateQuestion) -> Verdict | None:
    """Whether a delivery may be worked on; none if it may."""
    gating = [entry for entry in _about(entries, asked.saga_id) if entry.revision > asked.revision]
    return (None if asked.compensates else overtaken(gating, asked)) or _paused(gating)


def overtaken(gating: Collection[ControlEntry], asked: GateQuestion) -> Skipped | None:
    """Whether nobody wants this any more: its saga is cancelled, or its epoch is over."""
    for entry in gating:
        if entry.cancelled is not None:
            return Skipped("cancelled", f"the saga is cancelled: {entry.cancelled}")
        floor = entry.floors.get(asked.step, 0)
        if floor > asked.epoch:
            return Skipped("superseded", f"epoch {asked.epoch} is over: epoch {floor} has begun")
    return None


def standing_still(entries: Entries | None, definition: str, topics: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The topics that are not to be consumed, of those that belong to the definition's steps (by step)."""
    if entries is None or not entries.wide:
        return frozenset()
    if is_paused(entries, of_definition(definition)):
        return frozenset(topic for names in topics.values() for topic in names)
    paused = (names for step, names in topics.items() if is_paused(entries, of_step(definition, step)))
    return frozenset(topic for names in paused for topic in names)


def is_paused(entries: Entries, scope: str) -> bool:
    """Whether a wide scope is paused."""
    entry = entries.wide.get(scope)
    return entry is not None and entry.paused is not None


def _paused(gating: Collection[ControlEntry]) -> Parked | None:
    hold = next((entry.paused for entry in gating if entry.paused is not None), None)
    return (
        None
        if hold is None
        else Parked(f"paused by {hold.by}: {hold.reason}" if hold.reason else f"paused by {hold.by}")
    )


def _about(entries: Entries, saga_id: str) -> Iterator[ControlEntry]:
    """The entries of a saga, and of the key prefixes that it has."""
    if (entry := entries.sagas.get(of_saga(saga_id))) is not None:
        yield entry
    key = key_of(saga_id)
    for scope, entry in entries.wide.items():
        if is_of_prefix(scope, key):
            yield entry
