"""The handler of the step `validate`: pr.received -> pr.validated or pr.rejected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from kafka_saga import Context
from schemas.events.code_review import DiffSource, GitSource, PrReceived, PrRejected, PrValidated, PullRequest
from services.validator.fingerprint import LastAccepted
from services.validator.limits import Limits
from services.validator.rejection import RejectionError
from services.validator.sources.git_repository import GitRepository
from services.validator.sources.source import Source
from services.validator.sources.unified_diff import UnifiedDiff
from services.validator.stages.fetch_changed_files import fetch_changed_files
from services.validator.stages.resolve_config import resolve_config
from services.validator.stages.validate_config import validate_config
from services.validator.stages.validate_new_commits import validate_new_commits
from services.validator.timeline import Timeline

# An event says enough about the pull request; what a person wrote beyond this stays where it was written.
_MAX_TEXT = {"description": 20_000, "author": 200, "url": 2_000}


@dataclass(frozen=True, slots=True)
class Validation:
    """The outcome, and what to remember of it for this pull request (none: what was remembered stays)."""

    outcome: PrValidated | PrRejected
    accepted: LastAccepted | None = None


async def validate(event: PrReceived, context: Context) -> PrValidated | PrRejected:
    """Look at the pull request in one worker thread, and remember its head if it is accepted.

    Raises RetryableError when the repository or the blob store cannot be read or written now.
    """
    validation = await asyncio.to_thread(run_stages, event, context)
    if validation.accepted is not None:
        context.state.set(validation.accepted.model_dump_json().encode())
    return validation.outcome


def run_stages(
    event: PrReceived,
    context: Context,
    clock: Callable[[], float] = time.perf_counter,
    limits: Limits | None = None,
) -> Validation:
    """The light stages, one after the other; the first rejection ends it. `clock` gives seconds."""
    timeline = Timeline(clock)
    try:
        return _accept(event, context, timeline, limits or Limits())
    except RejectionError as rejection:
        pull_request = _pull_request(event, event.base_sha, event.head_sha)
        return Validation(
            PrRejected(
                pull_request=pull_request, code=rejection.code, reason=rejection.reason, stages=timeline.stages()
            )
        )


def _accept(event: PrReceived, context: Context, timeline: Timeline, limits: Limits) -> Validation:
    news = timeline.run(
        "validate_new_commits",
        lambda: validate_new_commits(lambda: _open_source(event, limits), context.state.get(), context.saga_id),
    )
    raw = timeline.run("resolve_config", lambda: resolve_config(news.source, news.commits.base))
    config = timeline.run("validate_config", lambda: validate_config(raw))
    fetched = timeline.run(
        "fetch_changed_files",
        lambda: fetch_changed_files(news.source, config, context.blobs, limits, lambda: context.cancelled),
    )
    outcome = PrValidated(
        pull_request=_pull_request(event, news.commits.base, news.commits.head),
        config=config,
        stages=timeline.stages(),
        files=fetched.summaries,
        changes=fetched.changes,
    )
    return Validation(outcome, news.accepted)


def _open_source(event: PrReceived, limits: Limits) -> Source:
    """The source of the pull request. Raises RejectionError if there is none where the event says."""
    match event.source:
        case GitSource(path=path):
            return GitRepository(path, event.base_sha, event.head_sha, limits)
        case DiffSource(text=text):
            return UnifiedDiff(text, event.base_sha, event.head_sha, limits)


def _pull_request(event: PrReceived, base: str, head: str) -> PullRequest:
    """The pull request with full object names where they are known, its texts cut to bounds."""
    known = event.model_dump(include=set(PullRequest.model_fields))
    for field, most in _MAX_TEXT.items():
        text = known[field]
        if text is not None and len(text) > most:
            known[field] = f"{text[: most - 1]}…"
    return PullRequest(**known | {"base_sha": base, "head_sha": head})
