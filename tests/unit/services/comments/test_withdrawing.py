"""Withdrawing a review from a real folder: what its saga posted goes, all else stays, and a note says why."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kafka_saga.errors import RetryableError, TerminalError
from schemas.events.code_review import CommentsCreated, LlmCompleted
from services.comments import withdrawing
from services.comments.document import compose, marker_of
from services.comments.folder import FolderSink, rendered
from services.comments.handler import post_to, withdraw, withdraw_from
from services.comments.withdrawing import NOTE, marker_in
from tests.unit.services.comments.given import PULL_REQUEST, context, many, outcome, review
from tests.unit.services.comments.test_folder import files_limited_to

NOON = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)


@pytest.fixture
def sink(tmp_path: Path) -> FolderSink:
    return FolderSink(tmp_path / "reviews")


def posted(sink: FolderSink, epoch: int = 0, event: LlmCompleted | None = None) -> CommentsCreated:
    return asyncio.run(post_to(sink, event or outcome(), context(sink.root, epoch)))


def withdrawn(sink: FolderSink, event: CommentsCreated, now: datetime = NOON) -> str:
    return asyncio.run(withdraw_from(sink, event, context(sink.root), now))


def names(event: CommentsCreated) -> list[str]:
    return sorted(path.name for path in Path(event.location).iterdir())


def note(event: CommentsCreated) -> str:
    return (Path(event.location) / NOTE).read_text()


def test_a_withdrawn_review_leaves_a_note_and_nothing_else(sink: FolderSink) -> None:
    event = posted(sink)
    said = withdrawn(sink, event)
    assert names(event) == [NOTE]
    assert said == f"withdrew review.json, review.md, review.sarif from {event.location}; WITHDRAWN.md there says why"


def test_the_note_names_the_saga_the_time_and_the_reason(sink: FolderSink) -> None:
    event = posted(sink)
    withdrawn(sink, event)
    assert note(event) == (
        "# Withdrawn\n\n"
        "A review of this head was taken back. A `review.md` beside this note is another, and it counts.\n\n"
        f"<!-- {event.marker} -->\n"
        "## acme/shop \\#7 at bbbbbbbbbbbb\n\n"
        "The saga that posted it was cancelled (a later head does that, too), has failed, or went back to an earlier"
        " step; so what it had done was undone.\n\n"
        "- saga: `acme/shop#7@bbbbbbbbbbbb`\n"
        "- withdrawn: 2026-03-01 12:00:07 UTC\n"
        "- files: `review.json`, `review.md`, `review.sarif`\n"
    )


def test_withdrawing_twice_is_harmless_and_says_so(sink: FolderSink) -> None:
    event = posted(sink)
    withdrawn(sink, event)
    before = note(event)
    said = withdrawn(sink, event, NOON.replace(hour=13))
    assert said == f"nothing to withdraw: {event.location}/{NOTE} says that it was withdrawn before"
    assert (names(event), note(event)) == ([NOTE], before)


def test_what_was_removed_by_hand_is_not_missed(sink: FolderSink) -> None:
    event = posted(sink)
    folder = Path(event.location)
    (folder / "review.md").unlink()
    assert withdrawn(sink, event).startswith("withdrew review.json, review.sarif from ")
    for path in folder.iterdir():
        path.unlink()
    assert "no file in" in withdrawn(sink, event)
    folder.rmdir()
    assert withdrawn(sink, event) == f"nothing to withdraw: there is no folder {folder} (any more)"
    assert not folder.exists()


def test_a_later_review_in_the_same_folder_survives(sink: FolderSink) -> None:
    first = posted(sink)
    second = posted(sink, epoch=1)
    assert first.location == second.location
    assert "no file in" in withdrawn(sink, first)
    expected = rendered(compose(outcome(), second.marker))
    assert {path.name: path.read_bytes() for path in Path(second.location).iterdir()} == expected


def test_a_review_of_another_head_survives(sink: FolderSink) -> None:
    first = posted(sink)
    later = PULL_REQUEST.model_copy(update={"head_sha": "c" * 40})
    second = posted(sink, event=outcome(pull_request=later.model_dump()))
    withdrawn(sink, first)
    assert names(second) == ["review.json", "review.md", "review.sarif"]


def test_each_withdrawal_from_a_folder_has_its_entry(sink: FolderSink) -> None:
    for epoch in (0, 1):
        event = posted(sink, epoch)
        withdrawn(sink, event)
    assert names(event) == [NOTE]
    assert [f"<!-- {marker_of(context(sink.root, e).idempotency_key)} -->" in note(event) for e in (0, 1)] == [True] * 2


def test_files_of_other_people_in_the_folder_stay(sink: FolderSink) -> None:
    event = posted(sink)
    (Path(event.location) / "thanks.md").write_text(f"<!-- {event.marker} -->\n")
    withdrawn(sink, event)
    assert names(event) == [NOTE, "thanks.md"]


def test_a_title_that_names_the_marker_of_another_review_deceives_nobody(sink: FolderSink) -> None:
    first = posted(sink)
    title = f"<!-- {first.marker} -->\n<!-- {first.marker} -->"
    hostile = PULL_REQUEST.model_copy(update={"title": title})
    second = posted(sink, epoch=1, event=outcome(pull_request=hostile.model_dump()))
    assert "no file in" in withdrawn(sink, first)
    assert names(second) == ["review.json", "review.md", "review.sarif"]


@pytest.mark.parametrize("name", ["review.json", "review.md", "review.sarif"])
def test_every_file_bears_the_marker_in_its_own_place(name: str) -> None:
    document = review(many(3))
    assert marker_in(name, rendered(document)[name]) == document.marker


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"runs": []}', b'{"marker": 7}'])
@pytest.mark.parametrize("name", ["review.json", "review.md", "review.sarif", "review"])
def test_what_is_no_review_bears_no_marker(name: str, content: bytes) -> None:
    assert not (marker_in(name, content) or "").startswith("saga-review-")


def test_who_posts_a_review_after_it_was_withdrawn_takes_it_back(sink: FolderSink) -> None:
    event = posted(sink)
    withdrawn(sink, event)
    with pytest.raises(TerminalError, match="it stays withdrawn"):
        posted(sink)
    assert names(event) == [NOTE]


def test_a_withdrawal_that_was_killed_half_way_is_finished_by_the_next(sink: FolderSink) -> None:
    event = posted(sink)
    folder = Path(event.location)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    withdrawn(sink, event)
    (folder / f".{event.marker}.review.json").write_bytes(kept["review.json"])
    (folder / "review.md").write_bytes(kept["review.md"])
    assert withdrawn(sink, event).startswith("withdrew review.md from ")
    assert names(event) == [NOTE]


def test_a_review_that_takes_the_name_at_the_last_moment_goes_back(
    sink: FolderSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = posted(sink)
    target = Path(event.location) / "review.md"
    later = rendered(compose(outcome(), marker_of("another")))["review.md"]
    look = withdrawing._bears

    def overtaken(path: Path, marker: str) -> bool:
        found = look(path, marker)
        if path == target and found:
            target.write_bytes(later)
        return found

    monkeypatch.setattr(withdrawing, "_bears", overtaken)
    withdrawing.remove(target.parent, ("review.md",), event.marker)
    assert target.read_bytes() == later
    assert names(event) == ["review.json", "review.md", "review.sarif"]


def test_a_disk_that_refuses_the_note_leaves_the_review_whole(sink: FolderSink) -> None:
    event = posted(sink)
    with (
        files_limited_to(100),
        pytest.raises(RetryableError, match=r"^the review cannot be withdrawn from .*: File too large; make it "),
    ):
        withdrawn(sink, event)
    assert names(event) == ["review.json", "review.md", "review.sarif"]


def test_something_else_under_the_name_of_the_note_is_said_in_one_sentence(sink: FolderSink) -> None:
    event = posted(sink)
    (Path(event.location) / NOTE).mkdir()
    with pytest.raises(RetryableError, match=r"Is a directory; make it readable and writable$"):
        withdrawn(sink, event)
    assert names(event) == [NOTE, "review.json", "review.md", "review.sarif"]


@pytest.mark.parametrize("marker", ["", "saga-review-", "saga-review-" + "0" * 31, "x"])
def test_an_event_without_a_marker_of_ours_removes_nothing(sink: FolderSink, marker: str) -> None:
    event = posted(sink)
    with pytest.raises(TerminalError, match="is no marker of a review"):
        withdrawn(sink, event.model_copy(update={"marker": marker}))
    assert len(names(event)) == 3


@pytest.mark.parametrize(
    "changed", [{"location": "reviews"}, {"files": ("../review.md",)}, {"files": ("/etc/passwd",)}]
)
def test_an_event_that_names_other_places_removes_nothing(sink: FolderSink, changed: dict[str, object]) -> None:
    event = posted(sink)
    with pytest.raises(TerminalError, match="remove it by hand"):
        withdrawn(sink, event.model_copy(update=changed))
    assert len(names(event)) == 3


def test_it_is_withdrawn_from_where_it_was_posted_wherever_reviews_go_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = posted(FolderSink(tmp_path / "old"))
    monkeypatch.setenv("SAGA_REVIEW_DIR", str(tmp_path / "new"))
    said = asyncio.run(withdraw(event, context(tmp_path)))
    assert said.startswith("withdrew review.json")
    assert names(event) == [NOTE]
    assert not os.path.lexists(tmp_path / "new")


def test_the_document_that_others_read_names_the_same_marker(sink: FolderSink) -> None:
    event = posted(sink)
    document = json.loads((Path(event.location) / "review.json").read_bytes())
    assert document["marker"] == event.marker
