"""Reads what the tracker keeps: the states of sagas on `saga.state`, found, listed and followed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.reading import records_from, to_the_end
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.errors import ChoreographyError
from kafka_saga.tracker.core.state import SagaState, decode
from kafka_saga.wire.ids import key_of

LOG = logging.getLogger("saga.inspection")

_BATCH = 1_000


class NotFoundError(ChoreographyError):
    """Nothing goes by that name; the message says what to do."""


def partition_count(cluster: Cluster, topic: str) -> int:
    """How many partitions a topic has. Raises UnavailableError if Kafka is away, NotFoundError if there is no topic."""
    found = cluster.admin().partitions([topic]).get(topic)
    if found is None:
        raise NotFoundError(
            f"This Kafka has no topic {topic}: no service and no tracker has run on it yet. Start those of your sagas, "
            "or with `saga up` those of the application."
        )
    return found


def read_on(
    cluster: Cluster, topic: str, positions: Mapping[TopicPartition, int], take: Callable[[Record], object]
) -> Mapping[TopicPartition, int]:
    """Hand over what a topic has from these positions on; how far it is read now. One made anew is read from its start.

    Raises UnavailableError, and NotFoundError if there is no topic.
    """
    numbers = range(partition_count(cluster, topic))
    ends = cluster.admin().end_offsets([TopicPartition(topic, number) for number in numbers])
    known = {} if any(ends[at] < position for at, position in positions.items()) else positions
    wanted = {at: known.get(at) for at, end in ends.items() if known.get(at, 0) < end}
    if not wanted:
        return known
    reader = cluster.reader()
    try:
        for record in to_the_end(reader, wanted):
            take(record)
        return {**known, **{at: offset for at, offset in reader.positions().items() if at in wanted}}
    finally:
        reader.close()


def latest(records: Iterable[Record]) -> dict[str, bytes]:
    """The last value of each key, as compaction would leave it."""
    values: dict[str, bytes] = {}
    for record in records:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            values.pop(key, None)
        else:
            values[key] = record.value
    return values


def each_state(cluster: Cluster, key: str | None = None) -> Iterator[SagaState]:
    """The state of every saga, or of those that can have this business key, in no order.

    They are decoded one by one, so that only the encoded ones are in memory at once. One that cannot be read is said in
    the log, and left out.
    """
    count = partition_count(cluster, SAGA_STATE)
    numbers = range(count) if key is None else (partition_of(key.encode(), count),)
    values = latest(records_from(cluster, {TopicPartition(SAGA_STATE, number): None for number in numbers}))
    while values:
        try:
            yield decoded(*values.popitem())
        except NotFoundError as error:
            LOG.warning("%s", error)


def states(cluster: Cluster, key: str | None = None) -> list[SagaState]:
    """As `each_state`, by when the sagas started."""
    return sorted(each_state(cluster, key), key=began)


def find(cluster: Cluster, name: str) -> SagaState:
    """The saga that `name` means: an id, a business key (its latest saga) or the beginning of one id.

    Raises NotFoundError if there is none, or more than one.
    """
    if key := key_of(name):
        with suppress(NotFoundError):  # a key may hold what parts it from the run
            return resolve(states(cluster, key), name)
    return resolve(states(cluster), name)


def resolve(known: Sequence[SagaState], name: str) -> SagaState:
    """As `find`, among states in the order of their start."""
    if exact := next((state for state in known if state.saga_id == name), None):
        return exact
    if of_key := [state for state in known if state.key == name]:
        return of_key[-1]
    begun = [state for state in known if state.saga_id.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        some = ", ".join(state.saga_id for state in begun[:4]) + (", ..." if len(begun) > 4 else "")
        raise NotFoundError(f"{len(begun)} sagas begin with {name!r}: {some}. Give more of the id.")
    raise NotFoundError(f"No saga goes by {name!r}: `saga ls` lists them all; the tracker may not have seen it yet.")


def decoded(name: str, value: bytes) -> SagaState:
    """A state from its JSON. Raises NotFoundError naming the saga if this version cannot read it."""
    try:
        return decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"The state of {name!r} cannot be read ({error})"
        raise NotFoundError(f"{what}: was it written by a newer version? Update `saga`.") from None


class Feed:
    """One saga's state: how it stands now, then every change."""

    def __init__(self, cluster: Cluster, saga_id: str) -> None:
        key = key_of(saga_id)
        number = partition_of(key.encode(), partition_count(cluster, SAGA_STATE))
        self._saga_id = saga_id
        self._at = TopicPartition(SAGA_STATE, number)
        self._reader = cluster.reader()

    def current(self) -> SagaState | None:
        """How it stands now; none if the tracker has not seen it."""
        return self._newest(to_the_end(self._reader, {self._at: None}))

    def following(self, timeout: float) -> SagaState | None:
        """The newest of the changes that came since the last call; none if none comes within `timeout` seconds."""
        return self._newest(self._reader.poll(timeout, _BATCH))

    def close(self) -> None:
        """Release the connection."""
        self._reader.close()

    def _newest(self, records: Iterable[Record]) -> SagaState | None:
        wanted = self._saga_id.encode()
        value = None
        for record in records:
            value = record.value if record.key == wanted else value
        return None if value is None else decoded(self._saga_id, value)


def began(state: SagaState) -> tuple[int, str]:
    """The order of sagas: by their start, then by id."""
    return (state.started_at or state.updated_at, state.saga_id)
