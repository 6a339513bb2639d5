"""The blob store behind claim checks: content-addressed by SHA-256, on anything fsspec reaches."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.blob import BlobRef

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

D = TypeVar("D", bound=BaseModel)
T = TypeVar("T")


class BlobStore:
    """Content by its hash. Writing the same bytes twice is one blob; nothing is ever changed in place.

    `url` is an fsspec URL (`file:///var/saga/blobs`, `s3://bucket/prefix`, `memory://blobs`) or a local path. fsspec
    and the client of a protocol are loaded at once for a URL, so that a wrong one is found when a service starts, and
    when first used for a path, which cannot be wrong: most services of a saga pass on no blobs.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        if ":" in url:
            self._place  # noqa: B018  # found now

    def put(self, content: bytes, media_type: str = "application/octet-stream") -> BlobRef:
        """Keep `content` (bytes) and return its reference. Raises RetryableError if the store cannot be written."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        self._guarded(path, lambda: self._write_once(path, content))
        return BlobRef(sha256=digest, size=len(content), media_type=media_type)

    def put_text(self, text: str, media_type: str = "text/plain; charset=utf-8") -> BlobRef:
        """Keep `text` as UTF-8."""
        return self.put(text.encode(), media_type)

    def put_document(self, document: BaseModel) -> BlobRef:
        """Keep a pydantic document as JSON."""
        return self.put(document.model_dump_json().encode(), "application/json")

    def get(self, ref: BlobRef) -> bytes:
        """The content behind `ref`.

        Raises TerminalError if the blob is gone or is not what its hash says, RetryableError if the store
        cannot be reached.
        """
        path = self._path(ref.sha256)
        content = self._guarded(path, lambda: self._read(path))
        if content is None:
            raise TerminalError(
                f"blob {ref.sha256[:12]} is not in the store at {self.url}: it was removed, or written to another store"
            )
        if hashlib.sha256(content).hexdigest() != ref.sha256:
            raise TerminalError(f"blob {ref.sha256[:12]} in the store at {self.url} is damaged: its hash differs")
        return content

    def get_text(self, ref: BlobRef) -> str:
        """The content behind `ref` as UTF-8 text; what is not UTF-8 is replaced."""
        return self.get(ref).decode(errors="replace")

    def get_document(self, ref: BlobRef, model: type[D]) -> D:
        """The document behind `ref`. Raises TerminalError if it is not a `model`."""
        try:
            return model.model_validate_json(self.get(ref))
        except ValidationError as error:
            raise TerminalError(f"blob {ref.sha256[:12]} is no {model.__name__}: {error.errors()[0]['msg']}") from error

    def _path(self, digest: str) -> str:
        return f"{self._place[1]}/{digest[:2]}/{digest}"

    @property
    def _fs(self) -> AbstractFileSystem:
        return self._place[0]

    @cached_property
    def _place(self) -> tuple[AbstractFileSystem, str]:
        """What the content lies on, and the folder there."""
        from fsspec.core import url_to_fs  # noqa: PLC0415

        system, root = url_to_fs(self.url)
        return system, root

    def _read(self, path: str) -> bytes | None:
        try:
            return bytes(self._fs.cat_file(path))
        except FileNotFoundError:
            return None

    def _write_once(self, path: str, content: bytes) -> None:
        if self._fs.exists(path):
            return
        folder = path.rsplit("/", 1)[0]
        self._fs.makedirs(folder, exist_ok=True)
        draft = f"{folder}/.{uuid.uuid4().hex}"
        self._fs.pipe_file(draft, content)
        self._fs.mv(draft, path)

    def _guarded(self, path: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except OSError as error:
            raise RetryableError(f"blob store {self.url}: {path}: {error.strerror or error}") from error
