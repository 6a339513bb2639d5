"""Logs as JSON lines on standard error: time, level, logger, message, and saga_id, step, attempt where known."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

import msgspec

from kafka_saga.wire.envelope import rfc3339

CLIENT_PAUSE = 10.0
"""Seconds between two lines of the Kafka client."""

FIELDS = ("saga_id", "step", "attempt", "record")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; a traceback is one field."""
        line: dict[str, object] = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update((name, value) for name in FIELDS if (value := getattr(record, name, "")))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class Seldom(logging.Filter):
    """Lets a line through every so often: while Kafka is away its client says so twenty times a second."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._now = now
        self._next = 0.0
        self._kept_back = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log this line; the next one that is says how many were not."""
        if self._now() < self._next:
            self._kept_back += 1
            return False
        if self._kept_back:
            record.msg, record.args = f"{record.getMessage()} (and {self._kept_back} lines like it before)", ()
        self._next, self._kept_back = self._now() + self._seconds, 0
        return True


def log_to_stderr(service: str, level: str) -> None:
    """Send every log line of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("saga.librdkafka").addFilter(Seldom(CLIENT_PAUSE))
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
