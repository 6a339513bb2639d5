"""What a route is: from one value come its dispatch, the validation of what is asked, and its page in the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from kafka_saga.api.model import Request
from kafka_saga.views.http_api.dependencies import Dependencies

R = TypeVar("R", bound=Request)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and its status."""

    value: BaseModel
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is as its route wants it."""

    request: web.Request
    path: Mapping[str, str]
    params: Request | None = None
    body: Request | None = None

    def asked(self, kind: type[R]) -> R:
        """The query's parameters. Raises TypeError if the route has others."""
        return _as(self.params, kind)

    def given(self, kind: type[R]) -> R:
        """The body. Raises TypeError if the route has another."""
        return _as(self.body, kind)


def _as(value: Request | None, kind: type[R]) -> R:
    if not isinstance(value, kind):
        raise TypeError(f"the route has no {kind.__name__}")
    return value


Handler = Callable[[Dependencies, Call], Awaitable[Reply | web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation. `answers` are the models by status; problems come besides, each status with its reason.

    `path_params` describes what stands in the path, by name: its JSON schema. `events` are the models of a stream's
    events, by name. `links`: what an answer leads to, by the operation's name: its parameters, each as an expression.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answers: Mapping[int, type[BaseModel]]
    tag: str
    description: str = ""
    path_params: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    params: type[Request] | None = None
    body: type[Request] | None = None
    header_params: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    problems: Mapping[int, str] = field(default_factory=dict)
    events: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_write(self) -> bool:
        """Whether it changes anything, and so may need a token."""
        return self.method != "GET"
