"""Stage 2: which configuration governs this review?"""

from __future__ import annotations

from dataclasses import dataclass

from services.validator.config import NAME
from services.validator.limits import MAX_CONFIG_BYTES
from services.validator.rejection import Code, RejectionError
from services.validator.sources.source import REGULAR, Source
from services.validator.timeline import Passed


@dataclass(frozen=True, slots=True)
class RawConfig:
    """The bytes of `.saga.toml` (none: there is no such file) and the commit they come from."""

    content: bytes | None
    base: str


def resolve_config(source: Source, base: str) -> Passed[RawConfig]:
    """Take `.saga.toml` from the base commit, never from the head: nobody relaxes the rules of their own review."""
    file = source.read_at_base(NAME)
    if file is None:
        return Passed(RawConfig(None, base), f"defaults: the base has no {NAME}, or is not known")
    if file.kind not in REGULAR:
        raise RejectionError(Code.BAD_CONFIG, f"{NAME} at {base:.12} is a {file.kind}: it must be a file")
    if file.content.size > MAX_CONFIG_BYTES:
        what = f"{NAME} at {base:.12} is too large: {file.content.size:,} bytes, limit {MAX_CONFIG_BYTES:,}"
        raise RejectionError(Code.BAD_CONFIG, what)
    return Passed(RawConfig(file.content.read(), base), f"{NAME} of the base {base:.12}")
