"""Where spans go: OpenTelemetry's SDK, put together by its own environment variables (`OTEL_*`)."""

from __future__ import annotations

import logging
import os

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from kafka_saga.observability.logs import Seldom
from kafka_saga.observability.tracing.exporters import Exporter
from kafka_saga.observability.tracing.identity import GivenIds
from kafka_saga.observability.tracing.spans import Spans

SAID_EVERY = 60.0
"""Seconds between two lines about a collector that does not take spans."""


def exporting(exporter: Exporter, service: str) -> Spans:
    """The spans of this process, and of what its handlers use: the provider is the process's own."""
    provider, ids = provided(service, BatchSpanProcessor(_exporter(exporter)))
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):  # else somebody has set up another
        trace.set_tracer_provider(provider)
    return Spans(provider, ids, service)


def provided(service: str, processor: SpanProcessor) -> tuple[TracerProvider, GivenIds]:
    """A provider whose spans may be given their ids; `OTEL_SERVICE_NAME` names it otherwise."""
    ids = GivenIds()
    own = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service}
    provider = TracerProvider(resource=Resource.create(own), id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider, ids


def _exporter(exporter: Exporter) -> SpanExporter:
    if exporter is Exporter.CONSOLE:
        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # loads requests

    logging.getLogger(OTLPSpanExporter.__module__).addFilter(Seldom(SAID_EVERY))
    return OTLPSpanExporter()
