"""Until Kafka is there a process tries again, and says why without repeating itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kafka_saga.broker.retry import until_available
from kafka_saga.errors import TopologyError, UnavailableError

MOVING = "Kafka at k:9092 refuses: Broker: Not leader for partition."
AWAY = "Kafka does not answer at k:9092"


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "agreed"

    return attempt


def never() -> bool:
    return False


def test_a_reason_is_said_once_until_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []
    reasons = (MOVING, MOVING, MOVING, AWAY, AWAY, MOVING)
    told: list[str] = []
    attempt = failing(*map(UnavailableError, reasons))
    assert until_available(attempt, never, told.append, pauses.append) == "agreed"
    moving = "Kafka at k:9092 refuses: Broker: Not leader for partition. Trying again until it works."
    away = "Kafka does not answer at k:9092. Trying again until it works."
    assert caplog.messages == [moving, away, moving]
    assert len(pauses) == len(reasons)
    assert told == [reason.rstrip(".") for reason in reasons]


def test_who_is_told_to_stop_stops_trying() -> None:
    pauses: list[float] = []
    attempt = failing(*[UnavailableError(AWAY)] * 9)
    assert until_available(attempt, lambda: len(pauses) == 2, print, pauses.append) is None
    assert len(pauses) == 2


def test_what_no_patience_mends_is_raised_at_once() -> None:
    with pytest.raises(TopologyError, match="too few partitions"):
        until_available(failing(TopologyError("too few partitions")), never, print, print)
