"""How a process is set for many runs."""

from __future__ import annotations

import gc
import logging


def prepare() -> None:
    """Log nothing, and leave it to `tidy` to look for garbage, which passes over everything that is there by now.

    What faults do to services is logged by them; a trace says it better. Looking for garbage as often as Python does by
    default takes a tenth of the time.
    """
    logging.disable(logging.CRITICAL)
    gc.set_threshold(100_000, 50, 1_000)
    gc.collect()
    gc.freeze()


def tidy() -> None:
    """Free what a run has left behind that only the collector finds, so that the next one works in the same memory."""
    gc.collect(0)
