"""Times, durations, lists and other people's words, as a sentence has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from kafka_saga.wire.wording import length

_LONGEST = 120


def moment(at: int, now: int) -> str:
    """A time of day, with its date if that is not today's."""
    then = datetime.fromtimestamp(at / 1000, UTC)
    is_today = then.date() == datetime.fromtimestamp(now / 1000, UTC).date()
    return then.strftime("%H:%M:%S UTC" if is_today else "%Y-%m-%d %H:%M:%S UTC")


def since(at: int, now: int) -> str:
    """`since 12:00:00 UTC, 4 min ago`."""
    return f"since {moment(at, now)}, {length(now - at)} ago"


def ahead(at: int, now: int) -> str:
    """`at 12:00:00 UTC, in 4 min`; of what should have been by now, `at 12:00:00 UTC, 4 min ago`."""
    distance = f"in {length(at - now)}" if at >= now else f"{length(now - at)} ago"
    return f"at {moment(at, now)}, {distance}"


def brief(text: str) -> str:
    """Somebody's words on one line, cut where they are long, without the last full stop."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3].rstrip()}..."


def because(text: str | None) -> str:
    """`: the reason`, or nothing if none was given."""
    return f": {brief(text)}" if text and text.strip() else ""


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def both(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def steps(names: Sequence[str]) -> str:
    """`step a`, `steps a and b`."""
    return f"step{'s' if len(names) > 1 else ''} {both(names)}"


def first_of(names: Sequence[str]) -> str:
    """`a`, `a (and 2 more)`."""
    return names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more)"


def typed(commands: Sequence[str]) -> str:
    """Commands to choose from: `saga retry | skip`, in backquotes."""
    return f"`saga {' | '.join(commands)}`"
