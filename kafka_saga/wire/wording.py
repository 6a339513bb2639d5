"""Words that everything says alike, and what may not stand in words of others."""

from __future__ import annotations

import re
import unicodedata

UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
"""What is not seen and changes what is: control characters, other line ends, and overrides of the direction of text."""

_MUTE = rf"\s{UNSEEN}\u00ad\u200b-\u200f\u2060-\u2064\ufeff"
"""What alone says nothing: space, and what is not seen of what may stand between letters."""

LINE_PATTERN = rf"^[^{UNSEEN}]*[^{_MUTE}][^{UNSEEN}]*$"
"""What `line` takes, as a regular expression of JSON Schema (ECMA-262)."""

PROSE_PATTERN = rf"^(?:[^{UNSEEN}]|[\t\n])*$"
"""What `prose` takes, as a regular expression of JSON Schema (ECMA-262)."""

_STRAY = re.compile(rf"[{UNSEEN}\ud800-\udfff]")
_SAYS = re.compile(rf"[^{_MUTE}]")


def line(text: str) -> str:
    """One line that says something, with nothing in it that is not seen. Raises ValueError that says what is wrong."""
    if not _SAYS.search(seen(text)):
        raise ValueError("is empty: give some text")
    return text


def prose(text: str) -> str:
    """Text of any number of lines, with nothing in it that is not seen. Raises ValueError that says what is wrong."""
    return seen(text, "\t\n")


def seen(text: str, allowed: str = "") -> str:
    """Text with nothing in it that is not seen, but what is `allowed`. Raises ValueError that says what is wrong."""
    for found in _STRAY.finditer(text):
        if found[0] not in allowed:
            name = unicodedata.name(found[0], "a control character" if found[0] < "\ud800" else "half of a character")
            raise ValueError(f"has U+{ord(found[0]):04X} ({name}) at character {found.start() + 1}: leave it out")
    return text


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
