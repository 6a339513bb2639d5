"""Words that everything says alike."""

from __future__ import annotations


def length(milliseconds: int) -> str:
    """A duration as people say it: `340 ms`, `4.2 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    seconds = max(0, milliseconds) / 1000
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
