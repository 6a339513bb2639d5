from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.scenarios.world import World
from topology.model import Saga

Worlds = Callable[[Sequence[Saga]], World]


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    made: list[World] = []

    def make(definitions: Sequence[Saga]) -> World:
        made.append(World(definitions, tmp_path / "blobs"))
        return made[-1]

    yield make
    for world in made:
        world.close()
