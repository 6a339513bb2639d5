"""The step comment as a whole, writing to a real folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from schemas.events.code_review import CommentsCreated
from services.comments.document import Review, marker_of
from services.comments.handler import post
from services.comments.settings import ReviewSettings, default_review_dir
from tests.unit.services.comments.given import context, many, outcome


@pytest.fixture(autouse=True)
def review_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGA_REVIEW_DIR", str(tmp_path / "reviews"))
    return tmp_path / "reviews"


def posted(folder: Path, epoch: int = 0, findings: int = 50, most: int = 30) -> CommentsCreated:
    return asyncio.run(post(outcome(many(findings), most), context(folder, epoch)))


def contents(event: CommentsCreated) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(event.location).iterdir()}


def test_the_review_is_where_the_event_says(tmp_path: Path, review_dir: Path) -> None:
    event = posted(tmp_path)
    assert Path(event.location).is_relative_to(review_dir)
    assert sorted(event.files) == sorted(contents(event)) == ["review.json", "review.md", "review.sarif"]
    assert (event.sink, event.inline_comments, event.summarised) == ("folder", 30, 20)


def test_posting_again_changes_not_a_byte(tmp_path: Path) -> None:
    first = posted(tmp_path)
    before = contents(first)
    assert posted(tmp_path) == first
    assert contents(first) == before


def test_the_marker_is_in_every_file_and_another_epoch_has_another(tmp_path: Path) -> None:
    event = posted(tmp_path)
    assert all(event.marker.encode() in content for content in contents(event).values())
    again = posted(tmp_path, epoch=1)
    assert again.marker != event.marker
    assert all(again.marker.encode() in content for content in contents(again).values())


def test_the_document_reads_back(tmp_path: Path) -> None:
    event = posted(tmp_path, findings=3)
    document = Review.model_validate_json(contents(event)["review.json"])
    assert (document.marker, len(document.inline), document.counts.low) == (event.marker, 3, 0)


def test_a_repository_can_ask_for_fewer_comments(tmp_path: Path) -> None:
    event = posted(tmp_path, findings=5, most=0)
    assert (event.inline_comments, event.summarised) == (0, 5)


def test_a_marker_is_of_plain_characters_whatever_the_key_holds() -> None:
    assert marker_of("a/b#1@c --> \n/comment/0").removeprefix("saga-review-").isalnum()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SAGA_HOME": "/h", "XDG_DATA_HOME": "/x"}, "/h/reviews"),
        ({"XDG_DATA_HOME": "/x"}, "/x/saga/reviews"),
        ({"HOME": "/me"}, "/me/.local/share/saga/reviews"),
    ],
)
def test_the_default_folder(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SAGA_REVIEW_DIR", "SAGA_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_review_dir() == ReviewSettings().review_dir == Path(expected)
