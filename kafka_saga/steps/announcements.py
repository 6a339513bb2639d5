"""Announcements: a service says on the log which steps it does, what it reads, and what it understands.

They are on `saga.definitions` by the key `service/NAME`, which can be no definition's `NAME@VERSION`: a definition's
name holds no `/`. Of several under one key the last counts, which compaction leaves; a tombstone takes it away.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import msgspec

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Record
from kafka_saga.steps import definition_log
from kafka_saga.steps.definition_log import KeyValue

LOG = logging.getLogger("saga.definitions")

KIND = "service/"

WIRE = 1
"""The version of what services write to one another (docs/wire.md): it grows when an older one could not follow."""


class StepOf(msgspec.Struct, frozen=True):
    """A step of a definition in one of its versions."""

    definition: str
    version: int
    step: str


class Announcement(msgspec.Struct, frozen=True):
    """What a service says of itself: its name, which is its consumer group's, and what it does.

    `steps` are those that it does, `reads` the types of the events that trigger them, `wire` is what it understands.
    """

    service: str
    steps: tuple[StepOf, ...]
    reads: tuple[str, ...]
    wire: int = WIRE

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{KIND}{self.service}"


class Announced(NamedTuple):
    """An announcement, and when it was written (milliseconds UTC, by the broker's clock)."""

    at: int
    announcement: Announcement


_announcement = msgspec.json.Decoder(Announcement)


def encode(announcement: Announcement) -> bytes:
    """An announcement as JSON."""
    return msgspec.json.encode(announcement)


def announced_in(record: Record) -> Announcement | None:
    """What a record announces; `None` if it is a tombstone, or no announcement."""
    key = (record.key or b"").decode(errors="replace")
    if not key.startswith(KIND) or record.value is None:
        return None
    try:
        found = _announcement.decode(record.value)
    except msgspec.DecodeError as error:
        LOG.warning("%s announces no service, and is passed over: %s", record.where, error)
        return None
    return found if found.key == key else None


def take(known: dict[str, Announced], record: Record) -> None:
    """Add what a record announces to what is `known`, by key; one that cannot be read changes nothing."""
    key = (record.key or b"").decode(errors="replace")
    if record.value is None:
        known.pop(key, None)
    elif (found := announced_in(record)) is not None:
        known[key] = Announced(record.timestamp, found)


def announce(cluster: Cluster, announcement: Announcement, clock: Clock) -> None:
    """Have the log say this of the service, unless it does. Raises UnavailableError."""
    known: dict[str, Announced] = {}
    for record in definition_log.read(cluster, clock):
        take(known, record)
    said = known.get(announcement.key)
    if said is None or said.announcement != announcement:
        definition_log.publish(cluster, KeyValue(announcement.key, encode(announcement)))
