"""Waiting with an end: what a test waits for comes true in time, or the test fails and says how far things got."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest


def eventually(
    condition: Callable[[], bool], turn: Callable[[], object], seconds: float, what: str, dump: Callable[[], str]
) -> None:
    """Take turns until `condition` holds. A turn waits for something to happen, some milliseconds at most.

    Fails the test after `seconds`, with `what` was waited for and a dump of everything worth knowing.
    """
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"waited {seconds:g} s for {what}\n{dump()}", pytrace=False)
        turn()
