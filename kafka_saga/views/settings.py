"""Settings of the views, from `SAGA_` environment variables."""

from __future__ import annotations

import socket

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from kafka_saga.api.access import ApiToken
from kafka_saga.errors import TopologyError
from kafka_saga.views.http_api.access import refuse_open_writes

_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # told apart, not bound to


class ViewsSettings(BaseSettings):
    """Where the HTTP API of this worker is."""

    model_config = SettingsConfigDict(env_prefix="SAGA_", env_ignore_empty=True, extra="ignore", frozen=True)

    views_host: str = Field("127.0.0.1", description="address of the HTTP API")
    views_port: int = Field(8420, ge=0, le=65535, description="port of the HTTP API; 0: any that is free")
    views_url: str | None = Field(None, description="how other workers and clients reach this one")
    api_token: ApiToken | None = Field(None, description="what writing requests have to bring; none: nothing")

    @field_validator("views_url")
    @classmethod
    def _is_an_address(cls, given: str | None) -> str | None:
        return None if given is None else _address(given)

    def url_at(self, port: int) -> str:
        """How others reach this worker; where nothing is said, by its address, or by its name if that is any."""
        if self.views_url is not None:
            return self.views_url
        host = socket.gethostname() if self.views_host in _ANY else self.views_host
        return _address(f"http://{bracketed(host)}:{port}")


def bracketed(host: str) -> str:
    """A host as it stands before a port: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _address(given: str) -> str:
    """An address of a worker, written as every worker writes it: they are compared as text."""
    example = "http://views-1:8420"
    try:
        url = URL(given)
    except ValueError as error:
        raise ValueError(f"no address like {example} ({error})") from None
    if url.scheme not in {"http", "https"} or not url.host or url.relative().raw_path_qs not in {"", "/"}:
        raise ValueError(f"it has to be an address like {example}, with nothing behind it")
    return str(url.origin())


def views_settings() -> ViewsSettings:
    """The settings from the environment. Raises ChoreographyError that names a wrong one."""
    try:
        settings = ViewsSettings()
    except ValidationError as error:
        raise TopologyError(
            "; ".join(f"SAGA_{'_'.join(map(str, p['loc'])).upper()}: {_said(p['msg'])}" for p in error.errors())
        ) from None
    refuse_open_writes(settings.views_host, settings.api_token)
    return settings


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
