"""How a worker's stream is, as sentences: what keeps it from answering, and what it has ended of."""

from __future__ import annotations

import asyncio

from kafka_saga.views.answers import Answers
from kafka_saga.views.stream.app import ViewsApp


def why_not_ready(app: ViewsApp, answers: Answers) -> tuple[str, ...]:
    """What keeps this worker from answering for its partitions, and what it leaves out."""
    if not app.owners:
        return ("no partitions yet: the workers are sharing them out",)
    waiting = sorted(app.ours - answers.ready)
    return tuple(f"partition {number} waits: its table is being restored" for number in waiting)


def why_ended(app: ViewsApp, starting: asyncio.Future[None]) -> str | None:
    """What a stream has ended of; none if it runs."""
    failed = starting.exception() if starting.done() and not starting.cancelled() else None
    if (reason := app.crash_reason or failed) is not None:
        return f"{type(reason).__name__}: {reason}"
    return "it stopped by itself" if app.should_stop or starting.cancelled() else None
