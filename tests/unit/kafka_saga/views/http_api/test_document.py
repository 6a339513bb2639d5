"""The document is what the API does: whatever it allows is answered as it says, what it forbids is refused."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from kafka_saga.api.commands import CommandRequest
from kafka_saga.views.http_api.app import PREFIX
from kafka_saga.views.http_api.handlers.commands import IDEMPOTENCY_KEY
from kafka_saga.views.http_api.openapi import document
from kafka_saga.views.http_api.routes import Route
from kafka_saga.views.http_api.table import ROUTES
from tests.unit.kafka_saga.views.http_api.conftest import World
from tests.unit.kafka_saga.views.http_api.honest import commands, with_real_cursor
from tests.unit.kafka_saga.views.http_api.test_commands import fresh

__all__ = ["fresh"]

BOUNDED = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""The same cases on each run, and few enough for each."""

ASKED = [(route, GenerationMode.POSITIVE) for route in ROUTES if not route.events]
ASKED += [(route, GenerationMode.NEGATIVE) for route in ROUTES if not route.events and (route.params or route.body)]
"""What takes nothing cannot be asked wrongly.

All that is valid is accepted, but for the one thing that no schema can say: that a cursor is one that we gave. They are
real ones here.
"""


WORDS = {"author", "reason", "dry_run"}
"""What the document says all of about a command: it is left as it was generated."""


@pytest.fixture(scope="session")
def schema(world: World) -> schemathesis.BaseSchema:
    return schema_of(world)


def schema_of(world: World) -> schemathesis.BaseSchema:
    """The document of a world's API."""
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{world.client.port}{PREFIX}/openapi.json")


@pytest.mark.parametrize(("route", "mode"), ASKED, ids=lambda one: getattr(one, "name", one))
def test_every_request_is_answered_as_the_document_says(
    route: Route, mode: GenerationMode, schema: schemathesis.BaseSchema, world: World
) -> None:
    operation = schema[route.path][route.method]

    @settings(BOUNDED, max_examples=100 if route.body is CommandRequest else BOUNDED.max_examples)
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and "cursor" in case.query:
            case.query = with_real_cursor(world, route.path, case.query)
        case.call_and_validate()

    holds()


def test_every_command_that_is_valid_and_about_what_there_is_is_taken(fresh: World) -> None:
    schema = schema_of(fresh)
    operation, numbers = schema["/commands"]["POST"], count(1)

    @settings(BOUNDED, max_examples=150)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE), honest=commands(fresh))
    def holds(case: schemathesis.Case[Any], honest: dict[str, Any]) -> None:
        words = {name: value for name, value in dict(case.body).items() if name in WORDS}  # type: ignore[arg-type]
        case.body = words | honest
        if IDEMPOTENCY_KEY in case.headers:
            case.headers[IDEMPOTENCY_KEY] = f"key-{next(numbers)}"
        answer = case.call_and_validate()
        assert answer.status_code == (200 if words.get("dry_run") else 202), answer.text

    holds()


def test_a_page_after_a_real_cursor_is_asked_for(world: World) -> None:
    for path in ("/sagas", "/incidents", "/dead-letters"):
        query = with_real_cursor(world, path, {"cursor": "x", "limit": 2})
        assert query["limit"] == 2
        assert query.get("cursor") != "x"
    assert with_real_cursor(world, "/sagas", {"sort": "key"})["cursor"]


def test_every_route_is_in_the_document() -> None:
    paths = document(ROUTES, PREFIX, needs_token=True)["paths"]
    assert {(path, method.upper()) for path, methods in paths.items() for method in methods} == {
        (route.path, route.method) for route in ROUTES
    }


def test_every_link_leads_to_an_operation_with_what_that_takes() -> None:
    takes = {route.name: set(route.path_params) for route in ROUTES}
    links = [link for route in ROUTES for link in route.links.items()]
    assert links
    assert all(set(parameters) == takes[name] for name, parameters in links)
