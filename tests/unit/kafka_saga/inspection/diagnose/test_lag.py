"""How far a step's service is behind: what it has not finished, counted, without Kafka's own records."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Committed, Outgoing, TopicPartition
from kafka_saga.inspection.diagnose.lag import lags, topics_of_step
from kafka_saga.inspection.log.deployed import deployed_on
from kafka_saga.testing import SagaTest
from tests.unit.kafka_saga.cli.cluster import Members
from tests.unit.kafka_saga.cli.given import SERVICES, log_with
from tests.unit.kafka_saga.views.http_api.reviews import REVIEWS, pull_request, reviews


def log_of(*values: int) -> MemoryCluster:
    """So many events in each partition of `ast.completed`."""
    records = [
        Outgoing("ast.completed", number, b"k", b"{}", []) for number, many in enumerate(values) for _ in range(many)
    ]
    return log_with({}, *records)


def test_a_service_that_has_committed_nothing_is_behind_by_all_of_it() -> None:
    log = log_of(3, 0, 2)
    found = lags(log, Members({"llm": 0}), REVIEWS, deployed_on(log))["llm"]
    assert (found.service, found.instances, found.topics) == ("llm", 0, ("ast.completed", "llm.work"))
    assert found.lag is not None
    assert found.lag.events == 5
    assert found.lag.seconds is not None


def test_what_is_unfinished_below_the_next_counts_and_markers_do_not() -> None:
    with reviews() as test:
        test.given(pull_request(1))
        assert _all(test) == {"validate": 0, "ast": 0, "llm": 0, "comment": 0}


def _all(test: SagaTest) -> dict[str, int | None]:
    """The lags of a system, by what its services have committed."""
    offsets = {
        (service, at): committed
        for step, service in SERVICES.items()
        for at, committed in _committed(test, step).items()
    }
    found = lags(test.system.cluster, Members({}, offsets), REVIEWS, deployed_on(test.system.cluster))
    return {name: one.lag.events if one.lag is not None else None for name, one in found.items()}


def _committed(test: SagaTest, group: str) -> dict[TopicPartition, Committed]:
    """What a group of the kit, which is named by its step, has committed."""
    step = REVIEWS.steps_by_name[group]
    places = [TopicPartition(topic, number) for topic in topics_of_step(step) for number in range(4)]
    consumer = test.system.cluster.consumer(group, topics_of_step(step), _Onlooker())
    try:
        return dict(consumer.committed(places))
    finally:
        consumer.close()


class _Onlooker:
    """Takes no partitions: it never polls."""

    def on_assign(self, partitions: Sequence[TopicPartition]) -> None:
        raise AssertionError(partitions)

    on_revoke = on_lost = on_assign
