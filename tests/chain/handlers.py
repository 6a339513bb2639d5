"""The handlers of the chain: each passes its event on."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_saga.engine.context import Context
from kafka_saga.worker.service import Handler
from tests.chain.definition import ChainStarted, FourDone, OneDone, ThreeDone, TwoDone


def one(event: ChainStarted, _: Context) -> OneDone:
    return OneDone(name=event.name, number=event.number, text=event.text)


def two(event: OneDone, _: Context) -> TwoDone:
    return TwoDone(name=event.name, number=event.number, text=event.text)


def three(event: TwoDone, _: Context) -> ThreeDone:
    return ThreeDone(name=event.name, number=event.number, text=event.text)


def four(event: ThreeDone, _: Context) -> FourDone:
    return FourDone(name=event.name, number=event.number, text=event.text)


HANDLERS: Mapping[str, Handler] = {"one": one, "two": two, "three": three, "four": four}
