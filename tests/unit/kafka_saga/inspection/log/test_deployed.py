"""What is deployed, as the log tells: definitions by version, and which service does which step."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.definition.described import is_described, saga_of
from kafka_saga.inspection.diagnose.diagnosis import awaited, started_by
from kafka_saga.inspection.log.deployed import NOTHING_DEPLOYED, Deployed, Deployments, deployed_on, owners_by
from kafka_saga.inspection.log.loading import known_on
from kafka_saga.steps import definition_log
from kafka_saga.steps.announcements import Announced, Announcement, StepOf, encode
from kafka_saga.steps.definition_log import KeyValue
from kafka_saga.steps.definition_registry import Statement, agree
from kafka_saga.steps.definition_registry import encode as encoded_statement
from kafka_saga.tracker.core.state import SagaState, StepState, StepStatus
from tests.unit.kafka_saga.cli.given import log_with
from tests.unit.kafka_saga.tracker.orders import ORDER
from topology.code_review import CODE_REVIEW

LATER = replace(ORDER, version=2)


def announcing(service: str, *steps: tuple[str, int, str]) -> Announcement:
    return Announcement(service, tuple(StepOf(*step) for step in steps), ())


def owned(*announced: tuple[int, Announcement]) -> Deployed:
    return Deployed(owners=owners_by(Announced(*one) for one in announced))


def test_a_service_owns_the_steps_that_it_announces_in_that_version() -> None:
    old, new = announcing("bank", ("order", 1, "payment")), announcing("till", ("order", 2, "payment"))
    deployed = owned((1, new), (2, old))
    assert deployed.owner("order", 1, "payment") == "bank"
    assert deployed.owner("order", 2, "payment") == "till"
    assert deployed.owner("order", 1, "stock") is None
    assert deployed.owner("parcel", 1, "payment") is None
    assert deployed.services("order") == {"bank", "till"}


def test_a_version_that_nobody_announces_is_served_by_the_service_of_the_latest() -> None:
    deployed = owned((1, announcing("till", ("order", 3, "payment"))), (2, announcing("bank", ("order", 2, "payment"))))
    assert {deployed.owner("order", version, "payment") for version in (1, 4)} == {"till"}


def test_of_services_that_announce_the_same_step_the_last_has_it() -> None:
    bank, till = (announcing(name, ("order", 1, "payment")) for name in ("bank", "till"))
    assert owned((5, bank), (9, till)).owner("order", 1, "payment") == "till"
    assert owned((9, bank), (5, till)).owner("order", 1, "payment") == "bank"


def test_a_service_that_does_two_steps_at_work_is_awaited_once() -> None:
    steps = tuple(StepState(name, StepStatus.RUNNING, 1) for name in ("payment", "stock"))
    state = SagaState("A-1@once", "order", 1, 0, steps=steps)
    deployed = owned((1, announcing("shop", ("order", 1, "payment"), ("order", 1, "stock"))))
    assert awaited(state, deployed) == ("shop", "tracker")


def test_before_anything_is_deployed_nothing_is_known() -> None:
    assert deployed_on(MemoryCluster(VirtualClock())) == NOTHING_DEPLOYED
    assert (NOTHING_DEPLOYED.latest, NOTHING_DEPLOYED.owner("order", 1, "payment")) == ({}, None)


def test_each_look_finds_what_was_stated_and_announced_since() -> None:
    log, deployments = log_with({}), Deployments()
    assert deployments.known == NOTHING_DEPLOYED
    assert deployments.look(log).owner("code_review", 1, "comment") == "comments"
    agree(log, [ORDER], VirtualClock())
    found = deployments.look(log)
    assert found.definition("order", 1) == saga_of(ORDER.describe())
    assert deployments.look(log) is found, "nothing has come"
    agree(log, [LATER], VirtualClock())
    moved = announcing("posting", ("code_review", 1, "comment"))
    definition_log.publish(log, KeyValue(moved.key, encode(moved)))
    now = deployments.look(log)
    assert (now.latest["order"].version, now.definition("order", 1)) == (2, found.definition("order", 1))
    assert now.owner("code_review", 1, "llm") == "llm"
    assert now == deployed_on(log) == deployments.known


def test_a_service_that_loses_a_step_owns_it_no_more() -> None:
    log, deployments = log_with({}), Deployments()
    deployments.look(log)
    less = announcing("comments")
    definition_log.publish(log, KeyValue(less.key, encode(less)))
    assert deployments.look(log).owner("code_review", 1, "comment") is None


def test_of_two_statements_of_a_version_the_first_counts_here_as_for_services() -> None:
    log = log_with({})
    agree(log, [ORDER], VirtualClock())
    other = Statement("order", 1, "hash", replace(ORDER, key="another").describe())
    definition_log.publish(log, KeyValue(other.key, encoded_statement(other)))
    assert deployed_on(log).definitions["order", 1].key == ORDER.key


def test_a_statement_that_this_version_cannot_read_is_said_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    log = log_with({})
    agree(log, [ORDER], VirtualClock())
    odd = Statement("odd", 1, "hash", {**ORDER.describe(), "name": "odd", "on_failure": "shrug"})
    definition_log.publish(log, KeyValue(odd.key, encoded_statement(odd)))
    with caplog.at_level(logging.WARNING, "saga.inspection"):
        assert set(deployed_on(log).definitions) == {("order", 1)}
    assert "odd@1 on saga.definitions is left out: this describes no definition" in caplog.text


def test_what_python_names_counts_before_the_log_since_it_can_decode_events(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_with({})
    agree(log, [ORDER, LATER, CODE_REVIEW], VirtualClock())
    monkeypatch.setenv("SAGA_DEFINITIONS", "tests.unit.kafka_saga.tracker.orders:ORDER")
    known = known_on(log)
    assert known.definition("order", 1) is ORDER
    assert is_described(known.latest["order"].starts_on)
    assert known.latest["code_review"] is CODE_REVIEW
    monkeypatch.delenv("SAGA_DEFINITIONS")
    monkeypatch.setenv("SAGA_APP", "")
    assert is_described(known_on(log).latest["code_review"].starts_on)
    monkeypatch.setenv("SAGA_APP", "services.app:APP")
    assert known_on(log).definition("code_review", 1) is CODE_REVIEW


def test_saga_up_starts_a_definition_whose_every_step_one_of_its_services_does() -> None:
    log = log_with({})
    assert started_by("code_review", deployed_on(log)) == "saga up"
    assert started_by("order", deployed_on(log)) == ""
    mine = announcing("style", ("code_review", 1, "llm"))
    definition_log.publish(log, KeyValue(mine.key, encode(mine)))
    assert started_by("code_review", deployed_on(log)) == ""
