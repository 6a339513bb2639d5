"""What the application and its requests carry."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from kafka_saga.console.api_client import Api
from kafka_saga.console.sessions import Session, Sessions
from kafka_saga.console.settings import ConsoleSettings


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the session, and what its forms carry."""

    session: Session
    csrf: str


SETTINGS: web.AppKey[ConsoleSettings] = web.AppKey("settings", ConsoleSettings)
SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions", Sessions)
API: web.AppKey[Api] = web.AppKey("api", Api)
ASKER: web.RequestKey[Asker] = web.RequestKey("asker", Asker)
