"""What a stage gives that does not reject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Passed(Generic[T]):
    """What the stage found, and a note for people."""

    value: T
    note: str | None = None
