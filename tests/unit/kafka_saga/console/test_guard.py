from __future__ import annotations

import asyncio

import pytest

from kafka_saga.console.guard import host_name
from tests.unit.kafka_saga.console.consoles import TOKEN, running


@pytest.mark.parametrize(
    ("host", "name"),
    [("localhost:8430", "localhost"), ("127.0.0.1", "127.0.0.1"), ("[::1]:8430", "::1"), ("A.Example:1", "a.example")],
)  # fmt: skip
def test_the_name_in_a_host_header_is_found(host: str, name: str) -> None:
    assert host_name(host) == name


def test_a_name_that_nobody_told_us_of_is_refused() -> None:
    async def go() -> None:
        async with running(console_names="console.example, other.example") as console:
            assert await console.status("/sagas", Host="evil.example") == 421
            assert "SAGA_CONSOLE_NAMES" in await console.text("/sagas", Host="evil.example:80")
            for known in ("localhost:8430", "10.0.0.7", "[::1]:8430", "Console.Example"):
                assert await console.status("/sagas", Host=known) == 200

    asyncio.run(go())


@pytest.mark.parametrize("path", ["/sagas", "/nothing", "/static/console.css", "/login"])
def test_every_answer_carries_the_headers(path: str) -> None:
    async def go() -> None:
        async with running() as console, console.client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"

    asyncio.run(go())


def test_the_cookie_is_kept_from_scripts_and_other_sites() -> None:
    async def go() -> None:
        async with running() as console, console.client.get("/sagas") as answer:
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie

    asyncio.run(go())


def test_a_form_of_another_site_is_refused() -> None:
    async def go() -> None:
        async with running() as console:
            await console.log_in()
            fields = {"command": "cancel", "saga_id": "a@b", "confirmed": "1", "author": "eve"}
            for origin in ("http://evil.example", "null", "", f"{console.origin}.evil.example"):
                answer = await console.send("/steer", fields, Origin=origin)
                assert answer.status == 403
            assert console.api.commands == []

    asyncio.run(go())


def test_a_form_without_this_browsers_own_sign_is_refused() -> None:
    async def go() -> None:
        async with running() as console:
            await console.log_in()
            fields = {"command": "cancel", "saga_id": "a@b", "confirmed": "1", "author": "eve"}
            for sign in ("", "0" * 64):
                answer = await console.send("/steer", {**fields, "csrf": sign})
                assert answer.status == 403
            assert console.api.commands == []

    asyncio.run(go())


def test_who_has_no_login_cannot_act() -> None:
    async def go() -> None:
        async with running() as console:
            answer = await console.send("/steer", {"command": "pause", "saga_id": "a@b", "author": "eve"})
            assert (answer.status, answer.headers["Location"].partition("?")[0]) == (303, "/login")
            answer = await console.send("/dead-letters/0/1/redrive", {"author": "eve"})
            assert answer.status == 303
            assert (console.api.commands, console.api.redriven) == ([], [])

    asyncio.run(go())


def test_a_wrong_token_does_not_log_in() -> None:
    async def go() -> None:
        async with running() as console:
            for token in ("", "wrong", TOKEN + "x"):
                answer = await console.send("/login", {"token": token, "author": "eve"})
                assert answer.status == 403
            assert "That is not the token" in await answer.text()
            assert "Log out" not in await console.text("/sagas")

    asyncio.run(go())


def test_logging_in_takes_a_new_session_and_leads_back() -> None:
    async def go() -> None:
        async with running() as console:
            before = await console.csrf()
            answer = await console.send("/login", {"token": TOKEN, "author": "ada", "next": "/incidents?step=llm"})
            assert answer.headers["Location"] == "/incidents?step=llm"
            assert "Log out" in await console.text("/sagas")
            assert await console.csrf() != before
            await console.send("/logout", {})
            assert "Log out" not in await console.text("/sagas")

    asyncio.run(go())


@pytest.mark.parametrize("target", ["//evil.example", "http://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_a_login_never_leads_to_another_site(target: str) -> None:
    async def go() -> None:
        async with running() as console:
            answer = await console.send("/login", {"token": TOKEN, "author": "ada", "next": target})
            assert answer.headers["Location"] == "/sagas"

    asyncio.run(go())


def test_where_others_can_reach_it_nobody_looks_without_a_login() -> None:
    async def go() -> None:
        async with running(console_host="0.0.0.0") as console:
            async with console.client.get("/sagas", allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/sagas")
            assert await console.status("/static/console.css") == 200
            await console.log_in()
            assert "Ask before deleting" in await console.text("/sagas")

    asyncio.run(go())
