"""The step comment: llm.completed -> comments.created, and its compensation."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from kafka_saga import Context, TerminalError
from schemas.events.code_review import CommentsCreated, LlmCompleted
from services.comments.document import compose, marker_of
from services.comments.folder import FolderSink
from services.comments.settings import ReviewSettings
from services.comments.sink import Receipt, Sink, Withdrawal

_MARKER = re.compile(r"saga-review-[0-9a-f]{32}")


async def post(event: LlmCompleted, context: Context) -> CommentsCreated:
    """Write the review below the review folder. Raises RetryableError if it cannot be written."""
    return await post_to(FolderSink(ReviewSettings().review_dir), event, context)


async def post_to(sink: Sink, event: LlmCompleted, context: Context) -> CommentsCreated:
    """Post the review to `sink`, under a marker that is the same however often this step is run in this epoch."""
    review = compose(event, marker_of(context.idempotency_key))
    receipt = await sink.post(review)
    return CommentsCreated(
        pull_request=event.pull_request,
        verdict=event.verdict,
        sink=receipt.sink,
        marker=review.marker,
        location=receipt.location,
        inline_comments=len(review.inline),
        summarised=len(review.summarised),
        files=receipt.files,
    )


async def withdraw(event: CommentsCreated, context: Context) -> str:
    """Take back the review that this saga posted, and leave a note. Raises RetryableError if the disk refuses."""
    return await withdraw_from(FolderSink(ReviewSettings().review_dir), event, context, datetime.now(UTC))


async def withdraw_from(sink: Sink, event: CommentsCreated, context: Context, now: datetime) -> str:
    """Take the review of `event` back from `sink`; what is not there, or is of another review, is left alone."""
    if not _MARKER.fullmatch(event.marker):
        raise TerminalError(
            f"{event.marker!r} is no marker of a review: look at {event.location} and remove it by hand"
        )
    pull_request = event.pull_request
    title = f"{pull_request.repository} #{pull_request.number} at {pull_request.head_sha[:12]}"
    receipt = Receipt(event.sink, event.location, event.files)
    return await sink.withdraw(receipt, Withdrawal(event.marker, title, context.saga_id, now))
