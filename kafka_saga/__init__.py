"""Choreographed sagas on Kafka: exactly once, tracked, explained.

What stands here is the public interface (docs/api-policy.md), with `kafka_saga.testing`. Each name is loaded when it
is first asked for, so that a module of definitions loads no more than it uses, and nothing of Kafka.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kafka_saga.app import App, Command, Link, Page
    from kafka_saga.definition.durations import days, hours, milliseconds, minutes, seconds
    from kafka_saga.definition.model import (
        CANCELLED,
        COMPLETED,
        FAILED,
        EndStatus,
        OnCancel,
        OnConflict,
        OnFailure,
        Retry,
        Saga,
        Step,
    )
    from kafka_saga.engine.blob_store import BlobStore
    from kafka_saga.engine.context import Context
    from kafka_saga.errors import ChoreographyError, RetryableError, TerminalError, TopologyError
    from kafka_saga.events.blob import BlobRef
    from kafka_saga.events.event import Event, Value
    from kafka_saga.worker.service import Handler, Service

__all__ = [
    "CANCELLED",
    "COMPLETED",
    "FAILED",
    "App",
    "BlobRef",
    "BlobStore",
    "ChoreographyError",
    "Command",
    "Context",
    "EndStatus",
    "Event",
    "Handler",
    "Link",
    "OnCancel",
    "OnConflict",
    "OnFailure",
    "Page",
    "Retry",
    "RetryableError",
    "Saga",
    "Service",
    "Step",
    "TerminalError",
    "TopologyError",
    "Value",
    "days",
    "hours",
    "milliseconds",
    "minutes",
    "seconds",
]

_NAMES = MappingProxyType(
    {
        "app": ("App", "Command", "Link", "Page"),
        "definition.durations": ("days", "hours", "milliseconds", "minutes", "seconds"),
        "definition.model": (
            *("CANCELLED", "COMPLETED", "FAILED", "EndStatus"),
            *("OnCancel", "OnConflict", "OnFailure", "Retry", "Saga", "Step"),
        ),
        "engine.blob_store": ("BlobStore",),
        "engine.context": ("Context",),
        "errors": ("ChoreographyError", "RetryableError", "TerminalError", "TopologyError"),
        "events.blob": ("BlobRef",),
        "events.event": ("Event", "Value"),
        "worker.service": ("Handler", "Service"),
    }
)
"""The public names by the module that defines them."""

_MODULES = MappingProxyType({name: module for module, names in _NAMES.items() for name in names})


if not TYPE_CHECKING:  # which would take any name for one that is there

    def __getattr__(name: str) -> object:
        """Load a public name (PEP 562); it stays, so that this is asked once."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
