"""What a record says about a saga, and which records say nothing."""

from __future__ import annotations

import pytest

from kafka_saga.tracker.core.facts import EventFact, fact_of
from kafka_saga.wire.envelope import Envelope, to_headers

SAGA = "ada@example.org@7"


def told(key: bytes | None) -> bool:
    envelope = Envelope(
        id="e1", type="order.placed", source="/tests", time="2026", subject=SAGA, definition="order", version=1
    )
    return isinstance(fact_of("order.placed", 0, 0, 0, key, dict(to_headers(envelope))), EventFact)


def test_a_record_under_the_key_of_its_saga_is_a_fact() -> None:
    assert told(b"ada@example.org")


@pytest.mark.parametrize("key", [None, b"", b"ada", b"ada@example.org@7", b"bob@example.org", b"ada@example.org\xff"])
def test_a_record_under_any_other_key_says_nothing(key: bytes | None) -> None:
    assert not told(key)
