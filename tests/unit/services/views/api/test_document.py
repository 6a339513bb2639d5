"""The document is what the API does: whatever it allows is answered as it says, what it forbids is refused."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from services.views.api.app import PREFIX
from services.views.api.openapi import document
from services.views.api.routes import Route
from services.views.api.table import ROUTES
from tests.unit.services.views.api.conftest import World

BOUNDED = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""The same cases on each run, and few enough for each."""

ASKED = [(route, GenerationMode.POSITIVE) for route in ROUTES if not route.is_stream]
ASKED += [(route, GenerationMode.NEGATIVE) for route in ROUTES if not route.is_stream and (route.params or route.body)]
"""What takes nothing cannot be asked wrongly.

What no schema can say is left out: that a cursor is one that we gave, and that steps and sagas are there.
"""


@pytest.fixture(scope="session")
def schema(world: World) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{world.client.port}{PREFIX}/openapi.json")


@pytest.mark.parametrize(("route", "mode"), ASKED, ids=lambda one: getattr(one, "name", one))
def test_every_request_is_answered_as_the_document_says(
    route: Route, mode: GenerationMode, schema: schemathesis.BaseSchema
) -> None:
    operation = schema[route.path][route.method]

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and case.query:
            case.query.pop("cursor", None)
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if route.path == "/commands" else [])

    holds()


def test_every_route_is_in_the_document() -> None:
    paths = document(ROUTES, PREFIX, needs_token=True)["paths"]
    assert {(path, method.upper()) for path, methods in paths.items() for method in methods} == {
        (route.path, route.method) for route in ROUTES
    }
