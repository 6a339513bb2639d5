"""A saga of one step whose handler waits or fails as a test wants it: `python -m tests.browser.parcel`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import ClassVar

from kafka_saga.definition.model import COMPLETED, Saga, Step
from kafka_saga.engine.context import Context
from kafka_saga.errors import TerminalError
from kafka_saga.events.event import Event
from kafka_saga.worker.service import Service

_LOOK = 0.02
"""Seconds between two looks at whether it may go on."""


class ParcelSent(Event):
    """The first event."""

    event_type: ClassVar[str] = "parcel.sent"

    name: str
    title: str


class ParcelWeighed(Event):
    """The last event."""

    event_type: ClassVar[str] = "parcel.weighed"

    name: str


PARCEL = Saga(
    name="parcel",
    version=1,
    starts_on=ParcelSent,
    key="{name}",
    run="1",
    steps=(Step("weigh", on=ParcelSent, emits=(ParcelWeighed,)),),
    ends={ParcelWeighed: COMPLETED},
)


def hold(folder: Path, name: str) -> Path:
    """While this file is there, the parcel is not weighed."""
    return folder / f"hold-{name}"


def broken(folder: Path, name: str) -> Path:
    """While this file is there, the scale is broken for this parcel."""
    return folder / f"broken-{name}"


async def weigh(event: ParcelSent, _: Context) -> ParcelWeighed:
    """Weigh it."""
    folder = Path(os.environ["PARCEL_FOLDER"])
    if broken(folder, event.name).exists():
        raise TerminalError("the scale is broken")
    while hold(folder, event.name).exists():  # noqa: ASYNC110  # a file is all that a test and this process share
        await asyncio.sleep(_LOOK)
    return ParcelWeighed(name=event.name)


if __name__ == "__main__":
    Service("weigh", {PARCEL: {"weigh": weigh}}).run()
