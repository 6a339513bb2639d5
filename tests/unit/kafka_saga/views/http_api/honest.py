"""Requests that are valid by the document and true of the world: what no schema can say comes from real answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from kafka_saga.api.command_fields import TAKES
from kafka_saga.events.commands import Act
from tests.unit.kafka_saga.views.http_api.conftest import World

STEP = "llm"
OUTCOME = "llm.completed"
SCOPES = st.sampled_from(["definition:code_review", f"step:code_review/{STEP}", "prefix:acme/", "prefix:nobody/"])
NARROW: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"step": st.just(STEP)}, optional={"definition": st.just("code_review"), "key_prefix": st.just("acme/")}
)


def with_real_cursor(world: World, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """The query with a cursor that the API gives for the same order, if it has one; with none if there is but a page.

    A filter may leave nothing to page through: the cursor is of the list of everything, which fits any filter.
    """
    order = [(name, query[name]) for name in ("sort", "order") if name in query]
    found = world.client.get(f"{path}?{urlencode([*order, ('limit', 1)])}").json["next"]
    rest = {name: value for name, value in query.items() if name != "cursor"}
    return rest if found is None else {**rest, "cursor": found}


def commands(world: World) -> st.SearchStrategy[dict[str, Any]]:
    """Every command with what belongs to it, to sagas, selections and scopes that there are."""
    content = _content(world)
    return st.sampled_from(list(TAKES)).flatmap(
        lambda act: st.builds(
            lambda whom, beside: {"command": act.value, **whom, **beside}, _whom(world, act), _beside(act, content)
        )
    )


def _whom(world: World, act: Act) -> st.SearchStrategy[dict[str, Any]]:
    some = st.lists(st.sampled_from(sorted(world.ids.values())), min_size=1, max_size=3)
    found = [some.map(lambda ids: {"saga_ids": ids}), NARROW.map(lambda narrow: {"selection": narrow})]
    wide = [SCOPES.map(lambda scope: {"scope": scope})] if "scope" in TAKES[act] else []
    return st.one_of(*found, *wide)


def _beside(act: Act, content: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    told = {"step": STEP, "outcome": OUTCOME, "content": dict(content)}
    return st.just({name: value for name, value in told.items() if name in TAKES[act]})


def _content(world: World) -> Mapping[str, Any]:
    """What the step has really ended with in the saga that is completed."""
    events = world.client.get(f"/sagas/{quote(world.ids[1], safe='')}/events").json["items"]
    content: Mapping[str, Any] = next(one["data"] for one in events if one["type"] == OUTCOME)
    return content
