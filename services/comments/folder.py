"""A sink that writes a review to a folder: `<folder>/<repository>/<number>/<head>/review.{json,md,sarif}`."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kafka_saga import RetryableError, TerminalError
from schemas.events.code_review import PullRequest
from services.comments.document import Review
from services.comments.markdown import as_markdown
from services.comments.sarif import as_sarif
from services.comments.sink import Receipt, Withdrawal
from services.comments.withdrawing import is_withdrawn, remove, sync_folder, take_back

_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class FolderSink:
    """Writes below `root`, all files of a review or none; what is already there is replaced file by file."""

    root: Path

    async def post(self, review: Review) -> Receipt:
        """Write `review`. Raises RetryableError if the disk is full or the folder cannot be written."""
        target = self.root.absolute() / folder_of(review.pull_request)
        files = rendered(review)
        await asyncio.to_thread(_write, target, files, review.marker)
        return Receipt(sink="folder", location=str(target), files=tuple(files))

    async def withdraw(self, receipt: Receipt, withdrawal: Withdrawal) -> str:
        """Take back what of `receipt` is still there, from where it was posted, wherever `root` is by now.

        Raises RetryableError if the folder cannot be read or written, TerminalError if it is not one of reviews.
        """
        target = Path(receipt.location)
        if not target.is_absolute() or any(Path(name).name != name for name in receipt.files):
            raise TerminalError(f"{receipt.location} with {receipt.files} is no folder of a review: remove it by hand")
        return await asyncio.to_thread(_withdraw, target, receipt.files, withdrawal)


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


def _write(target: Path, files: Mapping[str, bytes], marker: str) -> None:
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex}"
    try:
        _fill(draft, files)
        _publish(draft, target, files)
        _yield_to_withdrawal(target, files, marker)
    except OSError as error:
        raise RetryableError(unwritable(target, error)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _yield_to_withdrawal(target: Path, files: Mapping[str, bytes], marker: str) -> None:
    if is_withdrawn(target, marker):
        remove(target, tuple(files), marker)
        raise TerminalError(f"the review in {target} was withdrawn while it was posted once more: it stays withdrawn")


def _withdraw(target: Path, files: Sequence[str], withdrawal: Withdrawal) -> str:
    try:
        return take_back(target, files, withdrawal)
    except OSError as error:
        mend = "free some space" if error.errno in _FULL else "make it readable and writable"
        raise RetryableError(f"the review cannot be withdrawn from {target}: {_reason(error)}; {mend}") from error


def unwritable(target: Path, error: OSError) -> str:
    """The sentence that says why a review cannot be written to `target`, and what to do."""
    mend = "free some space" if error.errno in _FULL else "make it writable"
    return f"the review cannot be written to {target}: {_reason(error)}; {mend} or set SAGA_REVIEW_DIR"


def _reason(error: OSError) -> str:
    return "the disk is full" if error.errno in _FULL else error.strerror or str(error)


def _fill(draft: Path, files: Mapping[str, bytes]) -> None:
    draft.mkdir(parents=True)
    for name, content in files.items():
        with (draft / name).open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(draft)


def _publish(draft: Path, target: Path, files: Mapping[str, bytes]) -> None:
    try:
        draft.rename(target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        for name in files:
            (draft / name).replace(target / name)
        sync_folder(target)
    sync_folder(target.parent)
