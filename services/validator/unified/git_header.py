"""Reads one file of a diff that begins with `diff --git`."""

from __future__ import annotations

import hashlib
import re

from schemas.events.code_review import ChangeKind
from services.validator.unified.cursor import Cursor
from services.validator.unified.hunks import read_hunks
from services.validator.unified.model import FileDiff
from services.validator.unified.names import DEV_NULL, git_names, header_name, unquote, without_prefix

GIT = "diff --git "

# The extended header lines, git-diff(1), "Generating patch text with -p".
_FIELD = re.compile(
    r"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to"
    r"|similarity index|dissimilarity index|index) (.+?)\r?"
)
_MODE = re.compile(r"[0-7]{6}")
_PERCENT = re.compile(r"(\d{1,3})%")
_BINARY_PATCH = "GIT binary patch"
_BINARY_DATA = re.compile(r"(literal|delta) \d+|[A-Za-z][0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]+|")


def read_git_file(cursor: Cursor) -> FileDiff:
    """The file whose `diff --git` line comes next."""
    at = cursor.number
    named = git_names(cursor.next()[len(GIT) :].removesuffix("\r"))
    fields = _read_fields(cursor)
    names = _read_names(cursor)
    identity = _read_binary(cursor) if names is None else None
    hunks = read_hunks(cursor) if names is not None else ()
    old, new = _paths(cursor, at, named, fields, names)
    change = _change(fields, names)
    return FileDiff(
        line=at,
        path=old if change is ChangeKind.DELETED else new,
        change=change,
        old_path=old if change is ChangeKind.RENAMED else None,
        mode=_mode(cursor, fields),
        similarity=_similarity(fields) if change is ChangeKind.RENAMED else None,
        copied="copy to" in fields,
        binary=identity is not None,
        identity=f"{fields.get('index', '')} {identity or ''}",
        hunks=hunks,
    )


def binary_names(line: str) -> tuple[bytes, bytes] | None:
    """Both names of a line `Binary files OLD and NEW differ`, if it is one."""
    line = line.removesuffix("\r")
    if not (line.startswith("Binary files ") and line.endswith(" differ")):
        return None
    old, _, new = line[len("Binary files ") : -len(" differ")].rpartition(" and ")
    return header_name(old), header_name(new)


def _read_fields(cursor: Cursor) -> dict[str, str]:
    fields: dict[str, str] = {}
    while (line := cursor.peek()) is not None and (found := _FIELD.fullmatch(line)) is not None:
        fields[found[1]] = found[2]
        cursor.next()
    return fields


def _read_names(cursor: Cursor) -> tuple[bytes, bytes] | None:
    """The names on the `---` and `+++` lines, if there are such lines."""
    if not (cursor.peek() or "").startswith("--- "):
        return None
    minus = cursor.next()
    if not (cursor.peek() or "").startswith("+++ "):
        raise cursor.rejection("a `+++` line follows the `---` line")
    return header_name(minus[4:]), header_name(cursor.next()[4:])


def _read_binary(cursor: Cursor) -> str | None:
    """Reads past binary content; a digest of it, or none if the file is not binary."""
    line = cursor.peek() or ""
    if binary_names(line) is not None:
        return cursor.next()
    if line.rstrip("\r") != _BINARY_PATCH:
        return None
    digest = hashlib.sha256()
    cursor.next()
    while (data := cursor.peek()) is not None and _BINARY_DATA.fullmatch(data.rstrip("\r")):
        digest.update(cursor.next().encode())
    return digest.hexdigest()


def _paths(
    cursor: Cursor,
    at: int,
    named: tuple[bytes, bytes] | None,
    fields: dict[str, str],
    names: tuple[bytes, bytes] | None,
) -> tuple[bytes, bytes]:
    """The old and new path: git's own rename and copy lines first, then its first line, then `---` and `+++`."""
    source = fields.get("rename from", fields.get("copy from"))
    target = fields.get("rename to", fields.get("copy to"))
    if source is not None and target is not None:
        named = unquote(source), unquote(target)
    if named is None and names is not None:
        old, new = names
        named = without_prefix(new if old == DEV_NULL else old), without_prefix(old if new == DEV_NULL else new)
    if named is None:
        raise cursor.rejection(f"the names in line {at} cannot be told apart, and no other line names the file")
    if names is not None and not all(map(_agree, names, named)):
        raise cursor.rejection(f"the `---` and `+++` lines name another file than line {at}")
    return named


def _agree(shown: bytes, name: bytes) -> bool:
    return shown in {DEV_NULL, name} or without_prefix(shown) == name or shown.endswith(b"/" + name)


def _change(fields: dict[str, str], names: tuple[bytes, bytes] | None) -> ChangeKind:
    if "rename to" in fields:
        return ChangeKind.RENAMED
    if "new file mode" in fields or "copy to" in fields or (names is not None and names[0] == DEV_NULL):
        return ChangeKind.ADDED
    if "deleted file mode" in fields or (names is not None and names[1] == DEV_NULL):
        return ChangeKind.DELETED
    return ChangeKind.MODIFIED


def _mode(cursor: Cursor, fields: dict[str, str]) -> int:
    told = [fields[name] for name in ("new mode", "new file mode", "deleted file mode") if name in fields]
    told += fields.get("index", "").split()[1:]
    if not told:
        return 0
    if _MODE.fullmatch(told[0]) is None:
        raise cursor.rejection(f"the file above has the mode {told[0][:20]!r}: a mode is six octal digits")
    return int(told[0], 8)


def _similarity(fields: dict[str, str]) -> int | None:
    found = _PERCENT.fullmatch(fields.get("similarity index", ""))
    return None if found is None else int(found[1])
