"""Settings of the views, from `SAGA_` environment variables."""

from __future__ import annotations

import socket

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import TopologyError
from services.views.api.access import refuse_open_writes

_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # told apart, not bound to


class ViewsSettings(BaseSettings):
    """Where the HTTP API of this worker is."""

    model_config = SettingsConfigDict(env_prefix="SAGA_", env_ignore_empty=True, extra="ignore", frozen=True)

    views_host: str = Field("127.0.0.1", description="address of the HTTP API")
    views_port: int = Field(8420, ge=0, le=65535, description="port of the HTTP API; 0: any that is free")
    views_url: str | None = Field(
        None, pattern=r"^https?://[^/\s]+$", description="how other workers and clients reach this one"
    )
    api_token: str | None = Field(None, min_length=8, description="what writing requests have to bring; none: nothing")

    def url_at(self, port: int) -> str:
        """How others reach this worker; where nothing is said, by its address, or by its name if that is any."""
        if self.views_url is not None:
            return self.views_url
        host = socket.gethostname() if self.views_host in _ANY else self.views_host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def views_settings() -> ViewsSettings:
    """The settings from the environment. Raises ChoreographyError that names a wrong one."""
    try:
        settings = ViewsSettings()
    except ValidationError as error:
        raise TopologyError(
            "; ".join(f"SAGA_{'_'.join(map(str, p['loc'])).upper()}: {p['msg']}" for p in error.errors())
        ) from None
    refuse_open_writes(settings.views_host, settings.api_token)
    return settings
