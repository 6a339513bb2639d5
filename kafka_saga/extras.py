"""Extras of the distribution: packages that one part of the framework needs, and what is said if they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka_saga.errors import UnavailableError


@contextmanager
def needing(extra: str, part: str, otherwise: str = "") -> Iterator[None]:
    """Import inside what a part of the framework needs.

    Raises UnavailableError if a package is missing, with what to install, or else to do.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"", "kafka_saga"}:  # no package, but a fault of ours
            raise
        raise UnavailableError(
            f"{part} needs the `{extra}` extra, which is not installed: run `pip install 'kafka-saga[{extra}]'`"
            f"{f', or {otherwise}' if otherwise else ''}."
        ) from error
