"""The embedded Kafka, for real: started, found, killed, kept, and stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from typer.testing import CliRunner, Result

from kafka_saga.cli.kafka import app
from kafka_saga.errors import UnavailableError
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.local.ports import DEFAULT_PORT, HOST
from kafka_saga.local.processes import ChildProcess, eventually
from kafka_saga.local.record import default_bootstrap, live_record, record_path

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a saga home of its own; whatever was started there is stopped."""
    monkeypatch.setenv("SAGA_HOME", str(tmp_path))
    monkeypatch.delenv("SAGA_BOOTSTRAP_SERVERS", raising=False)
    yield tmp_path
    EmbeddedKafka(tmp_path).stop()


def saga_kafka(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result


def status(code: int = 0) -> dict[str, object]:
    facts: dict[str, object] = json.loads(saga_kafka("status", "--json", code=code).stdout)
    return facts


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    if topic not in admin.list_topics(timeout=30).topics:
        admin.create_topics([NewTopic(topic)])[topic].result(30)
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        messages = consumer.consume(count, timeout=30)
        assert not [message.error() for message in messages if message.error()]
        return sorted(value for message in messages if isinstance(value := message.value(), bytes))
    finally:
        consumer.close()


def test_started_by_the_command_line_it_serves_is_found_survives_a_kill_and_keeps_its_records(home: Path) -> None:
    first = json.loads(saga_kafka("start", "--json").stdout)
    produce(default_bootstrap(), "t", b"one")
    assert len(AdminClient({"bootstrap.servers": default_bootstrap()}).list_topics("t", 30).topics["t"].partitions) == 4

    again = json.loads(saga_kafka("start", "--json").stdout)
    assert (again["pid"], again["already"], first["already"]) == (first["pid"], True, False)
    with pytest.raises(UnavailableError, match="saga kafka stop"):
        EmbeddedKafka(home).start(fresh=True)

    running = live_record(record_path(home))
    assert running is not None
    running.process.kill()
    assert status(code=3)["running"] is False

    assert "ended without being stopped" in saga_kafka("start").stderr
    produce(default_bootstrap(), "t", b"two")
    assert consume(default_bootstrap(), "t", 2) == [b"one", b"two"]
    assert status()["answers"] is True

    assert "Kafka is stopped" in saga_kafka("stop").stdout
    assert "No embedded Kafka was running" in saga_kafka("stop").stdout
    assert default_bootstrap() == "127.0.0.1:9092"


def test_another_port_is_taken_and_said_when_the_default_one_is_not_free(home: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else has it, which is as good
            other.bind((HOST, DEFAULT_PORT))
            other.listen()
        assert "since port 9092 is taken" in saga_kafka("start").stdout
        assert default_bootstrap() != f"{HOST}:{DEFAULT_PORT}"
        assert status()["bootstrap"] == default_bootstrap()


def test_two_starts_at_once_give_one_broker(home: Path) -> None:
    command = [sys.executable, "-c", "from kafka_saga.cli.kafka import app; app()", "start", "--json"]
    starts = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [json.loads(start.communicate()[0]) for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert said[0]["pid"] == said[1]["pid"] == status()["pid"]
    assert sorted(facts["already"] for facts in said) == [False, True]


def test_fresh_deletes_the_records(home: Path) -> None:
    with EmbeddedKafka(home, port=0) as kafka:
        produce(kafka.bootstrap, "t", b"old")
    kafka.start(fresh=True)
    assert "t" not in AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=30).topics


def test_a_broker_killed_paused_and_restarted_keeps_its_port_and_records(home: Path) -> None:
    with EmbeddedKafka(home, port=0) as kafka:
        bootstrap = kafka.bootstrap
        produce(bootstrap, "t", b"before")
        kafka.kill()
        kafka.restart()
        assert kafka.bootstrap == bootstrap
        kafka.pause()
        assert not kafka.status().answers
        kafka.resume()
        assert eventually(lambda: kafka.status().answers, 30)
        assert consume(bootstrap, "t", 1) == [b"before"]
    assert kafka.status().running is None


def test_one_that_runs_already_is_joined_and_left_running(home: Path) -> None:
    with EmbeddedKafka(home, port=0) as kafka:
        with EmbeddedKafka(home) as joined:
            assert joined.bootstrap == kafka.bootstrap
        assert kafka.status().answers


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel kills a child with its parent only on Linux")
def test_an_attached_broker_dies_with_its_parent(home: Path) -> None:
    script = "import sys; from kafka_saga.local.broker import EmbeddedKafka as K; K(port=0).start(); print('up'); "
    command = [sys.executable, "-u", "-c", script + "sys.stdin.read()"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        running = live_record(record_path(home))
        assert running is not None
        os.kill(parent.pid, signal.SIGKILL)
    assert running.process.ends_within(30)
    assert status(code=3)["running"] is False


def test_a_broker_that_dies_while_starting_is_one_sentence_with_its_log(home: Path) -> None:
    kafka = EmbeddedKafka(home, port=0)
    kafka.start()
    kafka.stop()
    meta = home / "kafka" / "data" / "meta.properties"
    meta.write_text(meta.read_text(encoding="utf-8").replace("node.id=1", "node.id=2"), encoding="utf-8")
    with pytest.raises(
        UnavailableError, match=r"^Kafka ended while starting: [^\n]*node[^\n]* Its log: [^\n]+$"
    ) as error:
        kafka.start()
    assert str(kafka.log) in str(error.value)
    assert kafka.status().running is None


def test_a_live_process_that_got_the_pid_of_a_dead_broker_is_not_taken_for_it(home: Path) -> None:
    with EmbeddedKafka(home, port=0) as kafka:
        running = live_record(record_path(home))
        assert running is not None
        kafka.kill()
        stale = running.model_copy(update={"pid": os.getpid()})
        record_path(home).write_text(stale.model_dump_json(), encoding="utf-8")
        assert not ChildProcess(stale.pid, stale.mark).is_alive()
        assert kafka.status().running is None
        kafka.restart()
        assert kafka.status().answers
