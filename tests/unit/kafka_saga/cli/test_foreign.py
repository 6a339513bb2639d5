"""The command line and another application: its definition and services are known from the log alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from examples.order.definition import ORDER
from examples.order.events import Item, OrderPlaced
from examples.order.handlers import COMPENSATIONS, HANDLERS
from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.cli import main
from kafka_saga.cli.connection import Connection
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.steps.definition_registry import agree
from kafka_saga.testing import SagaTest
from kafka_saga.testing.run import SagaRun
from kafka_saga.tracker.core.state import SagaStatus
from tests.unit.kafka_saga.cli.cluster import Members
from tests.unit.kafka_saga.cli.given import announced

SERVICES = {"payment": "order-payment", "stock": "order-stock", "shipping": "order-shipping"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLog(Connection):
    """A connection to a log in memory, where no HTTP API answers."""

    log: MemoryCluster
    members: Members = field(default_factory=Members)

    def cluster(self) -> MemoryCluster:
        return self.log

    def groups(self) -> Members:
        return self.members


@dataclass(frozen=True)
class Shop:
    """Orders, the stock of which nobody reserves unless its service is started."""

    test: SagaTest

    def saga(self, *arguments: str, code: int = 0) -> str:
        """What `saga` prints on stdout."""
        result = CliRunner().invoke(main.app, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.stdout

    def json(self, *arguments: str, code: int = 0) -> object:
        found: object = json.loads(self.saga(*arguments, "--json", code=code))
        return found

    def order(self, name: str) -> SagaRun:
        return self.test.given(
            OrderPlaced(order_id=name, customer="ada", items=(Item(sku="lamp", quantity=1),), amount_cents=1999)
        )


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("SAGA_ORDER_BOOK", str(tmp_path / "book.sqlite"))
    monkeypatch.setenv("SAGA_HOME", str(tmp_path))
    monkeypatch.delenv("SAGA_DEFINITIONS", raising=False)
    with SagaTest(ORDER, HANDLERS, COMPENSATIONS) as test:
        agree(test.system.cluster, [ORDER], VirtualClock())
        announced(test.system.cluster, ORDER, SERVICES)
        test.stop("stock")
        connection = OnLog("memory", log=test.system.cluster, members=Members({"tracker": 1}))
        monkeypatch.setattr(main, "connection_for", lambda *_, **__: connection)
        yield Shop(test)


def test_how_its_sagas_begin_is_said(shop: Shop) -> None:
    said = " ".join(shop.saga("ls").split())
    assert said == ("No sagas yet: order begins with an event on order.placed. Review something: `saga review PATH`.")


def test_why_names_the_service_that_is_not_there_and_its_bounds(shop: Shop) -> None:
    run = shop.order("A-1")
    said = shop.saga("why", "A-1")
    assert said.startswith("Step stock (attempt 1 of 10) waits")
    assert "no instance of its service order-stock is running" in said
    assert "The deadline of the saga" in said
    facts = shop.json("why", run.saga_id)
    assert isinstance(facts, Mapping)
    (one,) = facts["services"]
    assert (one["service"], one["instances"], one["place"]) == ("order-stock", 0, "queued")


def test_a_bulk_command_knows_by_the_definition_to_which_sagas_it_applies(shop: Shop) -> None:
    shop.order("A-1")
    shop.order("A-2")
    said = shop.saga("cancel", "--step", "stock", "--dry-run")
    assert "Cancel 2 sagas" in said
    assert "left out" not in said
    assert shop.json("retry", "--step", "stock", "--dry-run") == []


def test_a_step_is_paused_by_its_name_before_any_saga_has_started(shop: Shop) -> None:
    found = shop.json("pause", "--step", "stock", "--dry-run")
    assert isinstance(found, list)
    assert [one["scope"] for one in found] == ["step:order/stock"]


def test_a_step_is_skipped_with_an_outcome_that_the_tracker_judges(shop: Shop) -> None:
    shop.test.start("stock")
    shop.test.fail("stock", RetryableError("the warehouse is closed", 600))
    run = shop.order("A-1")
    skip = ("skip", run.saga_id, "--step", "stock", "--wait", "0")
    content = {
        "order_id": "A-1",
        "customer": "ada",
        "items": [{"sku": "lamp", "quantity": 1}],
        "reservation": "by hand",
    }
    wrong = CliRunner().invoke(main.app, [*skip, "--outcome", "stock.lost"])
    assert "Step stock of order cannot end with 'stock.lost'" in str(wrong.exception)
    shop.saga(*skip, "--outcome", "stock.reserved", "--content", json.dumps(content), code=6)
    shop.test.run()
    assert [event.type for event in run.state.events][2:] == ["stock.reserved", "shipment.created"]
    assert run.state.status is SagaStatus.COMPLETED


def test_events_whose_classes_are_not_here_are_shown_by_their_headers(shop: Shop) -> None:
    run = shop.order("A-1")
    text = shop.saga("events", "A-1")
    assert "payment.authorized" in text
    found = shop.json("events", run.saga_id)
    assert isinstance(found, list)
    assert [one["type"] for one in found] == ["order.placed", "payment.authorized"]
    for one in found:
        assert one["headers"]["ce_subject"] == run.saga_id
        assert (one["data"], "is not one of" in one["problem"]) == (None, True)
    decoded = shop.json("events", run.saga_id, "-d", "examples.order.definition:ORDER")
    assert isinstance(decoded, list)
    assert [one["data"]["order_id"] for one in decoded] == ["A-1", "A-1"]


def test_what_undoing_leads_to_has_one_form_and_is_decoded(shop: Shop) -> None:
    shop.test.start("stock")
    shop.test.fail("stock", TerminalError("the shelf is gone"))
    run = shop.order("A-1")
    found = shop.json("events", run.saga_id)
    assert isinstance(found, list)
    (undone,) = [one for one in found if one["type"] == "payment.compensated"]
    assert (undone["data"]["step"], undone["problem"]) == ("payment", None)
