"""Prometheus metrics of an HTTP server: requests by route and status, and how long answers took."""

from __future__ import annotations

import time

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Histogram

ANSWERS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Upper bounds of the histogram, in seconds."""

NOWHERE = "none"
"""The route of a request that fits none."""

LEFT = 499
"""The status of a request whose client left before it was answered, as servers write it that have one for it."""

_STREAM = "text/event-stream"
_LABELS = ("service", "method", "route")


class Requests:
    """Counts the requests of an application that it is put before. Labels have few values, whatever clients send."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        self._service = service
        self._count = Counter("saga_http_requests", "requests by status", (*_LABELS, "status"), registry=registry)
        self._seconds = Histogram(
            "saga_http_request_seconds", "time to the answer", _LABELS, registry=registry, buckets=ANSWERS
        )

    def before(self, app: web.Application) -> web.Application:
        """The application, each request of which is counted, whatever comes of it."""
        app.middlewares.insert(0, self._counted)
        return app

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began, status, is_stream = time.monotonic(), LEFT, False
        try:
            answer = await handler(request)
            status, is_stream = answer.status, answer.content_type == _STREAM
        except web.HTTPException as error:
            status = error.status
            raise
        except Exception:
            status = 500
            raise
        else:
            return answer
        finally:
            labels = (self._service, _method(request), _route(request))
            self._count.labels(*labels, str(status)).inc()
            if not is_stream:
                self._seconds.labels(*labels).observe(time.monotonic() - began)


def _method(request: web.Request) -> str:
    return request.method if request.method in hdrs.METH_ALL else "other"


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return NOWHERE if resource is None else resource.canonical
