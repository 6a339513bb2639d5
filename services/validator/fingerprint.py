"""Whether two heads of a pull request are the same change, and what is remembered to tell."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, ValidationError

from services.validator.sources.source import BaseFile, FileChange

VERSION = 1


class LastAccepted(BaseModel):
    """The last head of a pull request that was let through: small, kept as JSON per business key."""

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    head: str
    fingerprint: str
    saga_id: str


def decode(state: bytes | None) -> LastAccepted | None:
    """What `state` remembers; none if nothing, or if another version of the validator wrote it."""
    if state is None:
        return None
    try:
        last = LastAccepted.model_validate_json(state)
    except ValidationError:
        return None
    return last if last.version == VERSION else None


def fingerprint(changes: Iterable[FileChange], config: BaseFile | None) -> str:
    """A digest of the change as such: paths, kinds and changed lines with their context, and the configuration.

    Commits, messages, dates, line numbers and the rest of the tree are not in it, so amending and rebasing keep it.
    The base's `.saga.toml` is in it, because another configuration makes another review.
    """
    digest = hashlib.sha256()
    for part in _parts(changes, config):
        digest.update(b"%d:%b," % (len(part), part))
    return digest.hexdigest()


def _parts(changes: Iterable[FileChange], config: BaseFile | None) -> Iterator[bytes]:
    yield b"" if config is None else f"{config.kind} {config.identity}".encode()
    for change in changes:
        yield change.path
        yield change.old_path or b""
        yield f"{change.change} {change.kind}".encode()
        yield change.lines.digest
