"""Transactions without an end, by Kafka's own tool: found, and rolled back where they lie (KIP-664).

One is left where a broker loses a transaction's marker: its coordinator takes the transaction for ended, the partition
does not, and committed readers stand still before it for ever.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kafka_saga.errors import UnavailableError
from kafka_saga.local.configuration import jvm_command
from kafka_saga.local.distribution import Distribution

TOOL = "org.apache.kafka.tools.TransactionsCommand"

LEAST_MINUTES = 1
"""Minutes that a transaction has to be open to count: the tool takes no less, and no service of ours needs so long."""

_HEAP_MIB = 128
_SECONDS = 60
_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Hanging:
    """What a transaction without an end holds up: committed readers of a partition, from an offset on."""

    topic: str
    partition: int
    start: int
    producer: int
    minutes: int

    def __str__(self) -> str:
        where = f"{self.topic}[{self.partition}] from offset {self.start} on"
        return f"{where}, for {self.minutes} min (producer {self.producer})"


def find_hanging(distribution: Distribution, bootstrap: str, brokers: Iterable[int]) -> tuple[Hanging, ...]:
    """Every hanging transaction on the partitions that these brokers lead. Raises UnavailableError."""
    least = str(LEAST_MINUTES)
    return tuple(
        hanging
        for broker in brokers
        for hanging in parsed(
            _run(
                distribution, bootstrap, "find-hanging", "--broker-id", str(broker), "--max-transaction-timeout", least
            )
        )
    )


def abort(distribution: Distribution, bootstrap: str, hanging: Hanging) -> None:
    """Roll it back in its partition: committed readers go on behind it. Raises UnavailableError."""
    where = ("--topic", hanging.topic, "--partition", str(hanging.partition), "--start-offset", str(hanging.start))
    _run(distribution, bootstrap, "abort", *where)


def parsed(text: str) -> tuple[Hanging, ...]:
    """The tool's table: topic, partition, producer, its epoch, the coordinator's, start, last time, minutes."""
    rows = (line.split() for line in text.splitlines())
    return tuple(
        Hanging(row[0], int(row[1]), int(row[5]), int(row[2]), int(row[7]))
        for row in rows
        if len(row) == _COLUMNS and row[1].isdecimal()
    )


def by_hand(bootstrap: str) -> str:
    """What to type where Kafka's tools are at hand, and Kafka asks who one is."""
    tool = f"kafka-transactions.sh --bootstrap-server {bootstrap} --command-config client.properties"
    return f"`{tool} find-hanging --broker-id N`, then `abort --topic T --partition P --start-offset O`"


def _run(distribution: Distribution, bootstrap: str, *arguments: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        command = jvm_command(distribution.java, Path(folder) / "tool.log", _HEAP_MIB, TOOL, *_to(bootstrap, arguments))
        try:
            ended = subprocess.run(
                command,
                env=os.environ | {"CLASSPATH": distribution.class_path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"Kafka at {bootstrap} has not answered its own tool within {_SECONDS} s.") from None
    if ended.returncode:
        raise UnavailableError(f"Kafka's tool at {bootstrap} has failed: {_last_line(ended.stderr or ended.stdout)}")
    return ended.stdout


def _to(bootstrap: str, arguments: Sequence[str]) -> tuple[str, ...]:
    return ("--bootstrap-server", bootstrap, *arguments)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
