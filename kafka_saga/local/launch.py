"""Becomes the given program in a session of its own; run as a script: `launch.py PARENT_PID PROGRAM ARGUMENT...`.

With a PARENT_PID other than 0 the program dies with that process, even when it is killed (Linux only:
PR_SET_PDEATHSIG in prctl(2); it outlives exec). Standard library only, so that it starts at once.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tether(parent: int) -> None:
    """Let the kernel kill this process when `parent` ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel knew
            sys.exit(1)


if __name__ == "__main__":
    os.setsid()
    if int(sys.argv[1]):
        tether(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606
