"""How much room text takes: estimated generously, since a server has no fonts."""

from __future__ import annotations

import unicodedata
from functools import cache

from kafka_saga.console.words import visible

_NARROW = frozenset("iljtfrI.,:;'|!()[] ")
_BROAD = frozenset("mwMWQO@%&—…→<>=+~⟨⟩")
_NO_WIDTH = frozenset({"Mn", "Me"})

ELLIPSIS = "…"


def width(text: str, size: float) -> float:
    """Pixels at a font size of `size` pixels, of what is shown of `text`."""
    return sum(map(_ems, visible(text))) * size


def fitted(text: str, room: float, size: float) -> str:
    """`text`, or its beginning and an ellipsis, so that it takes at most `room` pixels."""
    seen = visible(text)
    if width(seen, size) <= room:
        return seen
    used, room = 0.0, room - width(ELLIPSIS, size)
    for at, sign in enumerate(seen):
        used += _ems(sign) * size
        if used > room:
            return seen[:at].rstrip() + ELLIPSIS
    return seen


def wrapped(text: str, room: float, size: float, lines: int) -> tuple[str, ...]:
    """`text` broken at spaces into at most `lines` lines of at most `room` pixels; what is too much is left out."""
    rest = visible(text).split()
    found: list[str] = []
    while rest and len(found) < lines - 1:
        count = _words_that_fit(rest, room, size)
        found.append(fitted(" ".join(rest[:count]), room, size))
        rest = rest[count:]
    return (*found, fitted(" ".join(rest), room, size)) if rest else tuple(found)


def _words_that_fit(words: list[str], room: float, size: float) -> int:
    return max((n for n in range(1, len(words) + 1) if width(" ".join(words[:n]), size) <= room), default=1)


@cache
def _ems(sign: str) -> float:
    if unicodedata.category(sign) in _NO_WIDTH:
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.05
    if sign in _NARROW:
        return 0.36
    if sign in _BROAD:
        return 0.95
    return 0.72 if sign.isupper() else 0.6
