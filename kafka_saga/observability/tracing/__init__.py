"""Spans of what a worker does: one trace is one saga. Nothing of OpenTelemetry is imported unless spans go somewhere.

The identity of a span that writes an event is in the event's `traceparent`, which is made from ids alone: whoever
works on the event makes its span a child of it, whether or not anything was traced where the event came from.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from kafka_saga.engine.work import Batch, Delivery, Result
from kafka_saga.extras import needing
from kafka_saga.observability.tracing.exporters import Exporter


class Tracing(Protocol):
    """What a worker tells about its deliveries. Nothing here waits for anybody, but `close`."""

    def running(self, delivery: Delivery) -> AbstractContextManager[None]:
        """The delivery's handler is started inside: what it starts in turn belongs to its span."""

    def ended(self, delivery: Delivery, result: Result) -> None:
        """The handler has come to this."""

    def given_up(self, delivery: Delivery) -> None:
        """Nobody waits for the handler any more."""

    def committed(self, batch: Batch, seconds: float) -> None:
        """This is on the log; committing took so long."""

    def close(self) -> None:
        """Send what has not been sent, for a few seconds at most."""


def tracing_to(exporter: Exporter, service: str) -> Tracing | None:
    """Tracing of the process that is this service; none if its spans go nowhere.

    Raises UnavailableError if they go somewhere, and OpenTelemetry is not installed.
    """
    if exporter is Exporter.NONE:
        return None
    with needing("tracing", "Sending spans", "set SAGA_TRACING=none"):
        from kafka_saga.observability.tracing.exporting import exporting  # noqa: PLC0415  # costs 30 MB, half a second

    return exporting(exporter, service)
