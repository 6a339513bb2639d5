"""What the exit codes of `saga` mean, once for all commands."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """0 to 2 are every command's, 6 is a silent tracker's, 130 is Ctrl-C; an application's commands may have others."""

    OK = 0
    ERROR = 1
    USAGE = 2
    TIMEOUT = 6
    INTERRUPTED = 130
