"""Faust's transport, made sure: committed records only, offsets after the changelog, patience with the broker.

Each override stands for something that was seen to go wrong; docs/decisions/0013 says what.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import aiokafka  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]
from faust.exceptions import ProducerSendError
from faust.transport.drivers import aiokafka as driver
from faust.transport.producer import ProducerBuffer
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT, ProducerT
from faust.types.tuples import FutureMessage

LOG = logging.getLogger("saga.views")

FETCH_WAIT = 250
"""Milliseconds that the broker may hold a fetch back: how often a worker learns that it is at the end of the log."""

MOST_UNSENT = 2_000
"""Records on their way to the changelog; then reading waits."""

_DISPLACED = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)

Noted = Callable[[TP, int, int], None]
"""Told of each record that was fetched: where, its offset, its log time (milliseconds UTC)."""


class SureBuffer(ProducerBuffer):
    """Knows of each record whether the broker has it: Faust's own gives up waiting after 100 ms."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._unsent = 0
        self._failure: BaseException | None = None
        self._less = asyncio.Event()

    @property
    def unsent(self) -> int:
        """Records that the broker has not acknowledged."""
        return self._unsent

    def put(self, fut: FutureMessage) -> None:
        """Take a record, and follow it until the broker has it."""
        self._unsent += 1
        fut.add_done_callback(self._ended)
        super().put(fut)

    async def flush(self) -> None:
        """Wait until the broker has everything. Raises ProducerSendError if it will never have something."""
        await self._until(0)

    async def wait_until_ebb(self) -> None:
        """Wait until not too much is on its way."""
        if self._unsent > MOST_UNSENT:
            await self._until(MOST_UNSENT // 2)

    async def _until(self, most: int) -> None:
        while self._unsent > most and self._failure is None:
            self._less.clear()
            await self._less.wait()
        if self._failure is not None:
            raise ProducerSendError(f"the changelog could not be written: {self._failure}") from self._failure

    async def _send_pending(self, fut: FutureMessage) -> None:
        try:
            await super()._send_pending(fut)
        except Exception as error:  # whatever it is, offsets must not go past this record
            if not fut.done():
                fut.set_exception(error)

    def _ended(self, fut: asyncio.Future[Any]) -> None:
        self._unsent -= 1
        if not fut.cancelled() and (error := fut.exception()) is not None:
            self._failure = self._failure or error
        self._less.set()


class SureProducer(driver.Producer):
    """A producer with a buffer that is sure."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffer: SureBuffer = SureBuffer(loop=self.loop, beacon=self.beacon)
        self.buffer.app = self.app


class CommittedThread(driver.AIOKafkaConsumerThread):
    """Reads committed records only; a commit that Kafka cannot take now is made later."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # the fetcher is made of it when the consumer starts
        consumer._fetch_max_wait_ms = FETCH_WAIT
        return consumer

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:
        """The process ends with a sentence; what it died of need not be printed before, too."""
        LOG.warning(msg.format(*fmt))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Whether these offsets are committed. If not, their records are folded once more: that changes nothing."""
        ours = {tp: OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in self.assignment()}
        try:
            await self._ensure_consumer().commit(ours)
        except _DISPLACED:
            return False
        except KafkaError as error:
            LOG.warning("Kafka did not take the offsets (%s): they are committed later", type(error).__name__)
            return False
        return True

    def reached(self, tp: TP) -> tuple[bool, int] | None:
        """Whether all that the last fetch knew of was read, and when that was (milliseconds UTC); none if not known."""
        if self._consumer is None or tp not in self._consumer.assignment():
            return None
        state = self._consumer._subscription.subscription.assignment.state_value(driver.ensure_aiokafka_TP(tp))
        if state is None or not state.has_valid_position or state.lso is None or state.timestamp is None:
            return None
        return state.position >= state.lso, state.timestamp


class CommittedConsumer(driver.Consumer):
    """Folds in order, so what can be committed is simply what was folded last."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)

    def reached(self, tp: TP) -> tuple[bool, int] | None:
        """As `CommittedThread.reached`."""
        return self._thread.reached(tp) if isinstance(self._thread, CommittedThread) else None

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if isinstance(self.transport, SureTransport):
            self.transport.noted(tp, record.offset, record.timestamp or 0)
        return super()._to_message(tp, record)

    def _new_offset(self, tp: TP) -> int | None:
        """Markers of transactions leave gaps in offsets; Faust, which fills them in, can stick at the first one."""
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return last + 1

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """See `_new_offset`."""


class SureTransport(driver.Transport):
    """All of it together; `noted` hears of each fetched record."""

    Consumer: ClassVar[type[ConsumerT]] = CommittedConsumer
    Producer: ClassVar[type[ProducerT]] = SureProducer

    noted: Noted = staticmethod(lambda tp, offset, at: None)
