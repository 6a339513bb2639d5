"""What `saga review` reviews: found out from a real repository."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from services.app.demo_repository import make_repository
from services.app.target import TargetError, Wishes, number_of, pull_request

AUTHOR = pygit2.Signature("Ada", "ada@example.com", 1_767_225_600, 0)


def commit(repository: pygit2.Repository, text: str) -> str:
    (Path(repository.workdir) / "file.txt").write_text(text)
    repository.index.add("file.txt")
    repository.index.write()
    parents = [] if repository.head_is_unborn else [repository.head.target]
    return str(
        repository.create_commit("HEAD", AUTHOR, AUTHOR, f"{text}\n\nbody", repository.index.write_tree(), parents)
    )


@pytest.fixture
def repository(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "my shop"), initial_head="main")


def top(repository: pygit2.Repository) -> Path:
    return Path(repository.workdir)


def test_on_the_main_branch_the_last_commit_is_reviewed(repository: pygit2.Repository) -> None:
    base, head = commit(repository, "one"), commit(repository, "two")
    (top(repository) / "deep").mkdir()
    event = pull_request(top(repository) / "deep", Wishes())
    assert (event.base_sha, event.head_sha) == (base, head)
    assert (event.repository, event.number, event.title, event.author) == ("my-shop", 1, "two", "Ada")
    assert event.source.model_dump() == {"kind": "git", "path": str(top(repository)).rstrip("/")}


def test_a_branch_is_reviewed_since_it_left_main_under_a_number_of_its_own(repository: pygit2.Repository) -> None:
    base = commit(repository, "one")
    repository.branches.local.create("topic", repository[base].peel(pygit2.Commit))
    repository.checkout("refs/heads/topic")
    commit(repository, "two")
    head = commit(repository, "three")
    event = pull_request(top(repository), Wishes())
    assert (event.base_sha, event.head_sha) == (base, head)
    assert event.number == number_of("topic") != 1


def test_ranges_are_written_as_for_git(repository: pygit2.Repository) -> None:
    one, two, three = (commit(repository, text) for text in ("one", "two", "three"))
    for asked, expected in {
        "HEAD~2..HEAD~1": (one, two),
        f"{one}..": (one, three),
        "HEAD~1": (two, three),
        f"{one[:8]}...HEAD": (one, three),
    }.items():
        event = pull_request(top(repository), Wishes(asked))
        assert (event.base_sha, event.head_sha) == expected


def test_the_remote_names_the_repository(repository: pygit2.Repository) -> None:
    commit(repository, "one"), commit(repository, "two")
    repository.remotes.create("origin", "git@example.com:acme/shop.git")
    assert pull_request(top(repository), Wishes()).repository == "acme/shop"
    wishes = Wishes(repository="a/b", number=9, title="T")
    event = pull_request(top(repository), wishes)
    assert (event.repository, event.number, event.title) == ("a/b", 9, "T")


def test_what_cannot_be_reviewed_is_a_sentence_that_says_what_to_give(
    repository: pygit2.Repository, tmp_path: Path
) -> None:
    for path, wishes, said in (
        (tmp_path / "nowhere", Wishes(), "There is no folder"),
        (tmp_path, Wishes(), "is in no git repository"),
        (top(repository), Wishes(), "it has no commits yet"),
    ):
        with pytest.raises(TargetError, match=said):
            pull_request(path, wishes)
    commit(repository, "one")
    for wishes, said in (
        (Wishes(), "the only commit"),
        (Wishes("HEAD..nothing"), "no commit 'nothing'"),
        (Wishes("HEAD..HEAD", repository="a b"), "repository"),
    ):
        with pytest.raises(TargetError, match=said):
            pull_request(top(repository), wishes)


def test_the_demo_is_the_same_commits_each_time(tmp_path: Path) -> None:
    first = pull_request(make_repository(tmp_path / "shop"), Wishes())
    again = pull_request(make_repository(tmp_path / "shop"), Wishes())
    assert first == again
