"""A process survives whatever becomes of its transactions."""

from __future__ import annotations

import json

import pytest

from kafka_saga.broker.port import TransactionInDoubtError
from kafka_saga.broker.records import Outgoing
from tests.scenarios.findings.given import SAGA, Started, world_of, write

BLANKS = 5_000_000
"""Bytes of a start that compresses to nothing, and is larger than a dead letter may be."""


@pytest.mark.xfail(
    strict=True,
    raises=TransactionInDoubtError,
    reason="a process that is in doubt while it commits record by record ends with a traceback (seed 3927)",
)
def test_a_doubt_about_one_record_of_a_batch_ends_no_process() -> None:
    with world_of(SAGA) as world:
        doubts = [TransactionInDoubtError("no answer")]

        def once(point: str) -> None:
            process = world.system.current
            if point == "before_offsets" and process is not None and process.name.group == "one" and doubts:
                raise doubts.pop()

        good = json.dumps({"key": "k", "run": "1", "note": ""}).encode()
        write(world.system, Outgoing(Started.event_type, 0, None, good, []))
        write(world.system, Outgoing(Started.event_type, 0, None, b" " * BLANKS, []))
        world.system.cluster.fault = once
        for _ in range(50):
            for name in tuple(world.system.processes):
                world.system.turn(name)

        assert not doubts
        assert any(process.name.group == "one" for process in world.system.processes.values())
