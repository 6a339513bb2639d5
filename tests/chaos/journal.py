"""What handlers do to the world outside Kafka: one line when one begins, one when it has taken effect."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from kafka_saga.engine.context import Context

FILE = "CHAOS_JOURNAL"
"""Environment variable: the file that handlers write to."""


class What(StrEnum):
    """What a handler has come to."""

    BEGUN = "begun"
    DONE = "done"


class Deed(NamedTuple):
    """One line; `at` is milliseconds UTC, `key` what the outside would tell repetitions by."""

    what: What
    at: int
    pid: int
    key: str
    saga: str
    step: str
    undoes: bool


def note(what: What, context: Context) -> None:
    """Write a line, whole: appends of this size do not mix, and outlive a process that is killed."""
    deed = Deed(
        what,
        time.time_ns() // 1_000_000,
        os.getpid(),
        context.idempotency_key,
        context.saga_id,
        context.step,
        context.compensating,
    )
    file = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, (json.dumps(deed) + "\n").encode())
    finally:
        os.close(file)


def deeds(file: Path) -> Iterator[Deed]:
    """Everything that handlers have written down, in order."""
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            what, *rest = json.loads(line)
            yield Deed(What(what), *rest)
