"""What the HTTP API answers beside the framework's own: the review that a saga is."""

from __future__ import annotations

from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.handlers.lookup import found
from kafka_saga.views.http_api.handlers.sagas import history_of
from kafka_saga.views.http_api.routes import Call, Reply, Route
from kafka_saga.views.http_api.table import NO_SAGA, SAGA_ID
from schemas.review import Review
from services.app.reviewing import review_of


async def review(api: Dependencies, call: Call) -> Reply:
    """The code review that a saga is."""
    state, of_key = await found(api, call.path["saga_id"])

    def look() -> Reply:
        told = (one.event for one in history_of(api, state) if one.event is not None)
        return Reply(review_of(told, api.blobs, of_key.behind_s))

    return await api.reading(look)


ROUTES = (
    Route(
        method="GET",
        path="/sagas/{saga_id}/review",
        name="getReview",
        summary="The code review that a saga is: the diff, with the findings at their lines",
        handler=review,
        answers={200: Review},
        tag="sagas",
        path_params=SAGA_ID,
        problems=NO_SAGA,
    ),
)
