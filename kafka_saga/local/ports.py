"""Which port the broker gets: the wanted one, or another that is free, and then why."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

from kafka_saga.errors import UnavailableError

HOST = "127.0.0.1"
DEFAULT_PORT = 9092
#: Below what Linux (32768) and macOS (49152) give to outgoing connections: while the broker is down between a kill
#: and a restart, nobody gets its port by chance.
_LOW, _HIGH = 20_000, 32_000


@dataclass(frozen=True)
class PortChoice:
    """A free port, and why it is not the default one, if so."""

    port: int
    why: str | None = None


def choose_port(wanted: int | None, is_free: Callable[[int], bool]) -> PortChoice:
    """Choose by wish: None for the default or the next free one above it, 0 for any free one, else exactly that one.

    Raises:
        UnavailableError: the port that was asked for is taken, or none is free.
    """
    match wanted:
        case None:
            return _default_or_next(is_free)
        case 0:
            return PortChoice(any_port(is_free))
        case _ if is_free(wanted):
            return PortChoice(wanted)
    raise UnavailableError(f"Port {wanted} on {HOST} is taken: choose another, or leave the choice to us.")


def _default_or_next(is_free: Callable[[int], bool]) -> PortChoice:
    port = next((port for port in range(DEFAULT_PORT, DEFAULT_PORT + 100) if is_free(port)), None)
    if port is None:
        raise UnavailableError(f"No port from {DEFAULT_PORT} to {DEFAULT_PORT + 99} is free on {HOST}: name one.")
    return PortChoice(port, None if port == DEFAULT_PORT else f"port {DEFAULT_PORT} is taken by another program")


def any_port(is_free: Callable[[int], bool], below: Callable[[int], int] = secrets.randbelow) -> int:
    """Return a free port, random so that brokers started side by side do not want the same one."""
    for _ in range(200):
        if is_free(port := _LOW + below(_HIGH - _LOW)):
            return port
    raise UnavailableError(f"No free port between {_LOW} and {_HIGH} on {HOST}: too many programs listen.")


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` of this machine's loopback."""
    return not accepts(port) and _can_bind(port)


def accepts(port: int) -> bool:
    """Whether somebody accepts connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        # as Java does: a port whose last connections still linger is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
