"""The note of a running broker, and who reads it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from kafka_saga.local.processes import sight
from kafka_saga.local.record import Running, default_bootstrap, live_record, read_record, record_path, write_record


def running(mark: str | None = None) -> Running:
    """Return a record of this very process, or of one that is gone."""
    seen = sight(os.getpid())
    assert seen is not None
    return Running(
        pid=os.getpid(),
        mark=mark or seen.mark,
        bootstrap="127.0.0.1:9099",
        version="4.3.0",
        cluster_id="c",
        since=datetime(2026, 1, 1, tzinfo=UTC),
    )


def written(home: Path, record: Running) -> Path:
    path = record_path(home)
    path.parent.mkdir(parents=True)
    write_record(path, record)
    return path


def test_a_record_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path, running())
    assert read_record(path) == live_record(path) == running()


def test_a_record_of_a_process_that_is_gone_is_stale(tmp_path: Path) -> None:
    path = written(tmp_path, running("before the reboot:1"))
    assert read_record(path) is not None
    assert live_record(path) is None


def test_no_record_or_half_a_record_is_none(tmp_path: Path) -> None:
    assert live_record(tmp_path / "none") is None
    (tmp_path / "half").write_text('{"pid": 1', encoding="utf-8")
    assert live_record(tmp_path / "half") is None


def test_kafka_is_where_the_environment_says_else_where_ours_runs_else_at_the_default(tmp_path: Path) -> None:
    home = {"SAGA_HOME": str(tmp_path)}
    assert default_bootstrap(home) == "127.0.0.1:9092"
    path = written(tmp_path, running())
    assert default_bootstrap(home) == "127.0.0.1:9099"
    assert default_bootstrap(home | {"SAGA_BOOTSTRAP_SERVERS": "kafka:1"}) == "kafka:1"
    write_record(path, running("gone"))
    assert default_bootstrap(home) == "127.0.0.1:9092"
