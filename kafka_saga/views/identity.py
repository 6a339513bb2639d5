"""Who a worker is: an id made at its start, by which it sees whether the address that it gives leads back to it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid

from aiohttp import web

from kafka_saga.errors import TopologyError
from kafka_saga.views.peers import PATH, PeerError, Peers, Who

LOG = logging.getLogger("saga.views")

EVERY = 10.0
"""Seconds between two looks at whether the own address still leads back."""


def somebody() -> Who:
    """A worker that has just started."""
    return Who(uuid.uuid4().hex, os.getpid(), socket.gethostname())


def introducing(me: Who) -> web.RouteDef:
    """Says who is here."""

    async def who(_: web.Request) -> web.Response:
        return web.Response(body=me.encoded, content_type="application/json")

    return web.get(f"{PATH}/who", who)


class OwnAddress:
    """The address that a worker gives to others. `wrong` is what is wrong with it, as a sentence, or empty."""

    def __init__(self, peers: Peers, url: str, me: Who) -> None:
        self.wrong = ""
        self._peers = peers
        self._url = url
        self._me = me

    def complaints(self) -> tuple[str, ...]:
        """What is wrong with it, as sentences."""
        return (self.wrong,) if self.wrong else ()

    async def look(self) -> None:
        """See where it leads. Raises TopologyError if that is another worker: each would answer for the other."""
        try:
            found = await self._peers.who(self._url)
        except PeerError as error:
            self._note(error)
            return
        if found.id != self._me.id:
            raise TopologyError(
                f"{self._url} is the address that this worker (process {self._me.process} on {self._me.host}) gives to "
                f"others, but it leads to another one (process {found.process} on {found.host}): with one "
                "address they would answer for each other's partitions. Give each its own SAGA_VIEWS_PORT, and a "
                "SAGA_VIEWS_URL that leads to it alone, or none"
            )
        self.wrong = ""

    async def watch(self) -> None:
        """Look again and again, until cancelled. Raises as `look`."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look()

    def _note(self, error: PeerError) -> None:
        """Said once until it is well again; it is no error, since an address may lead here from elsewhere only."""
        if not self.wrong:
            LOG.warning("%s: %s", self._sentence, error)
        self.wrong = self._sentence

    @property
    def _sentence(self) -> str:
        return (
            f"{self._url} is the address that this worker gives to others, but does not lead back to it: they may not "
            "reach it. Set SAGA_VIEWS_URL to an address that does"
        )
