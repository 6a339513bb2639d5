"""What `.saga.toml` may say: strict, so that a typing error is an error and not a default."""

from __future__ import annotations

from typing import Annotated

from pathspec import GitIgnoreSpec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.events.code_review import Severity
from services.validator.limits import MIB

NAME = ".saga.toml"
MAX_FILE_BYTES = 10 * MIB


def _require_pattern(pattern: str) -> str:
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError as error:
        raise ValueError(f"{pattern!r} is not a gitignore pattern") from error
    return pattern


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_require_pattern)]
RuleId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ReviewSection(BaseModel):
    """The table `[review]`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    include: Annotated[list[Pattern], Field(max_length=200)] = []
    exclude: Annotated[list[Pattern], Field(max_length=200)] = []
    min_severity: Annotated[Severity, Field(strict=False)] = Severity.LOW
    disabled_rules: Annotated[list[RuleId], Field(max_length=500)] = []
    max_file_bytes: Annotated[int, Field(gt=0, le=MAX_FILE_BYTES, description="bytes")] = 512 * 1024
    max_inline_comments: Annotated[int, Field(ge=0, le=30)] = 30


class ConfigFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    review: ReviewSection = ReviewSection()
