"""A sink that writes a review to a folder: `<folder>/<repository>/<number>/<head>/review.{json,md,sarif}`."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import RetryableError
from schemas.events.code_review import PullRequest
from services.comments.document import Review
from services.comments.markdown import as_markdown
from services.comments.sarif import as_sarif
from services.comments.sink import Receipt

_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


@dataclass(frozen=True, slots=True)
class FolderSink:
    """Writes below `root`, all files of a review or none; what is already there is replaced file by file."""

    root: Path

    async def post(self, review: Review) -> Receipt:
        """Write `review`. Raises RetryableError if the disk is full or the folder cannot be written."""
        target = self.root.absolute() / folder_of(review.pull_request)
        files = rendered(review)
        await asyncio.to_thread(_write, target, files)
        return Receipt(sink="folder", location=str(target), files=tuple(files))


def rendered(review: Review) -> dict[str, bytes]:
    """The files of `review` by name; the same bytes for the same review."""
    json = review.model_dump_json(indent=2) + "\n"
    texts = {"review.json": json, "review.md": as_markdown(review), "review.sarif": as_sarif(review)}
    return {name: text.encode(errors="replace") for name, text in texts.items()}


def folder_of(pull_request: PullRequest) -> Path:
    """Where a pull request's review lies below the root: a relative path of safe names, different for each head."""
    return Path(safe_name(pull_request.repository)) / str(pull_request.number) / pull_request.head_sha[:12]


def safe_name(repository: str) -> str:
    """A folder name for `repository`: plain characters, at most 80, and a hash that keeps different ones apart."""
    plain = _UNSAFE.sub("-", repository).strip(".-")[:67]
    digest = hashlib.sha256(repository.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{plain}-{digest}" if plain else digest


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex}"
    try:
        _fill(draft, files)
        _publish(draft, target, files)
    except OSError as error:
        raise RetryableError(unwritable(target, error)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def unwritable(target: Path, error: OSError) -> str:
    """The sentence that says why a review cannot be written to `target`, and what to do."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"the review cannot be written to {target}: the disk is full; free some space or set SAGA_REVIEW_DIR"
    reason = error.strerror or str(error)
    return f"the review cannot be written to {target}: {reason}; make it writable or set SAGA_REVIEW_DIR"


def _fill(draft: Path, files: Mapping[str, bytes]) -> None:
    draft.mkdir(parents=True)
    for name, content in files.items():
        with (draft / name).open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    _sync_folder(draft)


def _publish(draft: Path, target: Path, files: Mapping[str, bytes]) -> None:
    try:
        draft.rename(target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        for name in files:
            (draft / name).replace(target / name)
        _sync_folder(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
