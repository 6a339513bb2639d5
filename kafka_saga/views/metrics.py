"""The Prometheus metrics of the views; docs/observability.md says what each means."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from kafka_saga.views.answers import Answers
from kafka_saga.views.feed import Feed
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.position import Positions
from kafka_saga.views.stored_sagas import StepOutcome

NAME = "views"


class ViewsMetrics(Collector):
    """Reads the tables when it is asked."""

    def __init__(self, answers: Answers, holdings: PartitionTables, positions: Positions, feed: Feed) -> None:
        self._answers = answers
        self._holdings = holdings
        self._positions = positions
        self._feed = feed

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Every metric, as it is now."""
        folded = CounterMetricFamily(
            "saga_views_records", "records of saga.state by outcome", labels=("service", "kind")
        )
        for outcome in StepOutcome:
            folded.add_metric((NAME, outcome.name.lower()), self._holdings.outcomes[outcome])
        yield folded
        yield _gauge("saga_views_sagas", "sagas that this worker holds", len(self._holdings.index))
        yield _gauge("saga_views_keys", "business keys that this worker holds", len(self._holdings))
        yield _gauge("saga_views_partitions", "partitions that this worker answers for", len(self._answers.ready))
        yield _gauge("saga_views_behind_seconds", "how far this worker is behind the log", self._answers.behind_s)
        yield _gauge(
            "saga_views_waiting", "records that were read and are not in the table yet", self._positions.waiting
        )
        yield _gauge("saga_views_listeners", "connections that changes are told to", len(self._feed))


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, text, labels=("service",))
    gauge.add_metric((NAME,), value)
    return gauge
