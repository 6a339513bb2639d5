from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from kafka_saga.definition.model import Saga
from kafka_saga.testing.system import System

Worlds = Callable[[Sequence[Saga]], System]


@pytest.fixture
def worlds() -> Iterator[Worlds]:
    made: list[System] = []

    def make(definitions: Sequence[Saga]) -> System:
        made.append(System(definitions))
        return made[-1]

    yield make
    for world in made:
        world.close()
