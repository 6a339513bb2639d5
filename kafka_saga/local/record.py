"""The note a running broker leaves for everybody else, running.json, and where Kafka is when nobody said."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from kafka_saga.local.files import write_atomically
from kafka_saga.local.ports import DEFAULT_PORT, HOST
from kafka_saga.local.processes import ChildProcess
from kafka_saga.worker.paths import saga_home


class Running(BaseModel):
    """A broker that was started: who it is, where it listens, since when."""

    model_config = ConfigDict(frozen=True)

    pid: int
    mark: str
    bootstrap: str
    version: str
    cluster_id: str
    since: datetime

    @property
    def process(self) -> ChildProcess:
        """Its process."""
        return ChildProcess(self.pid, self.mark)


def record_path(home: Path) -> Path:
    """Where the note lies under a saga home."""
    return home / "kafka" / "running.json"


def read_record(path: Path) -> Running | None:
    """Read the note; None when there is none that can be read."""
    try:
        return Running.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def live_record(path: Path) -> Running | None:
    """Read the note of a broker whose process lives; None when it was killed, or the machine was restarted."""
    record = read_record(path)
    return record if record and record.process.is_alive() else None


def write_record(path: Path, record: Running) -> None:
    """Leave the note."""
    write_atomically(path, record.model_dump_json(indent=1) + "\n")


def default_bootstrap(environment: Mapping[str, str] = os.environ) -> str:
    """Return `SAGA_BOOTSTRAP_SERVERS`, else where the running embedded Kafka listens, else 127.0.0.1:9092."""
    if chosen := environment.get("SAGA_BOOTSTRAP_SERVERS"):
        return chosen
    record = live_record(record_path(saga_home(environment)))
    return record.bootstrap if record else f"{HOST}:{DEFAULT_PORT}"
