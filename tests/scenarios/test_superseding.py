"""A later head supersedes the review of an earlier one: code review on the in-memory log, posting to a real folder."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from kafka_saga.engine.context import Context
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus, StepStatus
from kafka_saga.worker.service import Service
from schemas.events.code_review import (
    AstCompleted,
    CommentsCreated,
    LlmCompleted,
    PrReceived,
    PrRejected,
    PrValidated,
    Verdict,
)
from services.comments.handler import post, withdraw
from services.validator.handler import validate
from tests.scenarios.conftest import Worlds
from topology.code_review import CODE_REVIEW

T = TypeVar("T")

DIFF = "--- a/cart.py\n+++ b/cart.py\n@@ -1 +1 @@\n-1\n+2\n"
EARLIER, LATER = "a" * 40, "b" * 40
POSTING_TAKES = 10.0


def done(work: Coroutine[object, object, T]) -> T:
    """The result of a handler that uses threads, which virtual time has none of: run on a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def validate_now(event: PrReceived, context: Context) -> PrValidated | PrRejected:
    return done(validate(event, context))


def parsed(event: PrValidated, context: Context) -> AstCompleted:
    shared = {"pull_request": event.pull_request, "config": event.config, "changes": event.changes}
    return AstCompleted.model_validate({**shared, "analysis": event.changes, "files": ()})


def judged(event: AstCompleted, context: Context) -> LlmCompleted:
    shared = {"pull_request": event.pull_request, "config": event.config, "changes": event.changes}
    said = {"reviewer": "nobody", "verdict": Verdict.CLEAN, "findings": (), "coverage": ()}
    return LlmCompleted.model_validate({**shared, **said})


async def post_slowly(event: LlmCompleted, context: Context) -> CommentsCreated:
    await asyncio.sleep(POSTING_TAKES)
    return done(post(event, context))


def withdraw_now(event: CommentsCreated, context: Context) -> str:
    return done(withdraw(event, context))


def reviewing() -> Service:
    return Service("llm", {CODE_REVIEW: {"llm": judged}})


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGA_REVIEW_DIR", str(tmp_path / "reviews"))
    return tmp_path / "reviews"


@pytest.fixture
def desk(worlds: Worlds, reviews: Path) -> System:
    world = worlds((CODE_REVIEW,))
    world.start(Service("validator", {CODE_REVIEW: {"validate": validate_now}}, stateful=True))
    world.start(Service("ast", {CODE_REVIEW: {"ast": parsed}}))
    world.start(reviewing())
    undo = {CODE_REVIEW: {"comment": withdraw_now}}
    world.start(Service("comments", {CODE_REVIEW: {"comment": post_slowly}}, compensations=undo))
    world.start_tracker()
    world.settle()
    return world


def received(world: System, head: str) -> str:
    """A head of the pull request is published; its saga's id."""
    source = {"kind": "diff", "text": DIFF}
    known = {"repository": "acme/shop", "number": 7, "title": "Sell more", "base_sha": "c" * 40}
    world.publish("pr.received", {**known, "head_sha": head, "source": source})
    return f"acme/shop#7@{head[:12]}"


def lying(reviews: Path, head: str) -> list[str]:
    """The names of the files in the folder of a head."""
    return sorted(path.name for path in reviews.glob(f"*/7/{head[:12]}/*"))


def test_a_head_that_was_only_amended_is_reviewed_in_place_of_the_one_it_supersedes(
    desk: System, reviews: Path
) -> None:
    desk.stop("llm/1")
    earlier = received(desk, EARLIER)
    desk.advance(5)
    later = received(desk, LATER)
    desk.advance(5)
    desk.start(reviewing(), "2")
    desk.advance(60)
    assert (desk.saga(earlier).status, desk.saga(later).status) == (SagaStatus.CANCELLED, SagaStatus.COMPLETED)
    assert (lying(reviews, EARLIER), lying(reviews, LATER)) == ([], ["review.json", "review.md", "review.sarif"])
    assert desk.events(PrRejected) == []


def test_what_was_being_posted_when_the_later_head_came_is_withdrawn(desk: System, reviews: Path) -> None:
    earlier = received(desk, EARLIER)
    desk.advance(POSTING_TAKES / 2)
    later = received(desk, LATER)
    desk.advance(120)
    assert (desk.saga(earlier).status, desk.saga(later).status) == (SagaStatus.CANCELLED, SagaStatus.COMPLETED)
    assert desk.saga(earlier).step("comment").status is StepStatus.COMPENSATED
    assert (lying(reviews, EARLIER), lying(reviews, LATER)) == (
        ["WITHDRAWN.md"],
        ["review.json", "review.md", "review.sarif"],
    )


def test_a_review_that_was_complete_when_the_later_head_came_stays(desk: System, reviews: Path) -> None:
    earlier = received(desk, EARLIER)
    desk.advance(60)
    later = received(desk, LATER)
    desk.advance(60)
    assert {desk.saga(earlier).status, desk.saga(later).status} == {SagaStatus.COMPLETED}
    assert lying(reviews, EARLIER) == lying(reviews, LATER) == ["review.json", "review.md", "review.sarif"]
