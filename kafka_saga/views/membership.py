"""Where a worker is: taken first of all, so that whoever asks is told what it waits for, and nobody is there twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from kafka_saga.observability.http_metrics import Requests
from kafka_saga.views.http_server import HttpServer, waiting
from kafka_saga.views.identity import OwnAddress, introducing, somebody
from kafka_saga.views.peers import Peers, Who
from kafka_saga.views.settings import ViewsSettings


@dataclass(frozen=True, slots=True)
class Membership:
    """A worker's door, the address that it gives to others, who it is, and how it reaches others."""

    door: HttpServer
    url: str
    me: Who
    peers: Peers
    address: OwnAddress


async def settled(
    own: ViewsSettings, why: Callable[[], str], kafka: str, requests: Requests, stack: AsyncExitStack
) -> Membership:
    """Take the port, say why there are no answers yet, and see that nobody else has this address.

    Raises UnavailableError if the port cannot be had, TopologyError if the address leads to another worker.
    """
    door = await asyncio.to_thread(HttpServer, own.views_host, own.views_port, requests)
    stack.push_async_callback(door.close)
    me, url = somebody(), own.url_at(door.port)
    await door.open_to(waiting(introducing(me), why, kafka))
    peers = Peers(await stack.enter_async_context(aiohttp.ClientSession()))
    place = Membership(door, url, me, peers, OwnAddress(peers, url, me))
    await place.address.look()
    return place
