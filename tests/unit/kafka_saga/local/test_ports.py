"""Which port the broker gets."""

from __future__ import annotations

import socket

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.local.ports import HOST, PortChoice, any_port, choose_port, is_free


def taken(*ports: int) -> set[int]:
    return set(ports)


def test_the_default_port_needs_no_explanation() -> None:
    assert choose_port(None, lambda _: True) == PortChoice(9092)


def test_a_taken_default_port_gives_the_next_free_one_and_says_why() -> None:
    busy = taken(9092, 9093)
    assert choose_port(None, lambda port: port not in busy) == PortChoice(9094, "port 9092 is taken by another program")


def test_a_named_port_is_that_port_or_an_error() -> None:
    assert choose_port(7000, lambda _: True) == PortChoice(7000)
    with pytest.raises(UnavailableError, match=r"Port 7000 on 127\.0\.0\.1 is taken"):
        choose_port(7000, lambda _: False)


def test_any_port_is_below_the_ports_of_outgoing_connections() -> None:
    draws = iter([0, 5])
    assert any_port(lambda port: port != 20_000, lambda _: next(draws)) == 20_005
    assert 20_000 <= choose_port(0, lambda _: True).port < 32_000


@pytest.mark.parametrize("wanted", [None, 0])
def test_no_free_port_at_all_is_said(wanted: int | None) -> None:
    with pytest.raises(UnavailableError, match="free"):
        choose_port(wanted, lambda _: False)


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
