"""A collector of traces: what speaks OTLP over HTTP (protobuf) sends its spans here."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import NamedTuple, Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


class Received(NamedTuple):
    """One span."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    attributes: dict[str, str]


class Collector:
    """Listens on a port of this machine while it is entered."""

    def __init__(self) -> None:
        self.spans: list[Received] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="collector")
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> str:
        """For `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        assert self._runner is not None
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def of(self, saga: str) -> list[Received]:
        """What has come in the trace of a saga, by its id."""
        traces = {span.trace for span in self.spans if span.attributes.get("saga.id") == saga}
        return [span for span in self.spans if span.trace in traces]

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        app = web.Application()
        app.add_routes([web.post("/v1/traces", self._take)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def _take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        for resource in ExportTraceServiceRequest.FromString(await request.read()).resource_spans:
            service = _as_dict(resource.resource.attributes)["service.name"]
            self.spans += [
                Received(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _as_dict(span.attributes),
                )
                for scope in resource.scope_spans
                for span in scope.spans
            ]
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )


def _as_dict(attributes: object) -> dict[str, str]:
    found: list[KeyValue] = list(attributes)  # type: ignore[call-overload]
    return {one.key: str(getattr(one.value, one.value.WhichOneof("value") or "string_value")) for one in found}
