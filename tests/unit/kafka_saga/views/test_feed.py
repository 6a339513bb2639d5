"""Changes as they are heard: all of them, or the word that some were missed."""

from __future__ import annotations

import asyncio

from kafka_saga.tracker.core.state import encode
from kafka_saga.views.feed import Ear, Feed
from kafka_saga.views.port import Change, Changed, Gone, Missed
from tests.unit.kafka_saga.views.given import saga


def heard(ear: Ear, number: int) -> list[Change | None]:
    async def scenario() -> list[Change | None]:
        return [await ear.hear(0.01) for _ in range(number)]

    return asyncio.run(scenario())


def test_a_change_and_an_end_are_heard_in_order() -> None:
    feed, ear = Feed(), Ear()
    with feed.listening(ear):
        feed.tell("k@1", encode(saga("k@1")))
        feed.tell("k@1", None)
    assert heard(ear, 3) == [Changed(saga("k@1")), Gone("k@1"), None]


def test_who_asks_for_one_saga_hears_of_no_other() -> None:
    feed, ear = Feed(), Ear("k@1")
    with feed.listening(ear):
        for one in ("k@2", "k@1", "l@1"):
            feed.tell(one, encode(saga(one)))
    assert heard(ear, 2) == [Changed(saga("k@1")), None]


def test_nobody_hears_anything_after_going_away() -> None:
    feed, ear = Feed(), Ear()
    with feed.listening(ear):
        assert len(feed) == 1
    feed.tell("k@1", None)
    assert (len(feed), heard(ear, 1)) == (0, [None])


def test_a_slow_listener_is_told_that_it_has_missed_some_and_hears_what_follows() -> None:
    ear = Ear(most=3)
    for number in range(5):
        ear.tell(Gone(f"k@{number}"))
    first, *others = heard(ear, 4)
    assert isinstance(first, Missed)
    assert others == [Gone("k@3"), Gone("k@4"), None]
