"""Paths as data: how to print one that came from outside, and whether it is safe to name a file by it."""

from __future__ import annotations

import re
import unicodedata

MAX_PATH_BYTES = 1024

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
# HFS+ ignores these when it compares names, so `.g<U+200C>it` is `.git` there (git: utf8.c, next_hfs_char).
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_DRIVE = re.compile(r"[A-Za-z]:")
_NAMED_ESCAPES = {0x07: "\\a", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0C: "\\f", 0x0D: "\\r"}


def printable(raw: bytes) -> str:
    """`raw` as one line of text, at most about 1,024 characters.

    What cannot be printed is escaped and the whole put in quotes, as git does (`"a\\001b"`).
    """
    text = raw.decode("utf-8", "surrogateescape")
    if any(map(_is_unprintable, text)):
        text = f'"{"".join(map(_escaped, text))}"'
    return text if len(text) <= MAX_PATH_BYTES else f"{text[: MAX_PATH_BYTES - 1]}…"


def path_problem(raw: bytes) -> str | None:
    """Why no file may be named by `raw` (a path relative to the repository), or none if it may."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return "the path is not UTF-8"
    if any(map(_is_unprintable, text)):
        return "the path has control characters"
    if len(raw) > MAX_PATH_BYTES:
        return f"the path is longer than {MAX_PATH_BYTES:,} bytes"
    return _escape_problem(text)


def _escape_problem(text: str) -> str | None:
    if text.startswith(("/", "\\")) or _DRIVE.match(text):
        return "the path is absolute"
    parts = re.split(r"[/\\]", text)
    if ".." in parts:
        return "the path leaves the repository"
    if any(map(_is_dot_git, parts)):
        return "the path is inside .git"
    if "" in parts or "." in parts:
        return "the path is not in normal form"
    return None


def _is_dot_git(part: str) -> bool:
    name = _IGNORED_BY_HFS.sub("", part).casefold().split(":")[0].rstrip(". ")
    return name in {".git", "git~1"}


def _is_unprintable(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in _UNPRINTABLE


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if not _is_unprintable(character):
        return character
    return "".join(_NAMED_ESCAPES.get(byte, f"\\{byte:03o}") for byte in character.encode("utf-8", "surrogateescape"))
