"""Handlers of the chain that take their time, wait at a gate, and write down when they start and end.

`CHAIN_JOURNAL` names the file they write to. A handler takes 0 to 80 ms, by its step and saga; one whose event says
`gate` as its text ends when the file of its saga's name appears in the folder `CHAIN_GATES`, if its step is
`CHAIN_GATED`; one that says `poison` kills its process there.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from kafka_saga.engine.context import Context
from tests.chain.definition import ChainStarted, FourDone, OneDone, ThreeDone, TwoDone

GATE = "gate"
POISON = "poison"
LONGEST = 0.08
"""Seconds that a handler takes at most, if it does not wait at a gate."""

Handler = Callable[[ChainStarted, Context], Awaitable[ChainStarted]]


def controlled(outcome: type[ChainStarted]) -> Handler:
    """A handler that passes its event on as `outcome`, in its own time."""

    async def handle(event: ChainStarted, context: Context) -> ChainStarted:
        _note("start", context)
        try:
            await _take_time(event, context)
        except asyncio.CancelledError:
            _note("cancelled", context)
            raise
        _note("end", context)
        return outcome(name=event.name, number=event.number, text=event.text)

    return handle


HANDLERS = {
    "one": controlled(OneDone),
    "two": controlled(TwoDone),
    "three": controlled(ThreeDone),
    "four": controlled(FourDone),
}


async def _take_time(event: ChainStarted, context: Context) -> None:
    if event.text == POISON and context.step == os.environ.get("CHAIN_GATED"):
        os.kill(os.getpid(), signal.SIGKILL)
    if event.text == GATE and context.step == os.environ.get("CHAIN_GATED"):
        gate = Path(os.environ["CHAIN_GATES"]) / event.name
        while not gate.exists():  # noqa: ASYNC110  # the test that opens the gate is another process
            await asyncio.sleep(0.02)
    else:
        await asyncio.sleep(random.Random(f"{context.step} {context.saga_id}").uniform(0, LONGEST))


def _note(what: str, context: Context) -> None:
    """One line, whole: appends of this size do not mix."""
    line = json.dumps({"what": what, "pid": os.getpid(), "step": context.step, "saga": context.saga_id}) + "\n"
    file = os.open(os.environ["CHAIN_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
