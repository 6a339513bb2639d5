"""What the exit codes of `saga` mean, once for all commands."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """0 to 2 are every command's; 3 to 6 are `saga review`'s; 6 is a silent tracker's, too; 130 is Ctrl-C."""

    OK = 0
    ERROR = 1
    USAGE = 2
    FINDINGS = 3
    REJECTED = 4
    FAILED = 5
    TIMEOUT = 6
    INTERRUPTED = 130
