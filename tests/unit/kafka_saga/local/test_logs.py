"""What a broker's log says about its end."""

from __future__ import annotations

from pathlib import Path

from kafka_saga.local.logs import is_full_disk, last_error, last_words

FATAL = """\
[2026-01-01T10:00:00,000] INFO starting (KafkaServer)
[2026-01-01T10:00:01,000] ERROR Exiting Kafka due to fatal exception during startup. (Kafka$)
java.lang.RuntimeException: Unable to start
\tat kafka.server.SharedServer.start(SharedServer.scala:2)
Caused by: org.apache.kafka.common.KafkaException: Failed to bind to 127.0.0.1:9092: Address already in use.
\tat kafka.network.Acceptor.open(SocketServer.scala:1)
\t... 3 more
[2026-01-01T10:00:02,000] INFO shut down (KafkaServer)
java.lang.IllegalStateException: belongs to an INFO entry""".splitlines()


def test_the_last_error_is_told_by_its_deepest_cause() -> None:
    assert last_error(FATAL) == "Failed to bind to 127.0.0.1:9092: Address already in use."


def test_an_error_without_an_exception_is_told_by_its_text() -> None:
    assert last_error(["[2026-01-01T10:00:01,000] FATAL No meta.properties (kafka.Kafka$)"]) == "No meta.properties"


def test_a_log_without_errors_has_no_last_error() -> None:
    assert last_error(["[2026-01-01T10:00:01,000] INFO fine (x)", "java.lang.Error: no"]) is None


def test_the_last_words_come_from_the_log_else_from_the_console(tmp_path: Path) -> None:
    log, console = tmp_path / "broker.log", tmp_path / "console.log"
    assert last_words(log, console) == "it said nothing"
    console.write_text("Error: Could not create the Java Virtual Machine.\n\n", encoding="utf-8")
    assert last_words(log, console) == "Error: Could not create the Java Virtual Machine."
    log.write_text("\n".join(FATAL), encoding="utf-8")
    assert last_words(log, console).startswith("Failed to bind")


def test_errors_of_earlier_runs_do_not_count_unless_the_log_was_rolled(tmp_path: Path) -> None:
    log, console = tmp_path / "broker.log", tmp_path / "console.log"
    log.write_text("[2026] ERROR old (k)\n", encoding="utf-8")
    assert last_words(log, console, log.stat().st_size) == "it said nothing"
    assert last_words(log, console, 10_000) == "old"


def test_a_full_disk_is_recognised() -> None:
    assert is_full_disk("java.io.IOException: No space left on device")
    assert not is_full_disk("Address already in use")
