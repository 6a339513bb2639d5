"""The happy path does not need the tracker: sagas complete without it, and it catches up to the same view."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from kafka_saga.definition.topics import SAGA_STEPS
from kafka_saga.tracker.core.facts import fact_of
from kafka_saga.tracker.core.fold import fold
from kafka_saga.tracker.core.plan import saga_plan
from kafka_saga.tracker.core.state import SagaState
from tests.chain.definition import CHAIN
from tests.e2e.support import chain
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.observed import Log

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]


def test_sagas_complete_while_the_tracker_is_down_and_it_catches_up(kafka_bootstrap: str, tmp_path: Path) -> None:
    prefix = f"down-{uuid4().hex[:6]}-"
    with Fleet(kafka_bootstrap, tmp_path) as fleet:
        for step in chain.STEPS:
            chain.service(fleet, step)
        tracker = chain.tracker(fleet)
        ready = partial(eventually, turn=fleet.tend, seconds=90, dump=fleet.dump)
        ready(lambda: chain.has_group(list(fleet.members), fleet), what="the services to be ready")
        log = Log(kafka_bootstrap, chain.TOPICS)
        wait = partial(eventually, turn=log.follow, seconds=60, dump=fleet.dump)

        followed = started(kafka_bootstrap, prefix + "a", 20)
        wait(lambda: chain.is_tracked_to_the_end(log, followed, prefix), what="the tracker to follow")
        crossing = started(kafka_bootstrap, prefix + "b", 20)
        wait(lambda: bool(log.sagas(chain.EVENTS[1], prefix + "b")), what="sagas to be under way")
        assert tracker.stop() == 0
        alone = started(kafka_bootstrap, prefix + "c", 60)
        sagas = followed | crossing | alone
        wait(lambda: log.sagas(chain.LAST, prefix) == sagas, what="all sagas to end without the tracker")
        wait(lambda: log.has_caught_up, what="the end of the log")
        assert not chain.is_tracked_to_the_end(log, alone, prefix)

        tracker.start()
        wait(lambda: chain.is_tracked_to_the_end(log, sagas, prefix), what="the tracker to catch up")
        wait(lambda: log.has_caught_up, what="the end of the log")
        chain.assert_exactly_once(log, sagas, prefix)
        chain.assert_tracked(log, sagas, prefix)
        undated = {saga: replace(state, due=None) for saga, state in chain.last_states(log, prefix).items()}
        assert undated == always_running(log, prefix)
        log.close()


def started(bootstrap: str, prefix: str, number: int) -> set[str]:
    return chain.start_sagas(bootstrap, (f"{prefix}{one}" for one in range(number)))


def always_running(log: Log, prefix: str) -> dict[str, SagaState]:
    """The view of a tracker that reads every record as it is written: the fold over the log, in log time."""
    topics = (*chain.EVENTS, SAGA_STEPS)
    records = [record for topic in topics for record in log.records[topic]]
    states: dict[str, SagaState] = {}
    for r in sorted(records, key=lambda r: (r.timestamp, topics.index(r.topic), r.partition, r.offset)):
        fact = fact_of(r.topic, r.partition, r.offset, r.timestamp, r.key, dict(r.headers))
        if fact is not None and fact.envelope.subject.startswith(prefix):
            saga = fact.envelope.subject
            states[saga], _ = fold(states.get(saga), fact, saga_plan(CHAIN))
    return states
