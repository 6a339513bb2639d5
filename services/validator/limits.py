"""How much of a pull request the validator takes in; beyond it, it says so."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one pull request; sizes in bytes.

    Above `entries` changed files the pull request is rejected. The other bounds only cause files to be listed as
    skipped, in the order of the change set, so the same pull request always gives the same list.
    """

    entries: int = 5_000
    content_files: int = 500
    content_bytes: int = 50 * MIB
    compared_file_bytes: int = 10 * MIB
    compared_bytes: int = 200 * MIB
    summary_bytes: int = 500_000


MAX_CONFIG_BYTES = 64 * 1024
