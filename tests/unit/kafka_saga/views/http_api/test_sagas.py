"""Sagas over HTTP: lists, one in full, its reason, events and review, from a real tracker's states."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from kafka_saga.api.sagas import EventList, SagaDetails, SagaPage, Why
from kafka_saga.tracker.core.state import decode, encode
from schemas.review import Review
from tests.unit.kafka_saga.views.http_api.conftest import World
from tests.unit.kafka_saga.views.http_api.serving import Client


def path_of(saga_id: str) -> str:
    return f"/sagas/{quote(saga_id, safe='')}"


def listed(client: Client, query: str) -> SagaPage:
    answered = client.get(f"/sagas?{query}")
    assert answered.status == 200, answered.body
    return SagaPage.model_validate_json(answered.body)


def test_a_list_has_counts_total_and_staleness(world: World) -> None:
    answered = world.client.get("/sagas?sort=key&order=asc")
    page = SagaPage.model_validate_json(answered.body)
    assert [item.saga_id for item in page.items] == list(world.ids.values())
    assert (page.total, page.counts) == (5, {"completed": 2, "running": 2, "pausing": 1})
    assert (page.behind_s, answered.headers["Saga-Behind-Seconds"]) == (0.25, "0.250")
    assert "12.0 s" in page.items[2].reason
    assert page.items[2].current_steps == ("llm",)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("status=completed&status=pausing", {1, 4, 5}),
        ("step=llm", {2, 3}),
        ("has_incident=true", {2}),
        ("q=429%20TOO", {3}),
        ("key_prefix=acme/shop%234", {4}),
        ("definition=order", set()),
        ("older_than_s=3600", set()),
    ],
)
def test_filters_are_those_of_the_query(world: World, query: str, wanted: set[int]) -> None:
    assert {item.saga_id for item in listed(world.client, query).items} == {world.ids[number] for number in wanted}


@pytest.mark.parametrize("sort", ["started", "updated", "age", "key"])
def test_pages_follow_one_another(world: World, sort: str) -> None:
    found, cursor = [], ""
    while True:
        page = listed(world.client, f"limit=2&sort={sort}{cursor}")
        found += [item.saga_id for item in page.items]
        if page.next is None:
            break
        cursor = f"&cursor={page.next}"
    assert sorted(found) == sorted(world.ids.values())


def test_a_cursor_of_another_order_or_of_nobody_is_refused(world: World) -> None:
    cursor = listed(world.client, "limit=2&sort=key").next
    for query in (f"limit=2&sort=started&cursor={cursor}", "cursor=AAAA", "cursor=W10"):
        answered = world.client.get(f"/sagas?{query}")
        assert (answered.status, answered.json["type"]) == (404, "urn:saga:problem:not-found")


def test_the_trackers_own_record_comes_where_it_is_asked_for(world: World) -> None:
    (item,) = listed(world.client, "has_incident=true&include=state").items
    assert decode(json.dumps(item.state).encode()) == world.state(2)
    details = world.client.get(path_of(world.ids[2]) + "?include=state").json
    assert encode(decode(json.dumps(details["state"]).encode())) == encode(world.state(2))
    assert world.client.get(path_of(world.ids[2])).json["state"] is None


def test_one_saga_has_steps_timeline_graph_and_the_actions_that_apply(world: World) -> None:
    found = SagaDetails.model_validate_json(world.client.get(path_of(world.ids[2])).body)
    assert (found.title, found.latest_of_key, found.other_runs) == ("broken", True, ())
    assert [span.status for span in found.timeline] == ["done", "done", "failed"]
    assert found.graph is not None
    assert {node.name: node.words for node in found.graph.nodes}["llm"] == "failed"
    assert {action.command for action in found.actions} == {"pause", "cancel", "retry", "redrive", "rewind", "skip"}
    assert found.incidents[0].commands == ("retry", "redrive", "skip", "rewind", "cancel")


def test_titles_are_read_for_the_next_list(world: World) -> None:
    wanted = {world.ids[1]: "Sell hats", world.ids[5]: "nothing"}
    for _ in range(100):  # the API reads them while others ask
        page = listed(world.client, "status=completed")
        if {item.saga_id: item.title for item in page.items} == wanted:
            return
    raise AssertionError(page)


def test_why_names_the_service_and_what_is_before_it(world: World) -> None:
    found = Why.model_validate_json(world.client.get(path_of(world.ids[4]) + "/why").body)
    assert (found.services[0].step, found.services[0].service, found.services[0].instances) == (
        "comment",
        "comments",
        1,
    )
    assert "saga resume" in found.reason


def test_events_are_decoded_with_their_causes(world: World) -> None:
    items = EventList.model_validate_json(world.client.get(path_of(world.ids[3]) + "/events").body).items
    assert [item.type for item in items] == ["pr.received", "pr.validated", "ast.completed", "step.failed"]
    assert [item.cause for item in items] == [None, *(item.id for item in items[:-1])]
    assert items[0].data is not None
    assert items[0].data["title"] == "busy"


def test_a_review_has_the_diff_with_findings_at_their_lines(world: World) -> None:
    found = Review.model_validate_json(world.client.get(path_of(world.ids[1]) + "/review").body)
    changed, picture = found.files
    assert (found.available, found.number, found.location) == (True, 1, "/reviews/1")
    assert changed.patch is not None
    assert "@@ -1,2 +1,3 @@\n def total(items):\n+    eval(items)\n" in changed.patch
    assert [(one.line, one.rule, one.severity) for one in changed.findings] == [(2, "py/eval", "high")]
    assert (picture.patch, picture.skipped, picture.coverage) == (None, "binary", "skipped")
    assert [one.path for one in found.findings_outside] == ["gone.py"]
    assert (found.coverage.files, found.coverage.reviewed, found.coverage.skipped) == (2, 1, 1)


def test_a_review_that_is_none_says_why(world: World) -> None:
    found = Review.model_validate_json(world.client.get(path_of(world.ids[5]) + "/review").body)
    assert (found.available, found.why_not) == (False, "there is nothing to review: nothing is new")


@pytest.mark.parametrize("name", ["acme%2Fshop%237%40ffff", "nobody", "a%2Fb%25%7B%7D%40x", "%F0%9F%90%8D%40x"])
@pytest.mark.parametrize("suffix", ["", "/why", "/events", "/review"])
def test_a_saga_that_is_not_there_is_a_404(client: Client, name: str, suffix: str) -> None:
    answered = client.get(f"/sagas/{name}{suffix}")
    assert (answered.status, answered.headers["Content-Type"]) == (404, "application/problem+json")
    assert answered.json["title"] == "There is no such thing"


def test_topology_figures_and_health_are_told(client: Client) -> None:
    (definition,) = client.get("/topology").json["definitions"]
    steps = {step["name"]: step for step in definition["steps"]}
    assert steps["llm"]["topics"] == ["ast.completed", "llm.work"]
    assert steps["llm"]["windows"]["1m"]["started"] == 3
    assert (steps["llm"]["service"], steps["llm"]["instances"]) == ("llm", 1)
    assert client.get("/figures").json["counts"] == {"completed": 2, "running": 2, "pausing": 1}
    assert client.get("/health").json["workers"][0]["partitions"] == [0, 1, 2, 3]


def test_open_incidents_are_listed(world: World) -> None:
    (item,) = world.client.get("/incidents?step=llm&definition=code_review").json["items"]
    assert (item["key"], item["status"], item["kind"]) == ("acme/shop#2", "running", "step_failed")
    assert world.client.get("/incidents?step=ast").json["total"] == 0
