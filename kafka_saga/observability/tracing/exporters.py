"""Which exporter takes the spans: by the setting, else by OpenTelemetry's own variables. Imports nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Exporter(StrEnum):
    """Where spans go."""

    OTLP = "otlp"
    CONSOLE = "console"
    NONE = "none"


def exporter_of(wanted: Exporter | None, environment: Mapping[str, str]) -> Exporter:
    """Where spans go, by the setting, else by OpenTelemetry's own variables."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Exporter.NONE
    if wanted is not None:
        return wanted
    return Exporter.OTLP if any(environment.get(name) for name in ENDPOINTS) else Exporter.NONE
