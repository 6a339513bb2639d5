"""`saga tracker`, `saga views`, `saga console`: the framework's processes, bound to the application that is named."""

from __future__ import annotations

from kafka_saga.app import current_app
from kafka_saga.processes import run_console, run_tracker, run_views


def tracker() -> None:
    """Be the tracker until told to stop: it follows the application's definitions, or those of $SAGA_DEFINITIONS."""
    run_tracker(current_app())


def views() -> None:
    """Be a worker of the tracker's tables, with the HTTP API, until told to stop."""
    run_views(current_app())


def console() -> None:
    """Be the web console until told to stop."""
    run_console(current_app())
