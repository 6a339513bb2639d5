"""Settings of the comments service, from `SAGA_` environment variables."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_review_dir() -> Path:
    """`reviews` in the saga home: $SAGA_HOME, else $XDG_DATA_HOME/saga, else ~/.local/share/saga."""
    if home := os.environ.get("SAGA_HOME"):
        return Path(home) / "reviews"
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "saga" / "reviews"


class ReviewSettings(BaseSettings):
    """Where the folder sink writes."""

    model_config = SettingsConfigDict(env_prefix="SAGA_", env_ignore_empty=True, extra="ignore")

    review_dir: Path = Field(default_factory=default_review_dir, description="folder that reviews are written below")
