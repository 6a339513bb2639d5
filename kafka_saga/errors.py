"""The one error tree of the project.

ChoreographyError
 ├── TopologyError     a saga definition or a topic that cannot work; found before anything runs
 ├── DecodeError       a record that cannot be read
 ├── RetryableError    a handler's "not now": the delivery ends as failed, retryable
 ├── TerminalError     a handler's "never": the delivery ends as failed, not retryable
 └── UnavailableError  Kafka, a blob store or a download cannot be reached; says what to do
"""

from __future__ import annotations

from enum import StrEnum


class ChoreographyError(Exception):
    """What every error of this project is."""


class TopologyError(ChoreographyError):
    """A saga definition or a topic that cannot work; the message names the place and the mend."""


class DecodeProblem(StrEnum):
    """Why a record cannot be read."""

    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    OVERSIZED = "oversized"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_TYPE = "unknown_type"
    INVALID = "invalid"


class DecodeError(ChoreographyError):
    """A record that cannot be read: `problem` says what, `where` says at which header, field or byte."""

    def __init__(self, problem: DecodeProblem, where: str, what: str) -> None:
        self.problem = problem
        self.where = _bounded(where)
        self.what = _bounded(what)
        super().__init__(f"{problem.value}: {self.where}: {self.what}")


def _bounded(text: str) -> str:
    """What a record says about itself may be as long as the record."""
    return text if len(text) <= 1000 else text[:999] + "…"


class RetryableError(ChoreographyError):
    """A handler could not do its work now; `retry_after` (seconds) is the least wait before the next attempt."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class TerminalError(ChoreographyError):
    """A handler can never do this work; trying again would change nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnavailableError(ChoreographyError):
    """Something outside (Kafka, a blob store, a download) cannot be reached; the message says what to do."""
