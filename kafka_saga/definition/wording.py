"""How durations are said to people: `1 min 30 s`, `7 d`."""

from __future__ import annotations

from datetime import timedelta

_UNITS = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
)


def duration(length: timedelta) -> str:
    """`length` in the largest units that fit, seconds last: `1 h`, `1 min 30 s`, `0.5 s`."""
    if length < timedelta(0):
        return f"-{duration(-length)}"
    parts: list[str] = []
    for unit, sign in _UNITS:
        count, length = divmod(length, unit)
        parts += [f"{count} {sign}"] if count else []
    if length or not parts:
        parts.append(f"{length.total_seconds():g} s")
    return " ".join(parts)


def listed(names: tuple[str, ...]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
