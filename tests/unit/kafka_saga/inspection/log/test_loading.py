"""Which definitions the command line knows: the product's own, the environment's, and those it is given."""

from __future__ import annotations

import pytest

from kafka_saga.cli.sagas import none_yet
from kafka_saga.inspection.log.decoding import codec_for
from kafka_saga.inspection.log.loading import known_on, named_definitions
from tests.unit.kafka_saga.cli.given import log_with
from topology.code_review import CODE_REVIEW

ORDER = "examples.order.definition:ORDER"


def test_events_of_the_definitions_of_the_environment_can_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_DEFINITIONS", raising=False)
    assert not codec_for(named_definitions()).knows("order.placed")
    assert codec_for(named_definitions(ORDER)).knows("order.placed")
    monkeypatch.setenv("SAGA_DEFINITIONS", f"{ORDER}, ")
    codec = codec_for(named_definitions())
    assert all(codec.knows(event) for event in ("order.placed", "pr.received", "step.failed"))


def test_how_a_first_saga_begins_is_said_for_the_definitions_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert none_yet([CODE_REVIEW]) == "No sagas yet. Review something: `saga review PATH`."
    monkeypatch.setenv("SAGA_DEFINITIONS", ORDER)
    said = none_yet(known_on(log_with({})).latest.values())
    begins = "No sagas yet: order begins with an event on order.placed."
    assert said == f"{begins} Review something: `saga review PATH`."
