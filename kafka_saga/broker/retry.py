"""Trying until Kafka is there; why it is not is said once, and again only when the reason changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from kafka_saga.errors import UnavailableError

LOG = logging.getLogger("saga.process")

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two attempts."""


def until_available(
    attempt: Callable[[], T],
    is_told_to_stop: Callable[[], bool],
    tell: Callable[[str], object],
    pause: Callable[[float], object] = time.sleep,
) -> T | None:
    """What `attempt` returns as soon as it does not raise UnavailableError; none if told to stop before.

    `tell` hears each time what it waits for, for those who ask.
    """
    said = ""
    while not is_told_to_stop():
        try:
            return attempt()
        except UnavailableError as error:
            reason = str(error).rstrip(".")
            tell(reason)
            if reason != said:
                LOG.warning("%s. Trying again until it works.", reason)
            said = reason
            pause(PAUSE)
    return None
