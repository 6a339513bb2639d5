"""For how long finished sagas are shown: as their definitions say by now, of several versions the longest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from kafka_saga.errors import ChoreographyError
from kafka_saga.steps.definition_registry import Statement
from kafka_saga.views.partition_tables import PartitionTables

EVERY = 30.0
"""Seconds between two looks at what is deployed."""


def kept_for(statements: Sequence[Statement]) -> dict[str, int]:
    """For how long finished sagas are shown, milliseconds by definition."""
    keep: dict[str, int] = {}
    for said in statements:
        seconds = said.content.get("keep_finished")
        if isinstance(seconds, int | float):
            keep[said.name] = max(keep.get(said.name, 0), round(seconds * 1000))
    return keep


async def follow(deployed: Callable[[], Sequence[Statement]], holdings: PartitionTables) -> None:
    """Keep sagas as long as is said, until cancelled; `deployed` blocks, and while Kafka is away nothing changes."""
    while True:
        await asyncio.sleep(EVERY)
        with suppress(ChoreographyError):
            holdings.keep_for(kept_for(await asyncio.to_thread(deployed)))
