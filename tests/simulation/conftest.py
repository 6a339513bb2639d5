from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What faults do to services is logged by them; a trace says it better."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
