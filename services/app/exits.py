"""What the exit codes of `saga review` and `saga demo` mean, beside those of every command."""

from __future__ import annotations

from enum import IntEnum

from kafka_saga.cli import exits


class Exit(IntEnum):
    """How a review went."""

    OK = exits.Exit.OK
    FINDINGS = 3
    REJECTED = 4
    FAILED = 5
    TIMEOUT = exits.Exit.TIMEOUT
