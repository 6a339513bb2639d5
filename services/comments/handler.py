"""The step comment: llm.completed -> comments.created."""

from __future__ import annotations

from schemas.events.code_review import CommentsCreated, LlmCompleted
from services.chassis.context import Context
from services.comments.document import compose, marker_of
from services.comments.folder import FolderSink
from services.comments.settings import ReviewSettings
from services.comments.sink import Sink


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
