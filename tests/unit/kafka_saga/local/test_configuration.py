"""What the broker is told."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from kafka_saga.local.configuration import LOG4J, Listeners, jvm_command, render, server_properties

PROPERTIES = server_properties(Path("/home/k/data"), Listeners(broker=9092, controller=20001))


def test_the_node_is_broker_and_controller_on_the_loopback_only() -> None:
    assert PROPERTIES["process.roles"] == "broker,controller"
    assert PROPERTIES["controller.quorum.voters"] == "1@127.0.0.1:20001"
    assert PROPERTIES["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:20001"
    assert PROPERTIES["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert PROPERTIES["log.dirs"] == "/home/k/data"


def test_every_internal_topic_gets_along_with_one_node() -> None:
    ones = [v for k, v in PROPERTIES.items() if k.endswith((".replication.factor", ".min.isr", "insync.replicas"))]
    assert ones == ["1"] * 7


def test_topics_get_four_partitions_and_only_when_asked_for() -> None:
    assert PROPERTIES["num.partitions"] == "4"
    assert PROPERTIES["auto.create.topics.enable"] == "false"


def test_offsets_live_thirty_days() -> None:
    assert int(PROPERTIES["offsets.retention.minutes"]) == 30 * 24 * 60


def test_properties_are_written_for_java() -> None:
    assert render({"a": "1", "log.dirs": "C:\\k"}) == "a=1\nlog.dirs=C:\\\\k\n"


def test_the_jvm_gets_heap_log_and_arguments() -> None:
    command = jvm_command(Path("/j/java"), Path("/l/broker.log"), 512, "kafka.Kafka", "server.properties")
    assert command[0] == "/j/java"
    assert command[-2:] == ["kafka.Kafka", "server.properties"]
    assert {"-Xmx512m", "-Dsaga.log=/l/broker.log"} <= set(command)


def test_the_log_is_bounded() -> None:
    (rolling,) = ET.parse(LOG4J).getroot().iter("RollingFile")  # noqa: S314
    assert rolling.find("SizeBasedTriggeringPolicy[@size='8 MB']") is not None
    assert rolling.find("DefaultRolloverStrategy[@max='3']") is not None
