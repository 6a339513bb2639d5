from __future__ import annotations

import pytest
from multidict import MultiDict
from yarl import URL

from kafka_saga.api.commands import SagaSelection
from kafka_saga.console.filters import Filter


def of(query: str) -> Filter:
    return Filter.of(URL(f"/sagas?{query}").query)


def test_a_filter_is_its_address() -> None:
    chosen = of("status=failed&status=running&q=a+b&step=llm&older_than_s=60&sort=key&order=asc&cursor=x")
    assert Filter.of(URL(chosen.url).query) == chosen
    assert chosen.status == ("failed", "running")


@pytest.mark.parametrize("query", ["status=no", "sort=no", "order=up", "has_incident=maybe", "older_than_s=-1", "x=1",
                                   "older_than_s=²", "older_than_s=99999999999"])  # fmt: skip
def test_what_makes_no_sense_in_an_address_is_left_out(query: str) -> None:
    assert of(query) == Filter()


def test_a_status_is_added_and_taken_away_from_the_first_page_on() -> None:
    chosen = of("status=failed&cursor=x")
    assert chosen.toggled("running").status == ("failed", "running")
    assert chosen.toggled("failed") == Filter()


def test_sorting_by_the_same_again_turns_it_round() -> None:
    once = Filter().sorted_by("key")
    assert (once.sort, once.order) == ("key", "desc")
    assert once.sorted_by("key").order == "asc"
    assert once.sorted_by("key").sorted_by("key").order == "desc"


def test_only_what_the_api_can_say_is_a_selection() -> None:
    assert of("status=failed&step=llm").selection() == SagaSelection(status=("failed",), step="llm")
    assert of("status=failed&q=x").selection() is None
    assert of("status=failed&older_than_s=60").selection() is None
    assert of("").selection() is None


def test_a_very_long_text_is_cut() -> None:
    assert len(Filter.of(MultiDict(q="a" * 5000)).q) == 1000
