"""Configuration of a service: `SAGA_` environment variables, every setting documented here once.

librdkafka properties pass through: `SAGA_KAFKA_SECURITY_PROTOCOL=SASL_SSL` sets `security.protocol`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kafka_saga.observability.tracing.exporters import Exporter
from kafka_saga.worker.paths import saga_home

PASS_THROUGH = "SAGA_KAFKA_"  # noqa: S105  # no password, a prefix


class Settings(BaseSettings):
    """What every service can be told."""

    model_config = SettingsConfigDict(env_prefix="SAGA_", extra="ignore", frozen=True)

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, separated by commas")
    partitions: int = Field(12, ge=1, description="partitions of topics that have to be created; one count for all")
    replication_factor: int = Field(1, ge=1, description="replicas of topics that have to be created")
    blob_url: str = Field(
        default_factory=lambda: str(saga_home() / "blobs"), description="blob store: an fsspec URL or a folder"
    )
    max_in_flight: int = Field(16, ge=1, description="async and heavy handlers of a process that run at once")
    heavy_processes: int = Field(2, ge=1, description="child processes for heavy handlers")
    drain_timeout: float = Field(20, ge=0, description="seconds that running handlers get at shutdown")
    progress_interval: float = Field(10, ge=1, description="seconds between reports of a running handler's progress")
    session_timeout: float = Field(10, ge=1, description="seconds without heartbeat until another takes over")
    transaction_timeout: float = Field(10, ge=1, description="seconds until a dead process's transaction is aborted")
    instance: str | None = Field(None, description="this instance's name; makes its membership static")
    http_host: str = Field("127.0.0.1", description="address of health and metrics")
    http_port: int | None = Field(None, ge=0, le=65535, description="port of health and metrics; none: not served")
    tracing: Exporter | None = Field(
        None, description="where spans go: `otlp`, `console` or `none`; unset: `otlp` if an OTLP endpoint is set"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    kafka: dict[str, str] = Field(default_factory=dict, exclude=True, description="librdkafka properties, as JSON")

    @property
    def kafka_properties(self) -> dict[str, str]:
        """librdkafka properties: the broker addresses, and what was passed through."""
        return {"bootstrap.servers": self.bootstrap_servers, **passed_through(os.environ), **self.kafka}


def passed_through(environment: Mapping[str, str]) -> dict[str, str]:
    """The librdkafka properties among environment variables: `SAGA_KAFKA_SASL_USERNAME` is `sasl.username`."""
    return {
        name.removeprefix(PASS_THROUGH).lower().replace("_", "."): value
        for name, value in environment.items()
        if name.startswith(PASS_THROUGH)
    }
