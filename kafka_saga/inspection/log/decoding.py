"""Reads the events of a saga by reference, and decodes them with the models of its definition."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kafka_saga.broker.port import Cluster, Reader
from kafka_saga.broker.reading import batches
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.described import is_described
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_STEPS
from kafka_saga.errors import DecodeError
from kafka_saga.events.compensated import compensated_event
from kafka_saga.events.event import Event
from kafka_saga.events.reports import REPORTS
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import Envelope, from_headers

Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Happened:
    """One record of a saga: an event or a report. `record` is none if the log no longer holds it."""

    id: str
    type: str
    place: Place
    at: int
    cause: str | None
    step: str | None
    attempt: int
    epoch: int
    record: Record | None = None
    event: Event | None = None
    problem: str | None = None

    @property
    def where(self) -> str:
        """As people write it: `topic[partition]@offset`."""
        return f"{self.place[0]}[{self.place[1]}]@{self.place[2]}"


def codec_for(definitions: Iterable[Saga]) -> Codec:
    """A codec for the events of these definitions, for what undoing leads to, and for reports.

    Events of which only the log tells are left out: it has their names, and no model to decode them with.
    """
    sagas = tuple(definitions)
    events = (event for saga in sagas for event in saga.events.values() if not is_described(event))
    undone = (compensated_event(step.compensated_type) for saga in sagas for step in saga.steps if step.compensates)
    return Codec((*events, *undone, *REPORTS))


def history(cluster: Cluster, state: SagaState, codec: Codec) -> list[Happened]:
    """Everything that happened to a saga, decoded, in the order of log time."""
    referred = _referred(state)
    records = read_places(cluster, [one.place for one in referred])
    happened = [_decoded(one, records.get(one.place), codec) for one in referred]
    return sorted(happened, key=lambda one: (one.at, one.place))


def read_places(cluster: Cluster, places: Sequence[Place]) -> dict[Place, Record]:
    """The records at these places; those that the log no longer holds are left out."""
    found: dict[Place, Record] = {}
    reader = cluster.reader()
    try:
        for round_ in _rounds(places):
            found |= _read_round(reader, round_)
    finally:
        reader.close()
    return found


def _rounds(places: Sequence[Place]) -> Iterator[dict[TopicPartition, int]]:
    """One place of each partition at a time, so that no records in between are fetched."""
    left = sorted(set(places))
    while left:
        taken = {TopicPartition(topic, partition): offset for topic, partition, offset in reversed(left)}
        left = [place for place in left if taken[TopicPartition(*place[:2])] != place[2]]
        yield taken


def _read_round(reader: Reader, wanted: dict[TopicPartition, int]) -> dict[Place, Record]:
    found: dict[Place, Record] = {}
    left = set(wanted)
    for records in batches(reader, dict(wanted)):
        for record in records:
            at = TopicPartition(record.topic, record.partition)
            if record.offset >= wanted[at]:
                left.discard(at)
            if record.offset == wanted[at]:
                found[(*at, record.offset)] = record
        if not left - reader.ended():
            break
    return found


def _referred(state: SagaState) -> list[Happened]:
    """Everything that a state refers to, not read yet."""
    events = [_of_event(state, index) for index in range(len(state.events))]
    return [*events, *(_of_report(state, index) for index in range(len(state.reports)))]


def _of_event(state: SagaState, index: int) -> Happened:
    ref = state.events[index]
    place = (ref.type, state.partition, ref.offset)
    return Happened(ref.id, ref.type, place, ref.at, ref.cause, ref.step, ref.attempt, ref.epoch)


def _of_report(state: SagaState, index: int) -> Happened:
    ref = state.reports[index]
    place = (SAGA_STEPS, state.partition, ref.offset)
    return Happened(ref.id, ref.kind, place, ref.at, ref.cause, ref.step, ref.attempt, ref.epoch, problem=ref.reason)


def _decoded(one: Happened, record: Record | None, codec: Codec) -> Happened:
    if record is None:
        return _with(one, None, None, one.problem or "the log no longer holds this record (its retention has passed)")
    try:
        envelope: Envelope = from_headers(record.headers)
        if envelope.id != one.id:
            return _with(one, None, None, "another record lies there now: the topic was made anew")
        return _with(one, record, codec.decode(one.type, record.value, envelope.content_type), one.problem)
    except DecodeError as error:
        return _with(one, record, None, one.problem or str(error))


def _with(one: Happened, record: Record | None, event: Event | None, problem: str | None) -> Happened:
    return Happened(
        one.id, one.type, one.place, one.at, one.cause, one.step, one.attempt, one.epoch, record, event, problem
    )


def header_texts(record: Record) -> dict[str, str]:
    """The headers as text; bytes that are no UTF-8 are shown as escapes."""
    return {name: (value or b"").decode(errors="backslashreplace") for name, value in record.headers}


def as_base64(value: bytes | None) -> str | None:
    """Raw bytes for JSON."""
    return None if value is None else base64.b64encode(value).decode()


def as_text(value: bytes) -> str | None:
    """The bytes as text; none if they are no UTF-8, or hold control characters other than tabs and line ends."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return None if any(ord(character) < 32 and character not in "\t\r\n" for character in text) else text
