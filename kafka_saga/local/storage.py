"""The broker's data folder: formatted once, as a whole or not at all."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kafka_saga.errors import UnavailableError
from kafka_saga.local.configuration import Listeners, jvm_command, render, server_properties
from kafka_saga.local.distribution import Distribution
from kafka_saga.local.files import full_disk
from kafka_saga.local.logs import is_full_disk, last_words
from kafka_saga.local.pins import KAFKA_VERSION

_PORTS_DO_NOT_MATTER = Listeners(broker=1, controller=2)
_FORMAT_SECONDS = 60
_LEAST_FREE = 256 * 1024


@dataclass(frozen=True)
class Storage:
    """Folders of one embedded Kafka under `root`."""

    root: Path

    @property
    def data(self) -> Path:
        """The records."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """The broker's log."""
        return self.root / "logs" / "broker.log"

    @property
    def console(self) -> Path:
        """What the JVM prints."""
        return self.root / "logs" / "console.log"

    @property
    def properties(self) -> Path:
        """What the broker was last started with."""
        return self.root / "server.properties"

    def cluster_id(self) -> str | None:
        """Id of the cluster that the data belongs to; None when not formatted yet."""
        try:
            lines = (self.data / "meta.properties").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        return next((line.partition("=")[2] for line in lines if line.startswith("cluster.id=")), None)

    def log_size(self) -> int:
        """Bytes in the broker's log."""
        return self.log.stat().st_size if self.log.exists() else 0

    def delete_data(self) -> None:
        """Forget every record."""
        if self.data.exists():
            shutil.rmtree(self.data)


def ensure_formatted(storage: Storage, distribution: Distribution) -> str:
    """Format the data folder unless it is; return its cluster id."""
    if found := storage.cluster_id():
        return found
    # aside and then renamed: whoever is killed here leaves no half-formatted folder
    aside, settings = storage.data.with_name("data.formatting"), storage.root / "format.properties"
    shutil.rmtree(aside, ignore_errors=True)
    settings.write_text(render(server_properties(aside, _PORTS_DO_NOT_MATTER)), encoding="utf-8")
    cluster = new_cluster_id()
    _run_format(storage, distribution, "--cluster-id=" + cluster, "-c", str(settings))
    settings.unlink()
    storage.delete_data()
    aside.rename(storage.data)
    return cluster


def _run_format(storage: Storage, distribution: Distribution, *arguments: str) -> None:
    storage.log.parent.mkdir(parents=True, exist_ok=True)
    command = jvm_command(distribution.java, storage.log, 128, "kafka.tools.StorageTool", "format", *arguments)
    said = storage.log_size()
    with storage.console.open("wb") as console, suppress(subprocess.TimeoutExpired):
        ended = subprocess.run(
            command,
            env=os.environ | {"CLASSPATH": distribution.class_path},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            timeout=_FORMAT_SECONDS,
            check=False,
        )
        if ended.returncode == 0:
            return
    raise broker_ended(storage, said, "preparing its data folder")


def broker_ended(storage: Storage, said: int, while_doing: str) -> UnavailableError:
    """Say why the broker's process ended, from its log after the first `said` bytes, which are of earlier runs."""
    words = last_words(storage.log, storage.console, said)
    # on a full disk the log may end before it says so
    if is_full_disk(words) or shutil.disk_usage(storage.root).free < _LEAST_FREE:
        return full_disk(storage.root)
    if "Can't read version" in words:
        return UnavailableError(
            f"The records in {storage.data} were written by a later Kafka than {KAFKA_VERSION}, which cannot read them:"
            " start with --fresh to delete them, or set SAGA_HOME to another folder."
        )
    return UnavailableError(f"Kafka ended while {while_doing}: {words.rstrip('.')}. Its log: {storage.log}")


def new_cluster_id() -> str:
    """Return a random id in Kafka's form: 16 bytes in URL-safe base64 without padding, 22 characters."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
