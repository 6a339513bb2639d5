"""Taking a review back from its folder: only what bears its marker goes, and a note says why.

The note is written before anything is removed. So whoever posts the review late, after it was withdrawn, finds the note
when it is done posting and takes back its own files (`is_withdrawn`): neither order leaves a withdrawn review behind.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.comments.escaping import code, plain
from services.comments.sink import Withdrawal

NOTE = "WITHDRAWN.md"
_HEAD = (
    "# Withdrawn\n\nA review of this head was taken back. A `review.md` beside this note is another, and it counts.\n"
)
_WHY = (
    "The saga that posted it was cancelled (a later head does that, too), has failed, or went back to an earlier step;"
    " so what it had done was undone."
)


def take_back(target: Path, files: Sequence[str], withdrawal: Withdrawal) -> str:
    """Remove what of `files` in `target` bears the marker, after a note. Says what was done; raises OSError."""
    found = [name for name in files if _bears(target / name, withdrawal.marker)]
    known = is_withdrawn(target, withdrawal.marker)
    if found and not known:
        _note(target, withdrawal, found)
    if found or known:
        remove(target, files, withdrawal.marker)
        sync_folder(target)
    return f"withdrew {', '.join(found)} from {target}; {NOTE} there says why" if found else _nothing(target, known)


def is_withdrawn(target: Path, marker: str) -> bool:
    """Whether a note in `target` says that the review of that marker was withdrawn."""
    return f"<!-- {marker} -->".encode() in _content(target / NOTE).splitlines()


def remove(target: Path, files: Sequence[str], marker: str) -> None:
    """Remove what of `files` bears the marker; whatever another review puts there meanwhile stays."""
    for name in files:
        _remove(target / name, marker)


def marker_in(name: str, content: bytes) -> str | None:
    """The marker that a file of a review bears in its own place; text of strangers further down does not count."""
    try:
        match Path(name).suffix:
            case ".md":
                return content.split(b"\n", 1)[0].removeprefix(b"<!-- ").removesuffix(b" -->").decode()
            case ".json":
                return _text(json.loads(content)["marker"])
            case ".sarif":
                return _text(json.loads(content)["runs"][0]["properties"]["marker"])
            case _:
                return None
    except (ValueError, LookupError, TypeError):
        return None


def sync_folder(folder: Path) -> None:
    """Have the names in `folder` on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _bears(path: Path, marker: str) -> bool:
    return marker_in(path.name, _content(path)) == marker


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""


def _remove(path: Path, marker: str) -> None:
    """Move the file aside, then look again: between look and move another review may have taken the name."""
    aside = path.with_name(f".{marker}.{path.name}")
    if _bears(path, marker):
        path.replace(aside)
    if _bears(aside, marker) or path.exists():
        aside.unlink(missing_ok=True)
    elif aside.exists():
        aside.rename(path)


def _nothing(target: Path, is_known: bool) -> str:
    if is_known:
        return f"nothing to withdraw: {target / NOTE} says that it was withdrawn before"
    if not target.is_dir():
        return f"nothing to withdraw: there is no folder {target} (any more)"
    return f"nothing to withdraw: no file in {target} is of this review (any more)"


def _note(target: Path, withdrawal: Withdrawal, files: Sequence[str]) -> None:
    known = _content(target / NOTE) or _HEAD.encode()
    draft = target / f".{NOTE}.{uuid.uuid4().hex}"
    try:
        with draft.open("xb") as file:
            file.write(known + _entry(withdrawal, files).encode(errors="replace"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target / NOTE)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target)


def _entry(withdrawal: Withdrawal, files: Sequence[str]) -> str:
    return (
        f"\n<!-- {withdrawal.marker} -->\n## {plain(withdrawal.title)}\n\n{_WHY}\n"
        f"\n- saga: {code(withdrawal.saga_id)}\n- withdrawn: {withdrawal.at:%Y-%m-%d %H:%M:%S} UTC"
        f"\n- files: {', '.join(code(name) for name in files)}\n"
    )
