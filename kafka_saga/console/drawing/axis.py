"""A time axis: where its ticks are and what they say, from milliseconds to years."""

from __future__ import annotations

from dataclasses import dataclass

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(base * 10**power for power in range(3) for base in (1, 2, 5)),
    *(_SECOND * count for count in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
    *(_DAY * count for count in (1, 2, 7, 14, 30, 90, 180, 365, 730, 3650, 36_500, 365_000)),
)
_UNITS = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (_SECOND, "s"), (1, "ms"))


@dataclass(frozen=True, slots=True)
class Axis:
    """From `start`, milliseconds, over `length` milliseconds, drawn from `left` on over `room` pixels."""

    start: int
    length: int
    left: float
    room: float

    def x(self, at: int) -> float:
        """Where a time is; never outside."""
        share = (at - self.start) / self.length
        return self.left + self.room * min(1.0, max(0.0, share))

    def ticks(self, apart: float) -> tuple[tuple[float, str], ...]:
        """Where ticks are, at least `apart` pixels from one another, and what they say: the time since the start."""
        step = next((one for one in _STEPS if one * self.room / self.length >= apart), self.length)
        return tuple((self.x(self.start + at), tick(at)) for at in range(0, self.length + 1, step))


def tick(milliseconds: int) -> str:
    """A duration exactly, in at most two units: `1 min 30 s`, `250 ms`, `1.5 s`; `0` for nothing."""
    if milliseconds == 0:
        return "0"
    if _SECOND < milliseconds < _MINUTE and milliseconds % _SECOND:
        return f"{milliseconds / _SECOND:g} s"
    unit, name = next((unit, name) for unit, name in _UNITS if milliseconds >= unit)
    whole, rest = divmod(milliseconds, unit)
    small = next(((one, said) for one, said in _UNITS if rest >= one), None)
    return f"{whole} {name}" + ("" if small is None else f" {rest // small[0]} {small[1]}")
