"""Whether the stream is alive: what it has reached moves on, or Kafka is away. Faust may stand still and not know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.errors import UnavailableError
from kafka_saga.views.stream.app import ViewsApp
from kafka_saga.views.stream.table import CHANGELOG

EVERY = 2.0
"""Seconds between two looks."""

PATIENCE = 60.0
"""Seconds for which nothing may move while Kafka answers: well above a rebalance with a member that was killed (30)."""

WHILE_OTHERS_MOVE = 5
"""How much longer one partition may stand still while others move on: a backlog of theirs may go first."""

ANSWER = 5.0
"""Seconds in which Kafka answers, or is away."""


Marks = Mapping[int, object]
"""What a stream has reached, by partition; something else as soon as it moves on."""

TOGETHER = -1
"""Stands for all partitions while they are shared out and restored, which is done for all at once."""


class StallWatchdog:
    """Watches over a stream. `marks` is what it has reached, `is_there` whether Kafka answers.

    Only looks count at which Kafka was there: neither its absence nor a pause of this process is the stream's fault.
    """

    def __init__(
        self, marks: Callable[[], Marks], is_there: Callable[[], Awaitable[bool]], patience: float = PATIENCE
    ) -> None:
        self._marks = marks
        self._is_there = is_there
        self._patience = patience
        self._seen: Marks = {}
        self._still: dict[int, float] = {}

    async def look(self) -> None:
        """One look, `EVERY` seconds after the one before. Raises UnavailableError if the stream has stood still."""
        seen, self._seen = self._seen, dict(self._marks())
        rest = {number: self._still.get(number, 0.0) for number, mark in self._seen.items() if seen.get(number) == mark}
        more = EVERY if rest and await self._is_there() else 0.0
        self._still = {number: rest[number] + more if number in rest else 0.0 for number in self._seen}
        shortest, longest = min(self._still.values(), default=0.0), max(self._still.values(), default=0.0)
        if shortest >= self._patience or longest >= self._patience * WHILE_OTHERS_MOVE:
            raise UnavailableError(
                f"the stream has stood still for {longest:g} s although Kafka answers: start it again"
            )

    async def watch(self) -> None:
        """Look until cancelled. Raises as `look`."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look()


def patience(session_timeout: float) -> float:
    """Seconds for which nothing may move: the group waits as long for a member that does not answer, and then some."""
    return max(PATIENCE, 2 * session_timeout)


def marks_of(app: ViewsApp) -> Marks:
    """What a stream has reached; nothing of one that rightly has nothing to do: others have all partitions."""
    app.look()
    if not app.owners or app.ours - app.table.store.ready:
        return {TOGETHER: (app.owners, app.table.store.applied)}
    return {number: app.positions.mark(number) for number in app.ours}


def asking(kafka: Mapping[str, str], app: ViewsApp) -> Callable[[], Awaitable[bool]]:
    """Asks whether Kafka answers, with a connection of its own, and has a leader for everything that is read."""
    servers = kafka["bootstrap.servers"].split(",")
    auth = credentials_to_aiokafka_auth(app.conf.broker_credentials, app.conf.ssl_context)

    async def ask() -> bool:
        client = AIOKafkaClient(bootstrap_servers=[one.strip() for one in servers], **auth)
        try:
            async with asyncio.timeout(ANSWER):
                await client.bootstrap()
                cluster = await client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await client.close()
        known = [at for topic in (SAGA_STATE, CHANGELOG) for at in cluster.partitions_for_topic(topic) or ()]
        led = [at for topic in (SAGA_STATE, CHANGELOG) for at in cluster.available_partitions_for_topic(topic) or ()]
        return bool(known) and len(led) == len(known)

    return ask
