"""What every value of the API is: frozen; answers may grow, requests are taken to the letter."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from kafka_saga.wire.wording import LINE_PATTERN, PROSE_PATTERN, line, prose

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T12:00:00.000Z"])]
"""RFC 3339 UTC with milliseconds and `Z`."""

Milliseconds = Annotated[int, Field(description="milliseconds")]

Count = Annotated[int, Field(ge=0)]


Author = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra={"pattern": LINE_PATTERN}), AfterValidator(line)
]
"""Who asks: one line that says something, with no characters that are not seen."""

Reason = Annotated[str, Field(max_length=2000, json_schema_extra={"pattern": PROSE_PATTERN}), AfterValidator(prose)]
"""Why: any number of lines, with no other characters that are not seen."""

KeyPrefix = Annotated[
    str, Field(min_length=1, max_length=1000, json_schema_extra={"pattern": LINE_PATTERN}), AfterValidator(line)
]
"""How business keys begin."""


class Value(BaseModel):
    """A value of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Answer(Value):
    """The outermost value of an answer."""

    behind_s: Annotated[
        float, Field(ge=0, description="how many seconds the answer is behind the log; of several workers the worst")
    ] = 0.0


class Request(BaseModel):
    """A value that a client sends; fields that are not known are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
