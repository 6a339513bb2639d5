"""What a worker's sagas call themselves: the titles of their first events, followed on the log behind the tables.

States refer to events and do not hold them, so titles are read from the topics on which sagas start: in the order of
the log, in small sips, so that it takes little from the tables, which go first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from kafka_saga.broker.port import Cluster, Reader
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.model import Saga
from kafka_saga.errors import ChoreographyError, DecodeError
from kafka_saga.events.event import Event
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import from_headers

LOG = logging.getLogger("saga.views")

SIP = 200
"""Records that are read at once."""

PAUSE, LONG_PAUSE = 0.1, 1.0
"""Seconds between two sips: while the tables keep up with the log, and while they do not."""

AGAIN = 5.0
"""Seconds until Kafka is tried again, and until topics that did not exist are looked for."""

KEEPING_UP = 2.0
"""Seconds behind the log up to which the tables keep up."""

EARLY = 10_000
"""How many titles are kept of sagas that the tables do not have yet."""


class Titles:
    """Titles by saga, of those that are held; what comes before its saga waits, up to a number."""

    def __init__(self, is_held: Callable[[str], bool]) -> None:
        self._is_held = is_held
        self._known: dict[str, str] = {}
        self._early: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, saga_id: str) -> str:
        """The title; empty if none is known."""
        return self._known.get(saga_id, "")

    def learn(self, titles: Iterable[tuple[str, str]]) -> None:
        """Take titles in; the first of a saga counts."""
        for saga_id, title in titles:
            if self._is_held(saga_id):
                self._known.setdefault(saga_id, title)
            else:
                self._early.setdefault(saga_id, title)
        while len(self._early) > EARLY:
            self._early.popitem(last=False)

    def appeared(self, saga_id: str) -> None:
        """A saga is held now."""
        if self._early and (title := self._early.pop(saga_id, None)) is not None:
            self._known.setdefault(saga_id, title)

    def drop(self, saga_id: str) -> None:
        """A saga is not held any more."""
        self._known.pop(saga_id, None)


class Standing(Protocol):
    """For which partitions a worker answers, and how many seconds it is behind."""

    @property
    def ready(self) -> frozenset[int]:
        """The partitions."""

    @property
    def behind_s(self) -> float:
        """Seconds behind the log."""


class FirstEvents:
    """Reads titles from the topics on which sagas start, in a worker's partitions. Calls block, and run in threads."""

    def __init__(self, cluster: Callable[[], Cluster], definitions: Iterable[Saga]) -> None:
        titled = titled_events(definitions)
        self.topics = tuple(sorted(titled))
        self._cluster = cluster
        self._codec = Codec(titled.values())
        self._reader: Reader | None = None
        self._reached: dict[TopicPartition, int | None] = {}

    def follow(self, partitions: Iterable[int]) -> bool:
        """Go on with these partitions, each where it was left; whether all topics are there."""
        numbers = frozenset(partitions)
        self._note()
        counts = self._cluster().admin().partitions(self.topics)
        places = [TopicPartition(topic, number) for topic in counts for number in numbers if number < counts[topic]]
        self._reached = {at: self._reached.get(at) for at in places}
        self._reader = self._reader or self._cluster().reader()
        self._reader.assign(self._reached)
        return len(counts) == len(self.topics)

    def sip(self) -> list[tuple[str, str]]:
        """The next few titles, by saga; none if there is nothing new."""
        if self._reader is None or not self._reached:
            return []
        found = self._reader.poll(0.0, SIP)
        self._note()
        return [one for record in found if (one := title_of(record, self._codec)) is not None]

    def close(self) -> None:
        """Release the connection; what was reached is remembered."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _note(self) -> None:
        positions: Mapping[TopicPartition, int] = self._reader.positions() if self._reader is not None else {}
        self._reached |= {at: offset for at, offset in positions.items() if at in self._reached}


@asynccontextmanager
async def following(titles: Titles, events: FirstEvents, standing: Standing) -> AsyncIterator[None]:
    """Learn titles as long as the block lasts."""
    task = asyncio.create_task(follow_titles(titles, events, standing))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def follow_titles(titles: Titles, events: FirstEvents, standing: Standing) -> None:
    """Learn titles until cancelled; while Kafka is away, wait for it."""
    if not events.topics:
        return
    loop = asyncio.get_running_loop()
    followed: frozenset[int] | None = None
    look_at = 0.0
    try:
        while True:
            try:
                if (ready := standing.ready) != followed or loop.time() >= look_at:
                    is_complete = await asyncio.to_thread(events.follow, ready)
                    followed, look_at = ready, float("inf") if is_complete else loop.time() + AGAIN
                titles.learn(await asyncio.to_thread(events.sip))
                await asyncio.sleep(PAUSE if standing.behind_s < KEEPING_UP else LONG_PAUSE)
            except ChoreographyError as error:
                LOG.info("titles wait for Kafka: %s", error)
                followed = None
                await asyncio.to_thread(events.close)
                await asyncio.sleep(AGAIN)
    except Exception:
        LOG.exception("titles are not followed any more: the tables go on without those that come")
    finally:
        await asyncio.to_thread(events.close)


def titled_events(definitions: Iterable[Saga]) -> dict[str, type[Event]]:
    """The events that start sagas and have a title, by type."""
    starts = (saga.starts_on for saga in definitions)
    return {event.event_type: event for event in starts if "title" in event.model_fields}


def title_of(record: Record, codec: Codec) -> tuple[str, str] | None:
    """A saga and its title, by its first event; `None` if the record is none, or says no title.

    `codec` knows the events of `titled_events`.
    """
    try:
        envelope = from_headers(record.headers)
        if envelope.causation_id is not None:
            return None
        event = codec.decode(record.topic, record.value, envelope.content_type)
    except DecodeError:  # a raw start, or nothing that we know
        return None
    given: object = getattr(event, "title", None)
    return (envelope.subject, given) if isinstance(given, str) and given.strip() else None
