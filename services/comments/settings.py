"""Settings of the comments service, from `SAGA_` environment variables."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kafka_saga.worker.paths import saga_home


def default_review_dir() -> Path:
    """`reviews` in the saga home."""
    return saga_home() / "reviews"


class ReviewSettings(BaseSettings):
    """Where the folder sink writes."""

    model_config = SettingsConfigDict(env_prefix="SAGA_", env_ignore_empty=True, extra="ignore")

    review_dir: Path = Field(default_factory=default_review_dir, description="folder that reviews are written below")
