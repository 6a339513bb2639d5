"""The note that a running `saga up` leaves for `saga status`, `saga down` and a second `saga up`."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from kafka_saga.errors import UnavailableError
from kafka_saga.local.files import write_atomically
from kafka_saga.local.processes import ChildProcess
from kafka_saga.worker.paths import saga_home


class ServiceStatus(StrEnum):
    """How a supervised service stands; `waiting` is running but not ready, for the reasons it gives."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"
    RESTARTING = "restarting"
    STOPPED = "stopped"


class ServiceSeen(BaseModel):
    """One service as its supervisor last saw it."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: ServiceStatus
    pid: int | None = None
    port: int | None = None
    restarts: int = 0
    reasons: tuple[str, ...] = ()
    last_end: str | None = None
    log: str


class UpRecord(BaseModel):
    """A `saga up`: its process, its Kafka, its services."""

    model_config = ConfigDict(frozen=True)

    pid: int
    mark: str
    since: datetime
    bootstrap: str
    has_own_kafka: bool = False
    console: str | None = None
    services: tuple[ServiceSeen, ...] = ()

    @property
    def process(self) -> ChildProcess:
        """The supervisor's process."""
        return ChildProcess(self.pid, self.mark)

    @property
    def is_ready(self) -> bool:
        """Whether every service is ready."""
        return bool(self.services) and all(service.status is ServiceStatus.READY for service in self.services)


def up_folder(home: Path) -> Path:
    """Where the note and the lock lie under a saga home."""
    return home / "up"


def logs_folder(home: Path) -> Path:
    """Where the services' logs lie under a saga home."""
    return home / "logs"


def write_up(home: Path, record: UpRecord) -> None:
    """Leave the note."""
    write_atomically(up_folder(home) / "running.json", record.model_dump_json(indent=1) + "\n")


def remove_up(home: Path) -> None:
    """Take the note away."""
    (up_folder(home) / "running.json").unlink(missing_ok=True)


def live_up(home: Path) -> UpRecord | None:
    """The note of a `saga up` whose process lives; none if there is none, or it was killed."""
    try:
        record = UpRecord.model_validate_json((up_folder(home) / "running.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return record if record.process.is_alive() else None


@contextmanager
def the_only_one(home: Path) -> Iterator[None]:
    """Be the only `saga up` of this home. Raises UnavailableError that says who is.

    The kernel releases the lock when its holder dies, so it is never stale.
    """
    lock = up_folder(home) / "lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnavailableError(_taken(live_up(home))) from None
        yield


def _taken(running: UpRecord | None) -> str:
    if running is None:
        return "`saga up` is just starting or stopping in another process: see `saga status`."
    where = f"process {running.pid}, Kafka at {running.bootstrap}"
    return f"`saga up` runs already ({where}): see `saga status`, or stop it with `saga down`."


def said_by_services(bootstrap: str) -> Mapping[str, Sequence[str]]:
    """Why each service of a `saga up` on this Kafka is not ready, by name; nothing if there is none."""
    record = live_up(saga_home())
    if record is None or record.bootstrap != bootstrap:
        return {}
    return {service.name: service.reasons for service in record.services}
