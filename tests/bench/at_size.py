"""The views and the console with 100,000 sagas: how fast lists, pages and news are, alone and while updates flow.

`python -m tests.bench.at_size` measures in a process of its own and prints JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from confluent_kafka import Producer
from msgspec.structs import replace
from playwright.sync_api import Page

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.definition.topics import SAGA_STATE, TopicFactory, topics_of
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.local.ports import any_port, is_free
from kafka_saga.tracker.core.state import Incident, SagaState, decode, encode
from tests.bench.figures import percentile
from tests.bench.views import Place, _metric, _partition, _publish, _stories, _until
from tests.browser.chromium import chromium, executable, window
from tests.chain.definition import CHAIN
from tests.e2e.support import views
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.views import Worker, fetch

MANY = 100_000
RATE = 200
CALLS = 12
NEWS = 12
PATIENCE_MS = 20_000
TOKEN = "the token of this bench"  # noqa: S105  # it opens nothing

PARTS = ("quiet", "under updates", "two workers, under updates")

FILTERS: Mapping[str, Mapping[str, str | int]] = {
    "no filter": {},
    "status": {"status": "running"},
    "definition": {"definition": "chain"},
    "step": {"step": "three"},
    "key prefix": {"key_prefix": "acme/shop-01"},
    "older than": {"older_than_s": 60},
    "incident": {"has_incident": "true"},
    "no incident": {"has_incident": "false"},
    "text": {"q": "shop-0099"},
    "text of an error": {"q": "THE MODEL IS DOWN"},
    "combined": {"status": "running", "definition": "chain", "step": "two", "key_prefix": "acme/shop-0", "q": "7"},
    "sorted by update": {"sort": "updated"},
    "sorted by age": {"sort": "age"},
    "sorted by key": {"sort": "key", "order": "asc"},
}


LIVE = "() => document.querySelector('#standing')?.textContent.trim() === 'live'"
COUNT = "([at, word]) => (document.querySelector(at)?.innerText ?? '').split(word).length"


class Site(NamedTuple):
    """A Kafka with 100,000 sagas, a worker that holds them, and a console."""

    bootstrap: str
    fleet: Fleet
    worker: Worker
    console: str


def measured(parts: Sequence[str] = PARTS) -> dict[str, float]:
    """Every figure of these parts, in milliseconds."""
    found: dict[str, float] = {}
    with _site() as site:
        for part in parts:
            found |= _part(site, part)
            sys.stderr.write(f"{part} is measured\n")
    return found


def _part(site: Site, part: str) -> dict[str, float]:
    match part:
        case "quiet":
            return {**_answers(site, part), **_of_kafka(site), **_pages(site, part)}
        case "under updates":
            with _updates(site):
                return {**_answers(site, part), **_pages(site, part)}
        case _:
            second = views.worker(site.fleet, "views-2")
            _until(lambda: site.worker.holds_all_with(2) and second.holds_all_with(2))
            with _updates(site):
                return {**_answers(site, part), **_pages(site, part)}


def sagas(count: int) -> Iterator[Place]:
    """So many sagas: of ten, nine have ended, one is at one of its steps; of a hundred, one waits for a person."""
    states = [decode(place.record) for place in _stories(1)]
    at_work = [state for state in states[:-1] if not state.status.is_final]
    for serial in range(count):
        state = at_work[serial // 10 % len(at_work)] if serial % 10 == 0 else states[-1]
        yield place_of(_own(state, serial))


def place_of(state: SagaState) -> Place:
    """A state as the tracker would write it."""
    return Place(state.saga_id, state.partition, encode(state))


def _own(state: SagaState, serial: int) -> SagaState:
    saga_id = f"acme/shop-{serial:07}@1"
    ids = {event.id: str(uuid.uuid4()) for event in state.events}
    text = encode(replace(state, saga_id=saga_id, partition=_partition(saga_id))).decode()
    for old, new in ids.items():
        text = text.replace(old, new)
    own = decode(text.encode())
    if serial % 100:
        return own
    return replace(
        own, incidents=(Incident("two/a", "exhausted", "two", "the model is down", own.updated_at, ("retry",)),)
    )


# ---- over HTTP


def _answers(site: Site, when: str) -> dict[str, float]:
    every: list[float] = []
    found: dict[str, float] = {}
    for name, asked in FILTERS.items():
        took = [_asked(site, asked) for _ in range(CALLS)]
        found[f"100,000 sagas, {when}: list, {name}, p95, ms"] = percentile(took, 95)
        every += took
    deep = _deep(site)
    every += deep
    return {
        f"100,000 sagas, {when}: filtered lists, p50, ms": percentile(every, 50),
        f"100,000 sagas, {when}: filtered lists, p95, ms": percentile(every, 95),
        f"100,000 sagas, {when}: filtered lists, slowest, ms": max(every),
        **found,
        f"100,000 sagas, {when}: list after a deep cursor, p95, ms": percentile(deep, 95),
    }


def _deep(site: Site) -> list[float]:
    """Pages of 500, one after the other."""
    cursor = ""
    for _ in range(CALLS):
        reply = site.worker.get("/sagas", limit=500, **({"cursor": cursor} if cursor else {}))
        assert reply is not None
        cursor = reply.body["next"]
    return [_asked(site, {"cursor": cursor}) for _ in range(CALLS)]


def _asked(site: Site, asked: Mapping[str, str | int], path: str = "/sagas") -> float:
    began = time.monotonic()
    reply = site.worker.get(path, **asked)
    took = time.monotonic() - began
    assert reply is not None
    assert reply.status == 200, reply.body
    return took * 1000


def _of_kafka(site: Site) -> dict[str, float]:
    """What is asked of Kafka besides the tables: the first call, and those after it."""
    saga = quote("acme/shop-0000010@1", safe="")
    found: dict[str, float] = {}
    for name, path in (("topology", "/topology"), ("why", f"/sagas/{saga}/why"), ("dead letters", "/dead-letters")):
        took = [_asked(site, {}, path) for _ in range(6)]
        found[f"{name}: first call, ms"] = took[0]
        found[f"{name}: later calls, p95, ms"] = percentile(took[1:], 95)
    return found


# ---- in the browser


def _pages(site: Site, when: str) -> dict[str, float]:
    served = [_milliseconds(lambda: _read(f"{site.console}/sagas")) for _ in range(CALLS)]
    found = {f"100,000 sagas, {when}: the page of the list, served, p95, ms": percentile(served, 95)}
    if executable() is None:
        return found
    mistakes: list[str] = []
    with chromium() as browser, window(browser, mistakes) as context:
        page = context.new_page()
        drawn = [_milliseconds(lambda: _draw(page, site)) for _ in range(CALLS)]
        found[f"100,000 sagas, {when}: the page of the list, drawn, p50, ms"] = percentile(drawn, 50)
        found[f"100,000 sagas, {when}: the page of the list, drawn first by a new browser, ms"] = drawn[0]
        news = Producer({"bootstrap.servers": site.bootstrap, "linger.ms": 0})
        for name, in_list in (("list", True), ("saga's page", False)):
            took = [_seen(page, site, news, in_list=in_list) for _ in range(NEWS)]
            found[f"100,000 sagas, {when}: an ended step on the open {name}, p50, ms"] = percentile(took, 50)
            found[f"100,000 sagas, {when}: an ended step on the open {name}, slowest, ms"] = max(took)
    assert mistakes == []
    return found


def _draw(page: Page, site: Site) -> None:
    page.goto(f"{site.console}/sagas", wait_until="commit")
    page.wait_for_selector("#list tbody tr")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def _seen(page: Page, site: Site, producer: Producer, *, in_list: bool) -> float:
    """From writing that a saga's first step is done until the open page shows it."""
    before, after, *_ = (decode(place.record) for place in _stories(1))
    key = f"news/{uuid.uuid4().hex[:12]}"
    now = round(time.time() * 1000)
    own = {"saga_id": f"{key}@1", "partition": _partition(f"{key}@1"), "started_at": now, "updated_at": now}
    known, changed = replace(before, **own), replace(after, **own)
    _write(producer, known)
    _until(lambda: site.worker.knows(known.saga_id, known.revision))
    listed, alone = f"?key_prefix={quote(key, safe='')}", f"/{quote(known.saga_id, safe='')}"
    page.goto(f"{site.console}/sagas{listed if in_list else alone}")
    page.wait_for_function(LIVE, timeout=PATIENCE_MS)
    at, word = ("#list td.step", "two") if in_list else ("#main", "done")
    old = page.evaluate(COUNT, [at, word])
    began = time.monotonic()
    _write(producer, changed)
    page.wait_for_function(f"([at, word, old]) => ({COUNT})([at, word]) > old", arg=[at, word, old],
                           polling="raf", timeout=PATIENCE_MS)  # fmt: skip
    return (time.monotonic() - began) * 1000


def _write(producer: Producer, state: SagaState) -> None:
    producer.produce(SAGA_STATE, encode(state), state.saga_id.encode(), state.partition)
    assert producer.flush(10) == 0


def _read(url: str) -> None:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # an address of ours
        assert answer.status == 200
        answer.read()


def _milliseconds(done: Callable[[], object]) -> float:
    began = time.monotonic()
    done()
    return (time.monotonic() - began) * 1000


# ---- what runs


@contextmanager
def _updates(site: Site) -> Iterator[None]:
    """So many sagas a second change, until the block ends."""
    stop = threading.Event()

    def write() -> None:
        producer = Producer({"bootstrap.servers": site.bootstrap, "linger.ms": 5})
        states = [decode(place.record) for place in sagas(2_000)]
        began, written = time.monotonic(), 0
        while not stop.wait(0.02):
            for _ in range(int((time.monotonic() - began) * RATE) - written):
                state = states[written % len(states)]
                state = replace(
                    state, revision=state.revision + 1 + round(time.time() * 1000), updated_at=round(time.time() * 1000)
                )
                producer.produce(SAGA_STATE, encode(state), state.saga_id.encode(), state.partition)
                written += 1
            producer.poll(0)
        producer.flush(10)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _site() -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="saga-bench-") as home,
        EmbeddedKafka(Path(home), 0) as kafka,
        Fleet(kafka.bootstrap, Path(home)) as fleet,
    ):
        views.make_topics(kafka.bootstrap)
        specs = topics_of((CHAIN,), TopicFactory(views.PARTITIONS))
        KafkaCluster({"bootstrap.servers": kafka.bootstrap}).admin().create_missing(specs)
        worker = views.worker(fleet, "views")
        port, health = any_port(is_free), any_port(is_free)
        fleet.start("console", "services.console", SAGA_CONSOLE_PORT=str(port), SAGA_CONSOLE_TOKEN=TOKEN,
                    SAGA_VIEWS_URL=worker.url, SAGA_HTTP_PORT=str(health))  # fmt: skip
        _until(lambda: worker.holds_all_with(1) and fetch(f"http://127.0.0.1:{health}/readyz") is not None)
        _publish(kafka.bootstrap, sagas(MANY))
        _until(lambda: _metric(worker, 'kind="changed"') >= MANY)
        _until(lambda: worker.health()["behind_s"] < 1)
        yield Site(kafka.bootstrap, fleet, worker, f"http://127.0.0.1:{port}")


if __name__ == "__main__":
    logging.getLogger("saga.librdkafka").addHandler(logging.NullHandler())
    sys.stdout.write(json.dumps(measured(sys.argv[1:] or PARTS), indent=1) + "\n")
