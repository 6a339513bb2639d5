"""What worker tests start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kafka_saga.definition.model import Saga
from tests.support.driver import Driver
from tests.support.example import Example, example
from tests.support.rig import Rig


@pytest.fixture
def rig_of(driver: Driver, tmp_path: Path) -> Iterator[Callable[[Saga], Rig]]:
    """Makes a rig for a saga; it is closed with the test."""
    with ExitStack() as stack:

        def make(saga: Saga) -> Rig:
            rig = Rig(driver, saga, tmp_path)
            stack.callback(rig.close)
            return rig

        yield make


@pytest.fixture
def case() -> Example:
    """A saga of this test's own."""
    return example()


@pytest.fixture
def rig(case: Example, rig_of: Callable[[Saga], Rig]) -> Rig:
    """Services of that saga."""
    return rig_of(case.saga)
