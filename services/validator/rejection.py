"""Why a pull request needs no review, or cannot have one."""

from __future__ import annotations

from enum import StrEnum

from kafka_saga import ChoreographyError

MAX_REASON = 2_000


class Code(StrEnum):
    """The machine-readable side of a rejection: `PrRejected.code`."""

    UNKNOWN_REPOSITORY = "unknown_repository"
    UNKNOWN_COMMIT = "unknown_commit"
    AMBIGUOUS_COMMIT = "ambiguous_commit"
    SHALLOW_HISTORY = "shallow_history"
    NOTHING_NEW = "nothing_new"
    NO_CHANGES = "no_changes"
    BAD_CONFIG = "bad_config"
    BAD_DIFF = "bad_diff"
    TOO_LARGE = "too_large"


class RejectionError(ChoreographyError):
    """Ends the validation with `pr.rejected`: `reason` (at most 2,000 characters) for people, `code` for programs."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason if len(reason) <= MAX_REASON else f"{reason[: MAX_REASON - 1]}…"


def too_many_files(count: int, limit: int) -> RejectionError:
    """The rejection of a pull request with more changed files than anyone reviews."""
    return RejectionError(Code.TOO_LARGE, f"{count:,} changed files, limit {limit:,}: split the pull request")
