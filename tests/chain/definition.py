"""A chain of four steps that do nothing: what the machinery costs, and what it survives."""

from __future__ import annotations

from typing import ClassVar

from kafka_saga.definition.model import COMPLETED, Saga, Step
from kafka_saga.events.event import Event


class ChainStarted(Event):
    """The first event."""

    event_type: ClassVar[str] = "chain.started"

    name: str
    number: int
    text: str = ""


class OneDone(ChainStarted):
    """After the first step."""

    event_type: ClassVar[str] = "one.done"


class TwoDone(ChainStarted):
    """After the second step."""

    event_type: ClassVar[str] = "two.done"


class ThreeDone(ChainStarted):
    """After the third step."""

    event_type: ClassVar[str] = "three.done"


class FourDone(ChainStarted):
    """After the fourth step."""

    event_type: ClassVar[str] = "four.done"


CHAIN = Saga(
    name="chain",
    version=1,
    starts_on=ChainStarted,
    key="{name}",
    run="{number}",
    steps=(
        Step("one", on=ChainStarted, emits=(OneDone,)),
        Step("two", on=OneDone, emits=(TwoDone,)),
        Step("three", on=TwoDone, emits=(ThreeDone,)),
        Step("four", on=ThreeDone, emits=(FourDone,)),
    ),
    ends={FourDone: COMPLETED},
)
