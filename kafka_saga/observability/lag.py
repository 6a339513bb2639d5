"""How far a service is behind the log, by partition. The broker is asked when somebody looks, never by the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock, Thread

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kafka_saga.broker.records import TopicPartition
from kafka_saga.engine.runner import PartitionProgress

Ends = Mapping[TopicPartition, int]
"""One past the last record of each partition."""

LOOK_EVERY = 0.25
"""Seconds between looks at how far the worker is."""

ASK_EVERY = 5.0
"""Seconds between questions to the broker at least, however often somebody looks."""

PATIENCE = 2.0
"""Seconds that somebody who looks waits for the broker; after that, what it said before has to do."""

LABELS = ("service", "topic", "partition")


class Lag(Collector):
    """Compares where a worker stands with where its partitions end.

    `standing` is called by the worker's thread alone (`turned`), `ask` (none: no answer now) by one of its own.
    """

    def __init__(
        self,
        service: str,
        standing: Callable[[], Sequence[PartitionProgress]],
        ask: Callable[[Sequence[TopicPartition]], Ends | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._standing = standing
        self._ask = ask
        self._now = now
        self._look_at = 0.0
        self._ask_at = 0.0
        self._seen: Sequence[PartitionProgress] = ()
        self._ends: Ends = {}
        self._even_at: dict[TopicPartition, float] = {}
        self._asking: Thread | None = None
        self._lock = Lock()

    def turned(self) -> None:
        """The loop has gone round once: see how far the worker is, now and then."""
        now = self._now()
        if not 0 <= now - self._look_at < LOOK_EVERY:
            self._look_at = now
            self._seen = self._standing()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """As `Collector.describe`."""
        yield from _families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As `Collector.collect`; waits for the broker, but not long."""
        records, seconds, unfinished = _families()
        with self._lock:
            for one in self._known():
                labels = (self._service, one.at.topic, str(one.at.partition))
                unfinished.add_metric(labels, one.unfinished)
                if (behind := self._behind(one)) is not None:
                    records.add_metric(labels, behind)
                    seconds.add_metric(labels, self._since(one, behind))
        yield from (records, seconds, unfinished)

    def _known(self) -> Sequence[PartitionProgress]:
        """Where the worker stands, with the ends of it all asked for."""
        now, seen = self._now(), self._seen
        places = [one.at for one in seen]
        if places and (now >= self._ask_at or any(at not in self._ends for at in places)):
            self._ask_at = now + ASK_EVERY
            if self._asking is None or not self._asking.is_alive():
                self._asking = Thread(target=self._learn, args=(places,), name="lag", daemon=True)
                self._asking.start()
            self._asking.join(PATIENCE)
        return seen

    def _learn(self, places: Sequence[TopicPartition]) -> None:
        """Find out how far everything reaches, if the broker says so."""
        ends = self._ask(places)
        self._ends = self._ends if ends is None else ends

    def _behind(self, one: PartitionProgress) -> int | None:
        end = self._ends.get(one.at)
        if end is None or (one.position is None and end > 0):
            return None
        return max(0, end - (one.position or 0))

    def _since(self, one: PartitionProgress, behind: int) -> float:
        """Seconds that the next record has waited; of one that is not read yet, since nothing waited here."""
        now = self._now()
        if behind == 0:
            self._even_at[one.at] = now
            return 0.0
        began = one.oldest / 1000 if one.oldest is not None else self._even_at.setdefault(one.at, now)
        return max(0.0, now - began)


def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily("saga_lag_records", "offsets between what is taken in and the end of the log", labels=LABELS),
        GaugeMetricFamily("saga_lag_seconds", "how long the next record has waited", labels=LABELS),
        GaugeMetricFamily("saga_deliveries_unfinished", "records taken in whose end is not committed", labels=LABELS),
    )
