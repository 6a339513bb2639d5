"""From the `source` of an event to the Source that reads it."""

from __future__ import annotations

from schemas.events.code_review import DiffSource, GitSource, PrReceived
from services.validator.limits import Limits
from services.validator.sources.git_repository import GitRepository
from services.validator.sources.source import Source
from services.validator.sources.unified_diff import UnifiedDiff


def open_source(event: PrReceived, limits: Limits) -> Source:
    """The source of the pull request. Raises RejectionError if there is none where the event says."""
    match event.source:
        case GitSource(path=path):
            return GitRepository(path, event.base_sha, event.head_sha, limits)
        case DiffSource(text=text):
            return UnifiedDiff(text, event.base_sha, event.head_sha, limits)
