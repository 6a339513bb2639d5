"""Publishes dead letters again to where they came from, and marks them as published, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

from kafka_saga.broker.port import Cluster, Producer, TransactionAbortedError
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import DEAD_LETTERS
from kafka_saga.engine.outgoing import header_text
from kafka_saga.errors import ChoreographyError
from kafka_saga.inspection.log.dead_letters import REDRIVEN, DeadLetter, numbers_of
from kafka_saga.inspection.log.reading import NotFoundError

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters are meant: at these places, or all that fit. `again`: also those that were redriven."""

    places: tuple[str, ...] = ()
    topic: str | None = None
    service: str | None = None
    all: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Redriven:
    """A dead letter that was to be published again; `problem` says why it was not."""

    letter: DeadLetter
    problem: str = ""


def wanted(found: Sequence[DeadLetter], which: Wanted) -> list[DeadLetter]:
    """The dead letters that are meant. Raises ChoreographyError if none are said, or one is not there."""
    if bool(which.places) == bool(which.topic or which.service or which.all):
        raise ChoreographyError("Which dead letters? Give PARTITION/OFFSET as `saga dlq ls` prints it, or --topic, "
                                "--service, or --all.")  # fmt: skip
    if which.places:
        return _at_places(found, which)
    return [
        letter
        for letter in found
        if (letter.redriven_at is None or which.again)
        and which.topic in {None, letter.origin.topic if letter.origin else None}
        and which.service in {None, letter.service}
    ]


def put_back(cluster: Cluster, letters: Sequence[DeadLetter], author: str, reason: str) -> list[Redriven]:
    """Publish them again, in the order in which they died; what Kafka does not take stays as it is."""
    counts = cluster.admin().partitions(sorted({one.origin.topic for one in letters if one.origin is not None}))
    problems = {letter.place: _problem(letter, counts.get(letter.origin.topic if letter.origin else "", 0))
                for letter in letters}  # fmt: skip
    sound = [letter for letter in letters if not problems[letter.place]]
    producer = cluster.producer(f"saga-cli-{uuid4()}")
    try:
        for start in range(0, len(sound), _BATCH):
            problems |= _published(producer, sound[start : start + _BATCH], author, reason)
    finally:
        producer.close()
    return [Redriven(letter, problems[letter.place]) for letter in letters]


def records_of(letter: DeadLetter, author: str, reason: str) -> Iterator[Outgoing]:
    """The record as it was, for its topic; and the mark beside its dead letter."""
    place = letter.place.encode()
    if letter.origin is not None:
        headers = [*letter.headers, (REDRIVEN, place)]
        yield Outgoing(letter.origin.topic, letter.origin.partition, letter.record.key, letter.record.value, headers)
    mark = [(REDRIVEN, place), ("dlq_author", header_text(author)), ("dlq_why", header_text(reason))]
    yield Outgoing(DEAD_LETTERS, letter.record.partition, letter.record.key, None, mark)


def _published(producer: Producer, letters: Sequence[DeadLetter], author: str, reason: str) -> dict[str, str]:
    """What went wrong, by place; if something does, one after the other, so that only the culprit stays."""
    try:
        producer.transact([record for one in letters for record in records_of(one, author, reason)], {}, None)
    except TransactionAbortedError as error:
        if len(letters) == 1:
            return {letters[0].place: f"Kafka did not take it: {error}"}
        return {place: said for one in letters for place, said in _published(producer, [one], author, reason).items()}
    return {}


def _problem(letter: DeadLetter, partitions: int) -> str:
    if letter.origin is None:
        return "its headers do not say where it came from"
    if letter.origin.partition >= partitions:
        return f"{letter.origin.topic}[{letter.origin.partition}] does not exist any more"
    return ""


def _at_places(found: Sequence[DeadLetter], which: Wanted) -> list[DeadLetter]:
    by_place = {letter.place: letter for letter in found}
    chosen: dict[str, DeadLetter] = {}
    for place in which.places:
        number, offset = numbers_of(place)
        letter = by_place.get(f"{number}/{offset}")
        if letter is None:
            raise NotFoundError(f"No dead letter lies at {place}: `saga dlq ls` lists them.")
        if letter.redriven_at is not None and not which.again:
            raise ChoreographyError(f"The dead letter at {place} was redriven before: add --again to do it once more.")
        chosen[letter.place] = letter
    return list(chosen.values())
