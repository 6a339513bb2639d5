from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kafka_saga.local.places import CONSOLE_PORT, VIEWS_PORT, console_url, login_url, places


def test_a_token_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = places(tmp_path, {})["SAGA_CONSOLE_TOKEN"]
    assert len(first) >= 32
    assert places(tmp_path, {})["SAGA_CONSOLE_TOKEN"] == first
    assert (tmp_path / "up" / "console-token").stat().st_mode & 0o777 == 0o600


def test_what_the_user_says_counts(tmp_path: Path) -> None:
    given = {"SAGA_CONSOLE_TOKEN": "a token of the user", "SAGA_CONSOLE_PORT": "1234", "SAGA_VIEWS_URL": "http://v:1"}
    found = places(tmp_path, given)
    assert found == {**given, "SAGA_VIEWS_PORT": str(VIEWS_PORT)}
    assert login_url(tmp_path, console_url(found)) == "http://127.0.0.1:1234/login#token=a%20token%20of%20the%20user"


def test_a_port_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", CONSOLE_PORT))
        except OSError:
            pass  # somebody else has it: just as well
        else:
            taken.listen()
        assert int(places(tmp_path, {})["SAGA_CONSOLE_PORT"]) > CONSOLE_PORT


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:1"), ("::1", "http://[::1]:1"), ("", "http://127.0.0.1:1")]
)
def test_the_address_is_one_that_this_machine_reaches(host: str, url: str) -> None:
    assert console_url({"SAGA_CONSOLE_HOST": host, "SAGA_CONSOLE_PORT": "1"}) == url


def test_without_a_token_the_address_is_plain(tmp_path: Path) -> None:
    assert login_url(tmp_path, "http://x:1") == "http://x:1"
