"""Durations, times, counts and statuses as people read them: pure functions from values to words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum

from kafka_saga import statuses
from kafka_saga.statuses import meaning_of
from kafka_saga.wire.wording import length

# Control characters, separators, marks that reorder or hide text on a screen, and lone surrogates.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


_SCOPES = {"definition": "the definition", "step": "the step", "prefix": "keys that begin with"}


def scoped(scope: str) -> str:
    """A scope as people say it: `the step order/payment`, `keys that begin with acme/`."""
    kind, _, name = scope.partition(":")
    return f"{_SCOPES[kind]} {visible(name)}" if kind in _SCOPES else visible(scope)


def visible(text: str) -> str:
    """`text` with everything that hides or reorders text shown by its number: `⟨U+202E⟩`."""
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def duration(milliseconds: int | None) -> str:
    """A duration in an answer; nothing for none."""
    return "" if milliseconds is None else length(milliseconds)


def moment(at: str | None) -> str:
    """A time in an answer, as date and time of day, UTC."""
    then = parsed(at)
    return at or "" if then is None else f"{then:%Y-%m-%d %H:%M:%S} UTC"


def clock(at: str | None) -> str:
    """A time in an answer, as time of day with milliseconds, UTC."""
    then = parsed(at)
    return at or "" if then is None else f"{then:%H:%M:%S}.{then.microsecond // 1000:03d}"


def since(at: str | None, now: datetime) -> str:
    """How long ago that was."""
    then = parsed(at)
    return "" if then is None else length(round((now - then).total_seconds() * 1000))


def parsed(at: str | None) -> datetime | None:
    """A time in an answer, if it is one."""
    try:
        return datetime.fromisoformat(at).astimezone(UTC) if at else None
    except ValueError:
        return None


def number(count: int) -> str:
    """A count with separators."""
    return f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 saga`, `12 sagas`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def plain(name: str) -> str:
    """A name of the API as a word: `will_run` is `will run`."""
    return name.replace("_", " ")


class WordTone(StrEnum):
    """The colour of a status where it is a word, which always stands beside it."""

    CALM = "calm"
    WORK = "work"
    GOOD = "good"
    HELD = "held"
    WARN = "warn"
    UNDO = "undo"
    BAD = "bad"


_TONES = {
    WordTone.WORK: ("partial",),
    WordTone.GOOD: ("completed", "happened", "ready"),
    WordTone.HELD: ("paused", "pausing"),
    WordTone.WARN: ("restoring", "incomplete"),
    WordTone.UNDO: ("cancelling",),
}
_CALM = frozenset({statuses.Tone.AHEAD, statuses.Tone.OFF})
_BY_WORD = {word: tone for tone, words in _TONES.items() for word in words}


def tone(status: str) -> str:
    """The tone of a status; of an unknown one, calm."""
    meaning = meaning_of(status)
    if meaning is None:
        return _BY_WORD.get(status, WordTone.CALM).value
    return (WordTone.CALM if meaning.tone in _CALM else WordTone(meaning.tone.value)).value


_MARKS = {
    "unknown": "ring",
    "completed": "check", "happened": "check", "ready": "check",
    "paused": "pause", "pausing": "pause",
    "cancelling": "back",
    "cancelled": "stop",
}  # fmt: skip


def mark(status: str) -> str:
    """The name of a status's icon."""
    meaning = meaning_of(status)
    return _MARKS.get(status, "dot") if meaning is None else meaning.icon.value
