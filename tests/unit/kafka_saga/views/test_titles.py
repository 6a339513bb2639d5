"""Titles of first events: followed on the log, kept with the sagas that are held, and found by text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace

from kafka_saga.broker.records import Record
from kafka_saga.testing import SagaTest
from kafka_saga.tracker.core.state import encode
from kafka_saga.views.listing import Index, entry_of, page_of
from kafka_saga.views.port import SagaQuery
from kafka_saga.views.titles import EARLY, FirstEvents, Titles, following, title_of, titled_events
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import Envelope, to_headers
from tests.chain.definition import CHAIN
from tests.unit.kafka_saga.views.http_api.reviews import REVIEWS, pull_request, reviews


class Standing:
    """A worker that answers for these partitions."""

    def __init__(self, *ready: int) -> None:
        self.ready = frozenset(ready)
        self.behind_s = 0.0


def told(test: SagaTest, *titles: str) -> list[str]:
    """Sagas with these titles, by number."""
    ids = [test.given(pull_request(number, title)).saga_id for number, title in enumerate(titles, 1)]
    test.run()
    return ids


def index_of(test: SagaTest, *saga_ids: str) -> Index:
    states = {saga_id: encode(test.system.saga(saga_id)) for saga_id in saga_ids}
    index = Index(states.get)
    for record in states.values():
        index.put(entry_of(record))
    return index


def read(events: FirstEvents, *partitions: int) -> dict[str, str]:
    """Everything that there is."""
    assert events.follow(partitions)
    found = dict(events.sip())
    while more := events.sip():
        found |= dict(more)
    return found


def test_titles_are_read_from_the_first_events_on_the_log() -> None:
    with reviews() as test:
        one, two = told(test, "Sell hats", "Sell shoes")
        events = FirstEvents(lambda: test.system.cluster, [REVIEWS])
        assert read(events, 0, 1, 2, 3) == {one: "Sell hats", two: "Sell shoes"}


def test_each_partition_goes_on_where_it_was_left_and_a_new_one_begins_at_its_beginning() -> None:
    with reviews() as test:
        ids = told(test, *(f"Title {number}" for number in range(8)))
        number_of = {saga_id: test.system.saga(saga_id).partition for saga_id in ids}
        first, *others = sorted({*number_of.values()})
        events = FirstEvents(lambda: test.system.cluster, [REVIEWS])
        assert read(events, first).keys() == {one for one in ids if number_of[one] == first}
        assert read(events, first, *others).keys() == {one for one in ids if number_of[one] != first}
        events.close()
        assert read(events, first, *others) == {}


def test_only_a_first_event_says_the_title_of_its_saga() -> None:
    saga_id = "acme/shop#7@3f2a9c1b04de"
    event = pull_request(7)
    codec = Codec(titled_events([REVIEWS]).values())
    first = Envelope(
        id="e1",
        type=event.event_type,
        source="/tests",
        time="2026",
        subject=saga_id,
        definition="code_review",
        version=1,
    )

    def said(value: bytes, envelope: Envelope | None) -> tuple[str, str] | None:
        headers = [] if envelope is None else to_headers(envelope)
        return title_of(Record(event.event_type, 0, 0, 0, b"acme/shop#7", value, [*headers]), codec)

    assert said(codec.encode(event), first) == (saga_id, event.title)
    assert said(codec.encode(event.model_copy(update={"title": " "})), first) is None
    assert said(codec.encode(event), replace(first, causation_id="e0")) is None
    assert said(codec.encode(event), None) is None
    assert said(b"\x00", first) is None


def test_a_definition_whose_first_event_has_no_title_is_not_read() -> None:
    assert titled_events([CHAIN]) == {}


def test_a_saga_is_found_by_its_title_whatever_the_case_and_shows_it() -> None:
    with reviews() as test:
        one, two = told(test, "Sell HATS", "Sell shoes")
        index = index_of(test, one, two)
        assert index.part(SagaQuery(text="hats"), 0).rows == ()
        index.titles.learn([(one, "Sell HATS"), (two, "Sell shoes")])
        page = page_of([index.part(SagaQuery(text="hats"), 0)], SagaQuery(text="hats"))
        assert ([state.saga_id for state in page.sagas], page.total) == ([one], 1)
        assert page.titles == {one: "Sell HATS"}


def test_a_title_that_comes_before_its_saga_waits_for_it_and_goes_with_it() -> None:
    with reviews() as test:
        (one,) = told(test, "Sell hats")
        index = Index({one: encode(test.system.saga(one))}.get)
        index.titles.learn([(one, "Sell hats")])
        assert index.titles.get(one) == ""
        index.put(entry_of(encode(test.system.saga(one))))
        assert index.titles.get(one) == "Sell hats"
        index.drop(one)
        assert (index.titles.get(one), len(index.titles)) == ("", 0)


def test_the_first_title_of_a_saga_counts() -> None:
    titles = Titles(lambda _: True)
    titles.learn([("a@1", "first"), ("a@1", "second")])
    assert titles.get("a@1") == "first"


def test_of_titles_whose_sagas_never_come_only_so_many_are_kept() -> None:
    held: set[str] = set()
    titles = Titles(held.__contains__)
    titles.learn((f"{number}@1", "T") for number in range(EARLY + 1))
    titles.appeared("0@1")
    titles.appeared("1@1")
    assert (titles.get("0@1"), titles.get("1@1")) == ("", "T")


class Heard(Titles):
    """Titles that say when there are any."""

    def __init__(self) -> None:
        super().__init__(lambda _: True)
        self.are_there = asyncio.Event()

    def learn(self, titles: Iterable[tuple[str, str]]) -> None:
        super().learn(titles)
        if len(self):
            self.are_there.set()


def test_titles_are_followed_while_the_worker_runs() -> None:
    async def story(test: SagaTest) -> Titles:
        titles = Heard()
        events = FirstEvents(lambda: test.system.cluster, [REVIEWS])
        async with following(titles, events, Standing(0, 1, 2, 3)), asyncio.timeout(10):
            await titles.are_there.wait()
        return titles

    with reviews() as test:
        (one,) = told(test, "Sell hats")
        assert asyncio.run(story(test)).get(one) == "Sell hats"
