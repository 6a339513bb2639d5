"""File names as diffs spell them: quoted like C strings, with prefixes, with timestamps."""

from __future__ import annotations

import re
from collections.abc import Iterator

DEV_NULL = b"/dev/null"

_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NAMED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


def unquote(text: str) -> bytes:
    """The name that `text` stands for: git and GNU diff quote names with special bytes (`"a/\\303\\244.txt"`)."""
    quoted = _QUOTED.fullmatch(text)
    raw = (text if quoted is None else quoted[1]).encode("utf-8", "replace")
    return raw if quoted is None else _ESCAPE.sub(_unescaped, raw)


def header_name(text: str) -> bytes:
    """The name on a `---` or `+++` line, whose timestamp follows a tab."""
    return unquote(text.split("\t", 1)[0].removesuffix("\r"))


def git_names(text: str) -> tuple[bytes, bytes] | None:
    """Both names after `diff --git`, without their prefixes; none if only the lines that follow can tell.

    The two names of a file that was not renamed differ in their prefix only, which tells where a name with spaces ends.
    """
    for old, new in _splits(text):
        if old == new:
            return old, new
        if b"/" in old and b"/" in new and without_prefix(old) == without_prefix(new):
            return without_prefix(old), without_prefix(new)
    return None


def plain_names(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Both names of a diff without git header, without a first folder that only tells before from after."""
    if DEV_NULL in {old, new}:
        return _without(old, b"a/"), _without(new, b"b/")
    (old_top, _, old_rest), (new_top, _, new_rest) = old.partition(b"/"), new.partition(b"/")
    if old_top != new_top and old_rest and old_rest == new_rest:
        return old_rest, new_rest
    return old, new


def without_prefix(name: bytes) -> bytes:
    """`name` without its first folder."""
    return name.partition(b"/")[2]


def _splits(text: str) -> Iterator[tuple[bytes, bytes]]:
    if (quoted := _QUOTED.match(text)) is not None:
        yield unquote(quoted[0]), unquote(text[quoted.end() :].removeprefix(" "))
        return
    if text.endswith('"') and (start := text.find(' "')) >= 0:
        yield unquote(text[:start]), unquote(text[start + 1 :])
        return
    # Prefixes are nearly always of one length, which puts the space in the middle.
    middle = len(text) // 2
    places = (found.start() for found in re.finditer(" ", text))
    for at in sorted(places, key=lambda place: abs(place - middle))[:8]:
        yield unquote(text[:at]), unquote(text[at + 1 :])


def _without(name: bytes, prefix: bytes) -> bytes:
    return name.removeprefix(prefix)


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _NAMED.get(code, code)
