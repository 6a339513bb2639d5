"""Transactions without an end, as Kafka's own tool prints them."""

from __future__ import annotations

from kafka_saga.cli.kafka import hanging_lines
from kafka_saga.local.hanging import Hanging, by_hand, parsed

PRINTED = """\
Topic     \tPartition\tProducerId\tProducerEpoch\tCoordinatorEpoch\tStartOffset\tLastTimestamp\tDuration(min)\t
saga.steps\t3        \t23        \t3            \t4               \t1436       \t1795383232705\t119          \t
"""
FOUND = Hanging("saga.steps", 3, 1436, 23, 119)


def test_the_tools_table_is_read() -> None:
    assert parsed(PRINTED) == (FOUND,)
    assert parsed(PRINTED.splitlines()[0]) == ()


def test_what_hangs_is_said_with_what_to_do() -> None:
    said = hanging_lines([FOUND], aborted=False)
    assert said.startswith("1 transaction without an end")
    assert "saga.steps[3] from offset 1436 on, for 119 min (producer 23)" in said
    assert said.endswith("`saga kafka hanging --abort`.")
    assert hanging_lines([FOUND, FOUND], aborted=True).startswith("Rolled back 2 transactions:")
    assert hanging_lines([], aborted=True) == "No transaction hangs."


def test_what_to_type_by_hand_names_the_broker() -> None:
    assert "--bootstrap-server kafka:9092" in by_hand("kafka:9092")
