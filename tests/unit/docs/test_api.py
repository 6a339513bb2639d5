"""docs/api.md: every request in it is made, and answered as it says; its tables are those of the code."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kafka_saga.api.health import ChangeEvent
from kafka_saga.views.http_api.app import PREFIX
from kafka_saga.views.http_api.table import ROUTES
from services.app.api import ROUTES as APPS_ROUTES
from tests.unit.kafka_saga.views.http_api.conftest import sources_of, told
from tests.unit.kafka_saga.views.http_api.reviews import reviews
from tests.unit.kafka_saga.views.http_api.serving import Answered, Client, serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(curl .*?)\n```\n```json\n(.*?)\n```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with reviews() as test:
        ids = told(test)
        tables = MemoryTables((test.system.saga(one) for one in ids.values()), now=test.system.clock.now())
        with serving(sources_of(test, tables)) as client:
            yield client


def run(client: Client, command: str) -> Answered:
    """Ask what a curl command asks."""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, body, url = "GET", None, ""
    headers: dict[str, str] = {}
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words).encode()
            case _:
                url = word
    place = urlsplit(url)
    assert (place.netloc, place.path.startswith(PREFIX)) == ("127.0.0.1:8420", True)
    return client.ask(method, place._replace(scheme="", netloc="").geturl().removeprefix(PREFIX), body, headers)


def holds(wanted: Any, found: Any) -> bool:
    """Whether what is written is part of what was answered; lists are as long as they are written."""
    if isinstance(wanted, Mapping):
        return all(name in found and holds(value, found[name]) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(found) and all(map(holds, wanted, found))
    return bool(wanted == found)


@pytest.mark.parametrize(("command", "answer"), EXAMPLES)
def test_every_example_is_answered_as_it_says(client: Client, command: str, answer: str) -> None:
    found = run(client, command).json
    assert holds(json.loads(answer), found), found


def test_there_are_examples_and_each_but_the_stream_has_its_answer() -> None:
    assert len(EXAMPLES) == TEXT.count("```sh\n") - 1 > 5


def test_the_table_of_requests_is_the_table_of_routes() -> None:
    written = re.findall(r"^\| `(GET|POST) (/[^`]+)`", TEXT, re.MULTILINE)
    assert sorted(written) == sorted((route.method, route.path) for route in (*ROUTES, *APPS_ROUTES))


def test_every_filter_and_every_event_of_the_stream_is_named() -> None:
    for name in next(route for route in ROUTES if route.name == "listSagas").params.model_fields:  # type: ignore[union-attr]
        assert re.search(rf"\b{name}\b", TEXT), name
    for event in ChangeEvent:
        assert f"\n| `{event.value}` |" in TEXT, event
