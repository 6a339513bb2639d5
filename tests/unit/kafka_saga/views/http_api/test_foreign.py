"""The API and another application: its definition and services are known from the log alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest

from examples.order.definition import ORDER
from examples.order.events import Item, OrderPlaced
from examples.order.handlers import COMPENSATIONS, HANDLERS
from kafka_saga.broker.clock import VirtualClock
from kafka_saga.inspection.log.deployed import Deployments
from kafka_saga.inspection.present.graphs import graph_of
from kafka_saga.steps.definition_registry import agree
from kafka_saga.testing import SagaTest
from kafka_saga.views.http_api.cache import Cached
from tests.unit.kafka_saga.cli.cluster import Members
from tests.unit.kafka_saga.cli.given import announced
from tests.unit.kafka_saga.views.http_api.conftest import sources_of
from tests.unit.kafka_saga.views.http_api.serving import Client, serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables

SERVICES = {"payment": "order-payment", "stock": "order-stock", "shipping": "order-shipping"}


@dataclass(frozen=True)
class Shop:
    """An order whose stock nobody reserves, and the API, which Python has told of code review alone."""

    test: SagaTest
    saga_id: str
    client: Client

    @property
    def path(self) -> str:
        return f"/sagas/{quote(self.saga_id, safe='')}"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("SAGA_ORDER_BOOK", str(tmp_path / "book.sqlite"))
    with SagaTest(ORDER, HANDLERS, COMPENSATIONS) as test:
        log = test.system.cluster
        agree(log, [ORDER], VirtualClock())
        announced(log, ORDER, SERVICES)
        test.stop("stock")
        placed = OrderPlaced(order_id="A-1", customer="ada", items=(Item(sku="lamp", quantity=1),), amount_cents=1999)
        run = test.given(placed)
        deployments = Deployments()
        deployments.look(log)
        tables = MemoryTables([run.state], now=test.system.clock.now())
        sources = replace(
            sources_of(test, tables),
            groups=lambda: Members({"order-stock": 0, "tracker": 1}),
            deployments=deployments,
            lags=Cached(0.0),
        )
        with serving(sources) as client:
            yield Shop(test, run.saga_id, client)


def test_the_topology_has_it_with_who_does_its_steps(shop: Shop) -> None:
    found = {one["name"]: one for one in shop.client.get("/topology").json["definitions"]}
    assert set(found) == {"code_review", "order"}
    assert found["order"]["graph"] == graph_of(ORDER).model_dump(mode="json")
    steps = {step["name"]: step for step in found["order"]["steps"]}
    assert {name: step["service"] for name, step in steps.items()} == SERVICES
    assert (steps["stock"]["instances"], steps["stock"]["lag"]["events"]) == (0, 1)


def test_what_is_announced_later_is_found_with_the_next_look(shop: Shop) -> None:
    announced(shop.test.system.cluster, ORDER, {**SERVICES, "stock": "the-new-stock"})
    found = {one["name"]: one for one in shop.client.get("/topology").json["definitions"]}
    assert found["order"]["steps"][1]["service"] == "the-new-stock"


def test_its_sagas_are_drawn_and_can_be_commanded(shop: Shop) -> None:
    details = shop.client.get(shop.path).json
    assert {node["name"] for node in details["graph"]["nodes"]} >= {"payment", "stock", "shipping"}
    assert {"pause", "cancel"} <= {action["command"] for action in details["actions"]}


def test_why_names_the_service_that_is_not_there(shop: Shop) -> None:
    assert "no instance of its service order-stock is running" in shop.client.get(f"{shop.path}/why").json["reason"]


def test_its_events_are_shown_by_their_headers(shop: Shop) -> None:
    items = shop.client.get(f"{shop.path}/events").json["items"]
    assert [one["type"] for one in items] == ["order.placed", "payment.authorized"]
    assert all(one["headers"]["ce_subject"] == shop.saga_id and one["data"] is None for one in items)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"command": "pause", "scope": "step:order/stock"}, 200, ""),
        ({"command": "pause", "scope": "step:order/paint"}, 404, "Order has no step 'paint'"),
        ({"command": "cancel", "selection": {"definition": "order"}}, 200, ""),
    ],
)
def test_commands_know_its_steps(shop: Shop, body: dict[str, object], status: int, said: str) -> None:
    answered = shop.client.post("/commands", {**body, "author": "ada", "dry_run": True})
    assert answered.status == status, answered.body
    if status == 200:
        assert answered.json["saga_ids"] == [shop.saga_id]
    else:
        assert said in answered.json["detail"]


def test_an_outcome_of_its_is_checked_by_its_name_and_its_content_left_to_the_tracker(shop: Shop) -> None:
    skip = {"command": "skip", "saga_ids": [shop.saga_id], "step": "stock", "author": "ada", "dry_run": True}
    assert shop.client.post("/commands", {**skip, "outcome": "stock.reserved", "content": {"a": 1}}).status == 200
    refused = shop.client.post("/commands", {**skip, "outcome": "stock.lost", "content": {}})
    assert refused.status in {400, 409, 422}
    assert "cannot end with 'stock.lost'" in refused.json["detail"]
