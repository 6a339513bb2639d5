"""A saga whose handlers run in child processes: everything here is found by its name in the child too.

Its topics carry the name of the test run, since the types cannot be made by a test.
"""

from __future__ import annotations

import os
import threading
from typing import ClassVar
from uuid import uuid4

from kafka_saga.definition.durations import seconds
from kafka_saga.definition.model import COMPLETED, OnCancel, Saga, Step
from kafka_saga.engine.context import Context
from kafka_saga.errors import TerminalError
from kafka_saga.events.event import Event

RUN = os.environ.setdefault("SAGA_TEST_RUN", uuid4().hex[:8])
"""The name of this test run; children inherit it."""


class Asked(Event):
    """What to do."""

    event_type: ClassVar[str] = f"heavy{RUN}.asked"

    key: str
    number: int
    text: str = ""


class Answered(Event):
    """It is done, by this process."""

    event_type: ClassVar[str] = f"heavy{RUN}.answered"

    pid: int
    count: int


HEAVY = Saga(
    name=f"heavy{RUN}",
    version=1,
    starts_on=Asked,
    key="{key}",
    run="{number}",
    steps=(Step("answer", on=Asked, emits=(Answered,), timeout=seconds(6), on_cancel=OnCancel.INTERRUPT),),
    ends={Answered: COMPLETED},
)


def answer(event: Asked, context: Context) -> Answered:
    """Do as the event says."""
    count = int(context.state.get() or b"0") + 1
    context.state.set(b"%d" % count)
    match event.text:
        case "die":
            os._exit(9)
        case "hang":
            context.progress(3, 9, "hanging")
            threading.Event().wait()
        case "exit":
            raise SystemExit(5)
        case "refuse":
            raise TerminalError("not this one")
    return Answered(pid=os.getpid(), count=count)
