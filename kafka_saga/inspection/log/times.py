"""Points in time as both kinds of clients get them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> int:
    """Milliseconds UTC, by this machine's clock."""
    return round(time.time() * 1000)


def instant(text: str) -> int:
    """A point in time in RFC 3339 as milliseconds UTC. Raises ValueError if it is none."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def iso(at: int | None) -> str | None:
    """A point in time (milliseconds UTC) as RFC 3339, none if there is none."""
    return None if at is None else stamp(at)


def stamp(at: int) -> str:
    """A point in time (milliseconds UTC) as RFC 3339."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
