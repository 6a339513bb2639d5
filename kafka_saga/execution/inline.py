"""Calling a plain function as a handler: whatever it does, there is a result."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Raised, Result, Returned
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.event import Event

MAX_TRACEBACK = 4_000
"""Characters of a traceback in a report."""


def run_inline(handler: Callable[..., Any], event: Event, context: Context) -> Result:
    """Call a plain function."""
    try:
        return Returned(handler(event, context))
    except (Exception, SystemExit) as error:  # a handler may raise anything; it becomes a report
        return raised(error)


def raised(error: BaseException) -> Raised:
    """The result of a handler that raised; foreseen errors need no traceback."""
    if isinstance(error, RetryableError | TerminalError):
        return Raised(error)
    text = "".join(traceback.format_exception(error))
    return Raised(error, text if len(text) <= MAX_TRACEBACK else "…" + text[-MAX_TRACEBACK:])
