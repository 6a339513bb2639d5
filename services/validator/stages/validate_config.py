"""Stage 3: is the configuration right?"""

from __future__ import annotations

import tomllib

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.events.code_review import ReviewConfig
from services.validator.config import NAME, ConfigFile
from services.validator.rejection import Code, RejectionError
from services.validator.stages.resolve_config import RawConfig
from services.validator.timeline import Passed


def validate_config(raw: RawConfig) -> Passed[ReviewConfig]:
    """The configuration, complete. Rejects as bad_config, naming every field that is wrong."""
    if raw.content is None:
        return Passed(ReviewConfig(), "defaults")
    where = f"{NAME} at {raw.base:.12}"
    try:
        review = ConfigFile.model_validate(_parse(raw.content, where)).review
    except ValidationError as error:
        raise RejectionError(Code.BAD_CONFIG, f"{where}: {'; '.join(map(_problem, error.errors()))}") from error
    config = ReviewConfig(**review.model_dump(), origin=f"{NAME}@{raw.base}")
    return Passed(config, f"set: {', '.join(sorted(review.model_fields_set)) or 'nothing'}")


def _parse(content: bytes, where: str) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise RejectionError(Code.BAD_CONFIG, f"{where}: not UTF-8 at byte {error.start:,}") from error
    except tomllib.TOMLDecodeError as error:
        raise RejectionError(Code.BAD_CONFIG, f"{where}: not TOML: {error}") from error
    except RecursionError as error:
        raise RejectionError(Code.BAD_CONFIG, f"{where}: not TOML: nested too deeply") from error


def _problem(error: ErrorDetails) -> str:
    field = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"{field}: unknown key, see docs/configuration-of-reviews.md"
    return f"{field}: {error['msg']}"
