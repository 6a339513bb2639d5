"""Dead letters as values: what their headers tell, and which of them were published again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kafka_saga.broker.port import Cluster
from kafka_saga.broker.reading import records_from
from kafka_saga.broker.records import Headers, Record, TopicPartition
from kafka_saga.definition.topics import DEAD_LETTERS
from kafka_saga.errors import ChoreographyError
from kafka_saga.inspection.log.decoding import header_texts, read_places
from kafka_saga.inspection.log.reading import NotFoundError, partition_count

REDRIVEN = "dlq_redriven"
"""On a record that was published again, and on the mark in `dead.letters` that says so: the letter's place."""

_PLACE = re.compile(r"^(\d+)/(\d+)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as its headers tell it: why, from where, by which service.

    `origin` is where the record lay, none if the headers do not say; `redriven_at` when it was published again.
    """

    record: Record
    reason: str
    code: str
    source: str
    service: str
    headers: Headers
    origin: TopicPartition | None = None
    redriven_at: int | None = None

    @property
    def place(self) -> str:
        """What `saga dlq show` is asked with."""
        return f"{self.record.partition}/{self.record.offset}"


def dead_letters(cluster: Cluster) -> list[DeadLetter]:
    """All dead letters, by when they were written."""
    return letters_in(cluster, range(partition_count(cluster, DEAD_LETTERS)))


def letters_in(cluster: Cluster, numbers: Iterable[int]) -> list[DeadLetter]:
    """The dead letters of these partitions, by when they were written."""
    records = list(records_from(cluster, {TopicPartition(DEAD_LETTERS, number): None for number in numbers}))
    records.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
    return letters_of(records)


def letters_of(records: Iterable[Record]) -> list[DeadLetter]:
    """Records of the topic as dead letters; marks among them tell which were published again."""
    letters: dict[str, DeadLetter] = {}
    for record in records:
        marked = dict(record.headers).get(REDRIVEN)
        if marked is None:
            letter = letter_of(record)
            letters[letter.place] = letter
        elif (place := marked.decode(errors="replace")) in letters:
            letters[place] = replace(letters[place], redriven_at=record.timestamp)
    return list(letters.values())


def letter_at(cluster: Cluster, place: str) -> DeadLetter:
    """The dead letter at `PARTITION/OFFSET`. Raises ChoreographyError if there is none."""
    number, offset = numbers_of(place)
    if number >= partition_count(cluster, DEAD_LETTERS):
        raise NotFoundError(f"{DEAD_LETTERS} has no partition {number}.")
    record = read_places(cluster, [(DEAD_LETTERS, number, offset)]).get((DEAD_LETTERS, number, offset))
    if record is None or REDRIVEN in dict(record.headers):
        raise NotFoundError(f"No dead letter lies at {place}: `saga dlq ls` lists them.")
    return letter_of(record)


def numbers_of(place: str) -> tuple[int, int]:
    """Partition and offset of `PARTITION/OFFSET`. Raises ChoreographyError if it is none."""
    found = _PLACE.match(place)
    if found is None:
        raise ChoreographyError(f"{place!r} is no place: give PARTITION/OFFSET, as `saga dlq ls` prints it.")
    return int(found[1]), int(found[2])


def letter_of(record: Record) -> DeadLetter:
    """A record of the topic as a dead letter."""
    texts = header_texts(record)
    source = f"{texts.get('dlq_topic', '?')}[{texts.get('dlq_partition', '?')}]@{texts.get('dlq_offset', '?')}"
    return DeadLetter(
        record,
        reason=texts.get("dlq_reason", "it does not say why"),
        code=texts.get("dlq_code", "?"),
        source=source,
        service=texts.get("dlq_service", "?"),
        headers=[(name, value) for name, value in record.headers if not name.startswith("dlq_")],
        origin=_origin(texts.get("dlq_topic"), texts.get("dlq_partition", "")),
    )


def _origin(topic: str | None, partition: str) -> TopicPartition | None:
    known = topic and partition.isascii() and partition.isdecimal()
    return TopicPartition(topic, int(partition)) if known and topic else None
