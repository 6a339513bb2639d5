"""The console as a process: settings, logs, health, and an orderly stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from pydantic import ValidationError

from kafka_saga.api.health import Health as TablesHealth
from kafka_saga.app import App
from kafka_saga.console.api_client import Api, Unanswered
from kafka_saga.console.app import make_app
from kafka_saga.console.keys import API
from kafka_saga.console.settings import ConsoleSettings
from kafka_saga.errors import ChoreographyError, UnavailableError
from kafka_saga.observability.health import Health
from kafka_saga.observability.health_server import serve
from kafka_saga.observability.http_metrics import Requests
from kafka_saga.observability.http_serving import runner_for
from kafka_saga.observability.logs import log_to_stderr

LOG = logging.getLogger("saga.console")

NAME = "console"

LOOK = 2.0
"""Seconds between two looks at whether the API answers."""

GRACE = 3.0
"""Seconds that pages on their way get at a stop."""


def run(app: App) -> None:
    """Be the console, with the pages of `app`, until SIGTERM or SIGINT.

    Exits with 0 after an orderly stop, 1 after an error.
    """
    settings = load_settings()
    try:
        asyncio.run(_run(settings, app))
    except ChoreographyError as error:
        LOG.error("%s", error)
        sys.exit(1)


def load_settings() -> ConsoleSettings:
    """The settings from the environment; a wrong one ends the process with a sentence that names it."""
    try:
        settings = ConsoleSettings()
    except ValidationError as error:
        sys.exit(f"{NAME}: wrong settings: {'; '.join(_problem(p['loc'], p['msg']) for p in error.errors())}")
    log_to_stderr(NAME, settings.log_level)
    return settings


def _problem(place: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    return f"SAGA_{'_'.join(map(str, place)).upper()}: {said}" if place else said


async def _run(settings: ConsoleSettings, app: App) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    health, registry = Health(NAME), CollectorRegistry()
    ProcessCollector(registry=registry)
    served = await _health_server(settings, health, registry)
    pages = await _pages(make_app(settings, app), settings, registry)
    LOG.info("the console is at %s", _address(settings, pages))
    try:
        await _watch(pages.app[API], health, stop)
    finally:
        LOG.info("stopping")
        await pages.cleanup()
        if served is not None:
            await served.cleanup()


async def _pages(made: web.Application, settings: ConsoleSettings, registry: CollectorRegistry) -> web.AppRunner:
    runner = runner_for(Requests(NAME, registry).before(made), GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.console_host, settings.console_port).start()
    except OSError as error:
        await runner.cleanup()
        raise UnavailableError(
            f"{settings.console_host}:{settings.console_port} cannot be had for the console "
            f"({error.strerror or error}): set SAGA_CONSOLE_PORT to a free port"
        ) from None
    return runner


async def _health_server(
    settings: ConsoleSettings, health: Health, registry: CollectorRegistry
) -> web.AppRunner | None:
    if settings.http_port is None:
        return None
    return await serve(health, registry, settings.http_host, settings.http_port)


async def _watch(api: Api, health: Health, stop: asyncio.Event) -> None:
    """Note whether the API answers, every so often, until told to stop."""
    while not stop.is_set():
        health.reasons = await why_not_ready(api)
        health.turned_at = time.monotonic()
        try:
            await asyncio.wait_for(stop.wait(), LOOK)
        except TimeoutError:
            continue


async def why_not_ready(api: Api) -> tuple[str, ...]:
    """Why there is nothing to show; empty if there is."""
    try:
        tables = await api.get(TablesHealth, "/health")
    except Unanswered as unanswered:
        return (f"no answers to show: {unanswered.problem.detail}",)
    return () if tables.workers else tuple(f"no answers to show: {reason}" for reason in tables.reasons)


def _address(settings: ConsoleSettings, pages: web.AppRunner) -> str:
    port = pages.addresses[0][1] if pages.addresses else settings.console_port
    host = f"[{settings.console_host}]" if ":" in settings.console_host else settings.console_host
    return f"http://{host}:{port}"
