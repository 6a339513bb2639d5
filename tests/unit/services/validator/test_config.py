"""The documentation of `.saga.toml` names every field, and every default is the event's default."""

from __future__ import annotations

from pathlib import Path

from schemas.events.code_review import ReviewConfig
from services.validator.config import ReviewSection
from services.validator.rejection import Code

DOCUMENT = Path(__file__).parents[4] / "docs" / "configuration-of-reviews.md"


def test_every_field_and_every_rejection_is_documented() -> None:
    text = DOCUMENT.read_text()
    assert [name for name in (*ReviewSection.model_fields, *Code) if f"| `{name}` |" not in text] == []


def test_the_defaults_are_those_of_the_event() -> None:
    assert ReviewConfig(**ReviewSection().model_dump()) == ReviewConfig()
