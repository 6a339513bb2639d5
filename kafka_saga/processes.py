"""The framework's own processes, for an application: the tracker, the views, the console.

What only one of them needs is imported for that one. Where its extra is not installed, a sentence says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kafka_saga.app import App
from kafka_saga.errors import UnavailableError
from kafka_saga.extras import needing


def run_tracker(app: App) -> None:
    """Be the tracker until told to stop."""
    from kafka_saga.tracker.process import run  # noqa: PLC0415

    run(app)


def run_views(app: App) -> None:
    """Be a worker of the tracker's tables, with the HTTP API, until told to stop."""
    with _or_exit("views", "The HTTP API"):
        from kafka_saga.views.process import run  # noqa: PLC0415
    run(app)


def run_console(app: App) -> None:
    """Be the web console until told to stop."""
    with _or_exit("console", "The web console"):
        from kafka_saga.console.process import run  # noqa: PLC0415
    run(app)


@contextmanager
def _or_exit(name: str, part: str) -> Iterator[None]:
    """Import a process, whose extra has its name; without the extra, exit with 1 and a sentence."""
    try:
        with needing(name, part):
            yield
    except UnavailableError as error:
        sys.exit(f"{name}: {error}")
