"""What a worker asks a service, by role: what records mean, how their handlers run, and what falls due by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kafka_saga.broker.records import Record
from kafka_saga.engine.state_store import Store, StoreSpec
from kafka_saga.engine.work import ControlUpdate, Delivery, Disturbance, Ended, Fetch, Result, Start, Wait, Write

Stores = Mapping[str, Store]
"""The stores of one task, by changelog topic."""


class Processor(Protocol):
    """What records mean to a service."""

    topics: tuple[str, ...]
    stores: tuple[StoreSpec, ...]

    def route(self, record: Record, stores: Stores, now: int) -> Delivery | Ended:
        """What to do with a record just taken in; only a processor with a `HandlerPolicy` returns a delivery."""

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """What to commit in place of records that Kafka will not take."""

    def gone(self) -> None:
        """All tasks have gone, with their stores."""


class HandlerPolicy(Protocol):
    """When the handler of a delivery starts, what `saga.control` means for it, and what its result leads to."""

    def admit(self, delivery: Delivery, stores: Stores, now: int) -> Start | Fetch | Wait | Ended:
        """The last look before a handler runs; after a fetch or a wait, asked again."""

    def on_result(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """What a handler's result leads to."""

    def on_control(self, record: Record) -> ControlUpdate:
        """A record of `saga.control`: what holds in its partition from now on."""

    def on_cancel(self, delivery: Delivery) -> Disturbance | None:
        """What control means for a handler that runs."""

    def progress(self, delivery: Delivery, now: int) -> Write | None:
        """What is reported of a handler that has run for a while."""


class Timers(Protocol):
    """The times that tasks wait for, on the clock of the log (Kafka Streams: stream time)."""

    def due_at(self, number: int) -> int | None:
        """The earliest time (log time, milliseconds UTC) that a task waits for; `None` if it waits for nothing."""

    def reach(self, number: int, until: int, read: Mapping[str, int]) -> None:
        """Everything before `until` has been read and taken in; `read` are the next offsets by topic."""


class Punctuator(Timers, Protocol):
    """What is written when its time has come, without a record that asks for it.

    It decides by what has not arrived, and so has to know up to when everything has been read: see `Timers.reach`.
    """

    def restored(self, number: int, stores: Stores, now: int) -> None:
        """A task begins to run: its stores are complete."""

    def punctuate(self, number: int, stores: Stores, now: int) -> Sequence[Write]:
        """What is to be written for a running task by now; asked once a turn."""

    def dropped(self, made: Write) -> None:
        """What was made is not taken by Kafka, and is given up; its changes are undone."""


@dataclass(frozen=True, slots=True)
class Roles:
    """A service as its worker sees it: the processor of its records, with its handlers or its punctuator if it has any.

    One object may play several roles.
    """

    processor: Processor
    handlers: HandlerPolicy | None = None
    punctuator: Punctuator | None = None
