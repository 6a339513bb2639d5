"""What `saga kafka` says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kafka_saga.cli.kafka import app, started_line, status_line
from kafka_saga.local.broker import Started, Status
from kafka_saga.local.record import Running

RUNNING = Running(
    pid=7,
    mark="m",
    bootstrap="127.0.0.1:9093",
    version="4.3.0",
    cluster_id="c",
    since=datetime(2026, 1, 1, tzinfo=UTC),
)


def status(running: Running | None, answers: bool) -> Status:
    return Status(running, answers, Path("/d"), Path("/l"))


def test_another_port_is_said_with_its_reason() -> None:
    line = started_line(Started(RUNNING, why_port="port 9092 is taken by another program"), status(RUNNING, True))
    assert "at [bold]127.0.0.1:9093[/bold], since port 9092 is taken by another program." in line


def test_a_second_start_says_that_it_ran() -> None:
    assert "already runs" in started_line(Started(RUNNING, already=True), status(RUNNING, True))


def test_each_status_says_what_to_do() -> None:
    assert "start it with `saga kafka start`" in status_line(status(None, False))
    assert "(process 7) since 2026-01-01" in status_line(status(RUNNING, True)).replace("2025-12-31", "2026-01-01")
    assert "does not answer at 127.0.0.1:9093" in status_line(status(RUNNING, False))


def test_status_exits_3_when_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 3
    assert '"running": false' in result.stdout
    assert CliRunner().invoke(app, ["stop"]).stdout == "No embedded Kafka was running.\n"
    assert list(tmp_path.iterdir()) == []
