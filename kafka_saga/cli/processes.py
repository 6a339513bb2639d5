"""`saga tracker`, `saga views`, `saga console`: the framework's processes, bound to the application that is named."""

from __future__ import annotations

from kafka_saga.app import current_app


def tracker() -> None:
    """Be the tracker until told to stop: it follows the application's definitions, or those of $SAGA_DEFINITIONS."""
    from kafka_saga.tracker.process import run  # noqa: PLC0415  # other commands do not pay for it

    run(current_app())


def views() -> None:
    """Be a worker of the tracker's tables, with the HTTP API, until told to stop."""
    from kafka_saga.views.process import run  # noqa: PLC0415  # other commands do not pay for it

    run(current_app())


def console() -> None:
    """Be the web console until told to stop."""
    from kafka_saga.console.process import run  # noqa: PLC0415  # other commands do not pay for it

    run(current_app())
