from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

from tests.simulation.settings import prepare


@pytest.fixture(autouse=True)
def prepared() -> Iterator[None]:
    """Settings for many runs, which end with the test."""
    thresholds = gc.get_threshold()
    prepare()
    yield
    logging.disable(logging.NOTSET)
    gc.unfreeze()
    gc.set_threshold(*thresholds)
