"""Configuration of the console: `SAGA_` environment variables."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self

from pydantic import Field, HttpUrl, TypeAdapter, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kafka_saga.api.access import ApiToken

_URL = TypeAdapter(HttpUrl)


class ConsoleSettings(BaseSettings):
    """What the console can be told."""

    model_config = SettingsConfigDict(env_prefix="SAGA_", env_ignore_empty=True, extra="ignore", frozen=True)

    console_host: str = Field("127.0.0.1", description="address of the web console")
    console_port: int = Field(8430, ge=0, le=65535, description="port of the web console")
    console_token: Annotated[str | None, Field(min_length=16)] = Field(
        None, description="who logs in to the console with it may act, 16 characters or more; unset: nobody may"
    )
    console_names: str = Field(
        "", description="names that the console is reached by, by commas; IP addresses and localhost always work"
    )
    views_url: str = Field("http://127.0.0.1:8420", description="where the HTTP API is")
    api_token: ApiToken | None = Field(None, description="bearer token of the HTTP API, for commands")
    http_host: str = Field("127.0.0.1", description="address of health and metrics")
    http_port: int | None = Field(None, ge=0, le=65535, description="port of health and metrics; none: not served")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        _URL.validate_python(self.views_url)
        if not self.is_private and self.console_token is None:
            raise ValueError(
                f"others can reach {self.console_host}: set SAGA_CONSOLE_TOKEN, which they then need to look and to act"
            )
        return self

    @property
    def is_private(self) -> bool:
        """Whether only this machine can reach it; then looking is free."""
        return is_loopback(self.console_host)

    @property
    def names(self) -> frozenset[str]:
        """The names by which it may be reached, in lower case."""
        given = (name.strip().lower() for name in self.console_names.split(","))
        return frozenset({"localhost", *filter(None, given)})


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
