"""The application that ships: code review of pull requests."""

from __future__ import annotations

from kafka_saga import COMPLETED, OnConflict, OnFailure, Retry, Saga, Step, hours, minutes, seconds
from schemas.events.code_review import (
    AstCompleted,
    CommentsCreated,
    LlmCompleted,
    PrReceived,
    PrRejected,
    PrValidated,
)

PATIENT = Retry(attempts=8, first=seconds(5), max_delay=minutes(10))

CODE_REVIEW = Saga(
    name="code_review",
    version=1,
    starts_on=PrReceived,
    key="{repository}#{number}",
    run="{head_sha:.12}",
    steps=(
        Step("validate", on=PrReceived, emits=(PrValidated, PrRejected), timeout=minutes(1)),
        Step("ast", on=PrValidated, emits=(AstCompleted,), timeout=hours(1)),
        Step("llm", on=AstCompleted, emits=(LlmCompleted,), timeout=minutes(30), retry=PATIENT),
        Step("comment", on=LlmCompleted, emits=(CommentsCreated,), compensates=True),
    ),
    ends={PrRejected: COMPLETED, CommentsCreated: COMPLETED},
    on_failure=OnFailure.COMPENSATE,
    on_conflict=OnConflict.SUPERSEDE,
    description="Reviews every new head of a pull request and posts what it finds.",
)
