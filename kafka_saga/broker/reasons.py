"""What went wrong, as text that every header, report and terminal can carry."""

from __future__ import annotations

import math
import re

MAX_REASON = 10_000
"""Characters of a reason in a report."""

MAX_RETRY_AFTER = 30 * 24 * 3600
"""Seconds; a longer wait would outlive the records it is about."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def sound(reason: object, most: int = MAX_REASON) -> str:
    """What a handler or a library says, whatever it is: surrogates escaped, control characters replaced, bounded."""
    try:
        text = reason if isinstance(reason, str) else str(reason)
    except Exception:  # an exception's own __str__ may raise
        text = f"a {type(reason).__name__} that cannot be printed"
    short = text if len(text) <= most else text[: most - 1] + "…"
    return _UNPRINTABLE.sub("�", short.encode(errors="backslashreplace").decode())


def milliseconds(seconds: object) -> int | None:
    """A wait that a handler asks for, in seconds; none for none, and for what is no number."""
    if not isinstance(seconds, int | float) or math.isnan(seconds):
        return None
    return round(min(max(0.0, seconds), MAX_RETRY_AFTER) * 1000)
