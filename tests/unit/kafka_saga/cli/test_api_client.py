"""The command line asks the HTTP API where it answers, gets what the log would have told, and else reads the log."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kafka_saga.cli import api_client
from kafka_saga.cli.api_client import Api
from kafka_saga.cli.connection import connection_for
from kafka_saga.cli.why import oldest_of
from kafka_saga.inspection.commands.selection import Selection, fits
from kafka_saga.inspection.diagnose.surroundings import around_of
from kafka_saga.inspection.log.reading import find, states
from kafka_saga.inspection.present.facts import why_facts
from kafka_saga.testing import SagaTest
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.views.http_api.dependencies import Dependencies
from tests.unit.kafka_saga.views.http_api.conftest import sources_of, told
from tests.unit.kafka_saga.views.http_api.reviews import reviews
from tests.unit.kafka_saga.views.http_api.serving import serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables

KAFKA = "127.0.0.1:9092"
Served = tuple[SagaTest, Dependencies, MemoryTables, Api]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with reviews() as test:
        ids = told(test)
        tables = MemoryTables((test.system.saga(one) for one in ids.values()), now=test.system.clock.now())
        sources = replace(sources_of(test, tables), kafka=KAFKA)
        with serving(sources) as client:
            yield test, sources, tables, Api(f"http://127.0.0.1:{client.port}", KAFKA)


def api_of(served: Served) -> Api:
    return served[3]


@pytest.mark.parametrize(
    "wanted",
    [
        Selection(),
        Selection(definition="code_review", statuses=frozenset({SagaStatus.COMPLETED, SagaStatus.PAUSING})),
        Selection(key_prefix="acme/shop#4"),
        Selection(definition="order"),
    ],
)
@pytest.mark.parametrize("limit", [2, 50, 1000])
def test_a_list_is_what_the_log_tells(served: Served, wanted: Selection, limit: int) -> None:
    known = [state for state in states(served[0].system.cluster) if fits(wanted, state)]
    assert api_of(served).latest(wanted, limit) == (known[-limit:], len(known))


@pytest.mark.parametrize(
    "wanted",
    [
        Selection(),
        Selection(step="llm", definition="code_review"),
        Selection(step="code_review/llm", key_prefix="acme/"),
        Selection(step="ast"),
        Selection(key_prefix="nobody"),
        Selection(definition="order"),
    ],
)
def test_open_incidents_are_what_the_log_tells(served: Served, wanted: Selection) -> None:
    assert api_of(served).incidents(wanted, 50) == oldest_of(states(served[0].system.cluster), wanted, 50)


def test_as_many_pages_of_incidents_are_asked_for_as_it_takes(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_client, "_PAGE", 1)
    asked = api_of(served)
    known = states(served[0].system.cluster)
    for limit in (1, 2, 50):
        assert asked.incidents(Selection(), limit) == oldest_of(known, Selection(), limit)
        assert asked.latest(Selection(), limit) == (known[-limit:], len(known))


@pytest.mark.parametrize("name", ["acme/shop#2@000000000000", "acme/shop#2", "acme/shop#3@0"])
def test_a_saga_is_found_as_the_log_finds_it(served: Served, name: str) -> None:
    assert api_of(served).find(name) == find(served[0].system.cluster, name)


@pytest.mark.parametrize("name", ["acme/", "nobody", "x" * 300])
def test_what_the_api_does_not_know_for_certain_is_left_to_the_log(served: Served, name: str) -> None:
    assert api_of(served).find(name) is None


def test_why_is_what_is_found_out_here(served: Served) -> None:
    test, sources, _, asked = served
    state = find(test.system.cluster, "acme/shop#4")
    around = around_of(test.system.cluster, sources.groups(), state, {}, sources.look_at_deployed())
    assert asked.why(state.saga_id) == why_facts(state, around, test.system.clock.now())
    assert asked.why("nobody@x") is None


def test_what_does_not_know_everything_from_before_the_command_is_no_answer(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_client, "CATCH_UP", 0)
    asked = api_of(served)
    tables = served[2]
    monkeypatch.setattr(tables, "behind_s", 1000.0)
    assert (asked.answers(), asked.latest(Selection(), 5), asked.find("acme/shop#2")) == (True, None, None)
    assert asked.incidents(Selection(), 5) is None
    typed_long_ago = replace(asked, since=asked.since - 1001)
    assert typed_long_ago.find("acme/shop#2") == find(served[0].system.cluster, "acme/shop#2")


def test_tables_that_are_a_little_behind_are_waited_for(served: Served) -> None:
    just_typed = Api(api_of(served).url)
    assert just_typed.find("acme/shop#2") is not None


def test_tables_of_another_kafka_are_not_asked(served: Served) -> None:
    asked = api_of(served)
    assert asked.answers()
    assert not Api(asked.url, "kafka.example:9092").answers()
    assert Api(asked.url).answers()


def test_where_nobody_listens_or_somebody_else_does_there_is_no_api() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not Api(f"http://127.0.0.1:{port}").answers()
    assert not Api("http://127.0.0.1:1/elsewhere").answers()


def test_the_api_is_trusted_where_its_url_is_told_and_never_with_no_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_VIEWS_URL", raising=False)
    monkeypatch.delenv("SAGA_BOOTSTRAP_SERVERS", raising=False)
    assert connection_for("k:1").views == Api("http://127.0.0.1:8420", "k:1")
    monkeypatch.setenv("SAGA_VIEWS_URL", "http://views:80")
    monkeypatch.setenv("SAGA_BOOTSTRAP_SERVERS", "k:2")
    assert connection_for(None).views == Api("http://views:80")
    assert connection_for("k:1").views == Api("http://views:80", "k:1")
    assert connection_for(None, with_api=False).views is None
