"""What went wrong, for programs and for people: RFC 9457, `application/problem+json`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kafka_saga.api.model import Value

PROBLEM_JSON = "application/problem+json"


class ProblemType(StrEnum):
    """What kind of problem it is; the `type` member is a URN made of it."""

    INVALID = "invalid-request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD = "method-not-allowed"
    CONFLICT = "conflict"
    KEY_REUSED = "idempotency-key-reused"
    NOT_ACCEPTABLE = "not-acceptable"
    TOO_LARGE = "too-large"
    MEDIA_TYPE = "unsupported-media-type"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"

    @property
    def urn(self) -> str:
        """The `type` member of a problem."""
        return f"urn:saga:problem:{self.value}"


class FieldProblem(Value):
    """One field of a request that is not as it should be; `field` is a query parameter, or a path into the body."""

    field: str
    detail: str


class Problem(Value):
    """Why there is no answer (RFC 9457, 3.1); `retry_after` (seconds) where asking again makes sense."""

    type: Annotated[str, Field(description="`urn:saga:problem:...`: the kind of problem, for programs")]
    title: Annotated[str, Field(description="the kind of problem, for people")]
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="what happened here, and what to do")]
    instance: Annotated[str, Field(description="the path that was asked for")]
    retry_after: Annotated[int | None, Field(ge=0, description="seconds")] = None
    errors: tuple[FieldProblem, ...] = ()
