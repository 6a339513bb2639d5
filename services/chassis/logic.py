"""What the runner asks a service: what records mean, what follows from them, and what holds them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.chassis.keyed import Store, StoreSpec
from services.chassis.records import Record
from services.chassis.work import Delivery, Disturbance, Ended, Fetch, Heeded, Made, Result, Start, Wait

Stores = Mapping[str, Store]
"""The stores of one task, by changelog topic."""


class Logic(Protocol):
    """What records mean to a service."""

    topics: tuple[str, ...]
    stores: tuple[StoreSpec, ...]
    heeds_control: bool
    """Whether `saga.control` is read for it, before a task runs and while it does."""

    rules: bool
    """Whether it decides by what has not arrived, and so has to know up to when everything has been read."""

    # ---- tasks

    def restored(self, number: int, stores: Stores, now: int) -> None:
        """A task begins to run: its stores are complete."""

    def gone(self) -> None:
        """All tasks have gone, with their stores."""

    def make(self, number: int, stores: Stores, now: int) -> Sequence[Made]:
        """What is to be written for a running task without a record that asks for it; asked once a turn."""

    def due_at(self, number: int) -> int | None:
        """The earliest time (log time, milliseconds UTC) that a task waits for; none if it waits for nothing."""

    def reach(self, number: int, until: int, read: Mapping[str, int]) -> None:
        """Everything before `until` has been read and taken in; `read` are the next offsets by topic."""

    def dropped(self, made: Made) -> None:
        """What was made is not taken by Kafka, and is given up; its changes are undone."""

    # ---- records

    def route(self, record: Record, stores: Stores, now: int) -> Delivery | Ended:
        """What to do with a record just taken in."""

    def admit(self, delivery: Delivery, stores: Stores, now: int) -> Start | Fetch | Wait | Ended:
        """The last look before a handler runs; after a fetch or a wait, asked again."""

    def conclude(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """What a handler's result leads to."""

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """What to commit in place of records that Kafka will not take."""

    # ---- while handlers run

    def heed(self, record: Record) -> Heeded:
        """A record of `saga.control`: what holds in its partition from now on."""

    def disturb(self, delivery: Delivery) -> Disturbance | None:
        """What control means for a handler that runs."""

    def progress(self, delivery: Delivery, now: int) -> Made | None:
        """What is reported of a handler that has run for a while."""
