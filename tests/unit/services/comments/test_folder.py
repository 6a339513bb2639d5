"""The folder sink: safe names, all or nothing, and clear sentences."""

from __future__ import annotations

import asyncio
import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.errors import RetryableError
from services.comments.folder import FolderSink, folder_of, rendered, safe_name, unwritable
from tests.unit.services.comments.given import PULL_REQUEST, many, review

HOSTILE = ["../../etc", "/etc/passwd", "..", ".", "a/../../b", "C:\\x", "a\x00b", "-rf", "é" * 200, "a/" * 99, "~root"]


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow beyond `size` bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("repository", HOSTILE)
def test_a_hostile_repository_name_stays_one_plain_folder(repository: str, tmp_path: Path) -> None:
    hostile = PULL_REQUEST.model_copy(update={"repository": repository})
    receipt = asyncio.run(FolderSink(tmp_path).post(review(pull_request=hostile.model_dump() | {"repository": "x"})))
    assert Path(receipt.location).is_relative_to(tmp_path)
    target = tmp_path / folder_of(hostile)
    assert target.resolve().parent.parent.parent == tmp_path.resolve()


@given(st.text(min_size=1, max_size=300))
def test_a_folder_name_is_plain_and_short(repository: str) -> None:
    name = safe_name(repository)
    assert name.isascii()
    assert 0 < len(name) <= 80
    assert not name.startswith((".", "-"))
    assert not set(name) & set("/\\:\0 ")


@given(st.text(max_size=20), st.text(max_size=20))
def test_different_repositories_have_different_folders(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_names_that_differ_only_in_case_have_different_folders() -> None:
    assert safe_name("Acme/Shop").lower() != safe_name("acme/shop").lower()


def test_the_same_review_is_the_same_bytes() -> None:
    assert rendered(review()) == rendered(review())


def test_another_review_of_the_same_head_replaces_the_first_and_leaves_nothing_behind(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)
    asyncio.run(sink.post(review()))
    receipt = asyncio.run(sink.post(review(many(2))))
    target = Path(receipt.location)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == rendered(review(many(2)))
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_concurrent_posts_of_one_review_both_succeed(tmp_path: Path) -> None:
    async def both() -> None:
        await asyncio.gather(*(FolderSink(tmp_path).post(review()) for _ in range(8)))

    asyncio.run(both())
    [target] = (tmp_path / folder_of(PULL_REQUEST)).parent.iterdir()
    assert {path.name: path.read_bytes() for path in target.iterdir()} == rendered(review())


def test_what_does_not_fit_is_not_half_there(tmp_path: Path) -> None:
    with (
        files_limited_to(100),
        pytest.raises(RetryableError, match=r"the review cannot be written to .*File too large"),
    ):
        asyncio.run(FolderSink(tmp_path).post(review()))
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.name.startswith(".")] == []


def test_a_folder_that_is_a_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "reviews").write_text("")
    with pytest.raises(RetryableError, match=r"Not a directory; make it writable or set SAGA_REVIEW_DIR$"):
        asyncio.run(FolderSink(tmp_path / "reviews").post(review()))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_in_one_sentence(number: int) -> None:
    said = unwritable(Path("/r"), OSError(number, "no"))
    assert said == "the review cannot be written to /r: the disk is full; free some space or set SAGA_REVIEW_DIR"
