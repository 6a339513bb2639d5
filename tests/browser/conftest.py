"""The whole stack for the browser: Kafka, the services, tracker, views and console, each a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from kafka_saga.local.ports import any_port, is_free
from tests.browser.chromium import WHY_NOT, chromium, executable, window
from tests.browser.parcel import PARCEL
from tests.e2e.support import views
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.observed import publish
from tests.e2e.support.views import Worker, fetch
from topology.code_review import CODE_REVIEW

TOKEN = "the token of this test"  # noqa: S105  # it opens nothing
REVIEWERS = ("validator", "ast", "llm", "comments")
DEFINITIONS = "topology.code_review:CODE_REVIEW,tests.browser.parcel:PARCEL"


@dataclass(frozen=True)
class Stack:
    """Everything that runs."""

    fleet: Fleet
    url: str
    views: Worker
    folder: Path

    def send(self, name: str, title: str = "A parcel") -> str:
        """Start a parcel's saga; the address of its page."""
        publish(
            self.fleet.bootstrap, PARCEL.starts_on.event_type, [json.dumps({"name": name, "title": title}).encode()]
        )
        return f"{self.url}/sagas/{quote(f'{name}@1', safe='')}"

    def review(self, request: bytes) -> None:
        publish(self.fleet.bootstrap, CODE_REVIEW.starts_on.event_type, [request])

    def until_known(self, saga_id: str, status: str) -> None:
        """Wait until the tables know a saga in this status."""

        def is_known() -> bool:
            reply = self.views.get(f"/sagas/{quote(saga_id, safe='')}")
            return reply is not None and reply.status == 200 and reply.body["status"] == status

        eventually(is_known, self.fleet.tend, 60, f"{saga_id} to be {status}", self.fleet.dump)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if executable() is None:
        pytest.skip(WHY_NOT)
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def stack(browser: Browser, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("stack")
    with Fleet(kafka_bootstrap, home, PARCEL_FOLDER=str(home), SAGA_DEFINITIONS=DEFINITIONS) as fleet:
        for name in REVIEWERS:
            fleet.start(name, f"services.{name}", SAGA_REVIEW_DIR=str(home / "reviews"))
        fleet.start("weigh", "tests.browser.parcel")
        fleet.start("tracker", "services.tracker")
        worker = views.worker(fleet, "views")
        port, health = any_port(is_free), any_port(is_free)
        fleet.start("console", "services.console", SAGA_CONSOLE_PORT=str(port), SAGA_CONSOLE_TOKEN=TOKEN,
                    SAGA_VIEWS_URL=worker.url, SAGA_HTTP_PORT=str(health))  # fmt: skip
        working = (*REVIEWERS, "weigh", "tracker")

        def is_ready() -> bool:
            ready = fetch(f"http://127.0.0.1:{health}/readyz")
            return all(fleet[name].said("assigned: partitions") for name in working) and (
                ready is not None and ready.status == 200 and worker.health().get("status") == "ready"
            )

        eventually(is_ready, fleet.tend, 120, "the stack to be ready", fleet.dump)
        yield Stack(fleet, f"http://127.0.0.1:{port}", worker, home)


@pytest.fixture
def mistakes() -> Iterator[list[str]]:
    """What pages do wrong; a test has none of it."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def context(browser: Browser, stack: Stack, mistakes: list[str]) -> Iterator[BrowserContext]:
    with window(browser, mistakes) as found:
        yield found


@pytest.fixture
def page(context: BrowserContext, stack: Stack) -> Page:
    """A page that is logged in."""
    found = context.new_page()
    found.goto(f"{stack.url}/login#token={quote(TOKEN)}")
    found.fill("#author", "ada")
    found.click("#login button")
    found.wait_for_url(f"{stack.url}/sagas")
    return found
