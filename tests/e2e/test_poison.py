"""An event that kills every process that works on it: it is given up after three, and its neighbours complete."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from kafka_saga.tracker.core.state import Incident
from tests.chain.controlled import POISON
from tests.e2e.support import chain
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import SHORT_SESSION, Fleet
from tests.e2e.support.observed import Log

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

NEIGHBOURS = 40
STEP = "two"


def test_an_event_that_kills_its_process_is_given_up_and_nothing_else_is(kafka_bootstrap: str, tmp_path: Path) -> None:
    name = uuid4().hex[:6]
    with Fleet(kafka_bootstrap, tmp_path, **SHORT_SESSION) as fleet:
        for step in chain.STEPS:
            chain.service(fleet, step, CHAIN_GATED=STEP)
        chain.tracker(fleet)
        ready = partial(eventually, turn=fleet.tend, seconds=90, dump=fleet.dump)
        ready(lambda: chain.has_group(list(fleet.members), fleet), what="the services to be ready")
        log = Log(kafka_bootstrap, chain.TOPICS)

        def turn() -> None:
            fleet.tend()
            log.follow()

        wait = partial(eventually, turn=turn, seconds=120, dump=fleet.dump)
        before = chain.start_sagas(kafka_bootstrap, (f"good-{name}-a{one}" for one in range(NEIGHBOURS)))
        (poison,) = chain.start_sagas(kafka_bootstrap, [f"bad-{name}"], POISON)
        after = chain.start_sagas(kafka_bootstrap, (f"good-{name}-b{one}" for one in range(NEIGHBOURS)))
        good = before | after
        wait(lambda: bool(reports(log, poison)), what="the poison to be given up")
        wait(lambda: log.sagas(chain.LAST, f"good-{name}") == good, what="its neighbours to complete")
        wait(lambda: bool(incidents(log, poison)), what="the tracker to have an incident")
        wait(lambda: chain.is_tracked_to_the_end(log, good, f"good-{name}"), what="the tracker to follow")
        wait(lambda: log.has_caught_up, what="the end of the log")

        killed = chain.starts(tmp_path, STEP, poison)
        assert len(killed) == len(set(killed)) == len(fleet[STEP].past) == 3, "one more would be one too many"
        assert reports(log, poison) == [("step.failed", "crashed", "false")]
        chain.assert_exactly_once(log, good, f"good-{name}")
        chain.assert_tracked(log, good, f"good-{name}")
        (incident,) = incidents(log, poison)
        assert (incident.kind, incident.step) == ("step_failed", STEP)
        assert "its process died 3 times while it was worked on" in incident.reason
        log.close()


def incidents(log: Log, saga: str) -> tuple[Incident, ...]:
    """Those that are open, as the tracker sees it."""
    return tuple(incident for state in chain.last_states(log, saga).values() for incident in state.incidents)


def reports(log: Log, saga: str) -> list[tuple[str, str, str]]:
    """Type, code and whether it may be tried again, of everything reported about a saga."""
    found = [(envelope, dict(record.headers)) for envelope, record in log.events("saga.steps", saga)]
    return [(one.type, text(headers["ce_code"]), text(headers["ce_retryable"])) for one, headers in found]


def text(header: bytes | None) -> str:
    return (header or b"").decode()
