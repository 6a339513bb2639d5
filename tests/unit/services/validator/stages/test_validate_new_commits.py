"""Are there commits to review, and is their change one that was let through before?"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ObjectType

from kafka_saga.errors import RetryableError
from schemas.events.code_review import PrReceived, StageStatus
from services.validator.limits import Limits
from tests.unit.services.validator.given import BASE, HEAD, Desk, History, git_event

CODE = b"def total(cart):\n    return sum(cart)\n"
MORE = CODE + b"\n\ndef count(cart):\n    return len(cart)\n"
NEWS = "1 commits, 1 changed files"


def test_a_new_commit_is_accepted_and_remembered(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    validation = desk.run(git_event(history.folder, base, head))
    assert validation.accepted is not None
    assert validation.accepted.head == head
    assert validation.outcome.stages[0].note == "1 commits, 1 changed files"


@pytest.mark.parametrize("field", ["base_sha", "head_sha"])
def test_a_commit_that_does_not_exist_is_named(history: History, desk: Desk, field: str) -> None:
    base = history.commit({"cart.py": CODE})
    shas = {"base_sha": base, "head_sha": history.commit({"cart.py": MORE}, base)} | {field: "dead" * 10}
    rejected = desk.rejects(git_event(history.folder, shas["base_sha"], shas["head_sha"]))
    assert rejected.code == "unknown_commit"
    assert rejected.reason.startswith(f"{field} {'dead' * 10} does not exist in git repository {history.folder}")
    assert [stage.status for stage in rejected.stages] == [StageStatus.REJECTED] + [StageStatus.SKIPPED] * 3


def test_a_sha_that_is_too_long_is_unknown(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    assert desk.rejects(git_event(history.folder, base, "a" * 64)).code == "unknown_commit"


def test_a_blob_is_no_commit(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    blob = str(history.repository.create_blob(CODE))
    rejected = desk.rejects(git_event(history.folder, base, blob))
    assert rejected.code == "unknown_commit"
    assert "is a blob, not a commit" in rejected.reason


def test_a_tag_stands_for_its_commit(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    who = pygit2.Signature("Ada", "ada@example.org", 1, 0)
    tag = history.repository.create_tag("v1", pygit2.Oid(hex=head), ObjectType.COMMIT, who, "one")
    assert desk.accepts(git_event(history.folder, base, str(tag))).pull_request.head_sha == head


def test_short_shas_are_resolved(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    pull_request = desk.accepts(git_event(history.folder, base[:8], head[:10])).pull_request
    assert (pull_request.base_sha, pull_request.head_sha) == (base, head)


def test_a_short_sha_of_two_objects_is_ambiguous(history: History, desk: Desk) -> None:
    first, second = _two_blobs_with_one_prefix()
    prefix = str(history.repository.create_blob(first))[:7]
    assert str(history.repository.create_blob(second)).startswith(prefix)
    rejected = desk.rejects(git_event(history.folder, history.commit({"cart.py": CODE}), prefix))
    assert rejected.code == "ambiguous_commit"
    assert f"head_sha {prefix} is ambiguous" in rejected.reason


def _two_blobs_with_one_prefix() -> tuple[bytes, bytes]:
    seen: dict[str, bytes] = {}
    for number in range(1_000_000):
        content = b"%d" % number
        prefix = hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()[:7]
        if prefix in seen:
            return seen[prefix], content
        seen[prefix] = content
    raise AssertionError("no two blobs share a prefix")


def test_base_and_head_the_same_is_nothing_new(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    assert desk.rejects(git_event(history.folder, base, base[:12])).code == "nothing_new"


def test_a_head_that_base_already_has_is_nothing_new(history: History, desk: Desk) -> None:
    head = history.commit({"cart.py": CODE})
    base = history.commit({"cart.py": MORE}, head)
    rejected = desk.rejects(git_event(history.folder, base, head))
    assert rejected.code == "nothing_new"
    assert "already has head" in rejected.reason


def test_commits_without_changed_files_are_no_changes(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": CODE}, base)
    assert desk.rejects(git_event(history.folder, base, head)).code == "no_changes"


def noted(desk: Desk, event: PrReceived) -> str:
    return desk.accepts(event).stages[0].note or ""


def test_an_amended_head_is_reviewed_since_it_supersedes_the_review_of_the_earlier_one(
    history: History, desk: Desk
) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    amended = history.commit({"cart.py": MORE}, base, message="better words")
    desk.accepts(git_event(history.folder, base, head))
    assert noted(desk, git_event(history.folder, base, amended)) == (
        f"1 commits, 1 changed files; the same change as head {head[:12]}, amended or rebased: "
        "this head supersedes its review"
    )


def test_an_amended_head_is_what_the_next_one_is_compared_with(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    heads = [history.commit({"cart.py": MORE}, base, message=text) for text in ("one", "two", "three")]
    notes = [noted(desk, git_event(history.folder, base, head)) for head in heads]
    assert [before[:12] in note for before, note in zip(heads, notes[1:], strict=False)] == [True, True]


def test_a_rebase_of_the_same_change_is_known_again(history: History, desk: Desk) -> None:
    first = b"# one\n" * 20
    base = history.commit({"cart.py": first + CODE, "other.py": b"1\n"})
    head = history.commit({"cart.py": first + MORE, "other.py": b"1\n"}, base)
    moved = history.commit({"cart.py": b"# zero\n" + first + CODE, "other.py": b"2\n"}, base)
    rebased = history.commit({"cart.py": b"# zero\n" + first + MORE, "other.py": b"2\n"}, moved)
    desk.accepts(git_event(history.folder, base, head))
    assert "the same change as head" in noted(desk, git_event(history.folder, moved, rebased))


@pytest.mark.parametrize(
    "second",
    [
        MORE.replace(b"    return len", b"  return len"),
        MORE + b"\n",
        MORE.removesuffix(b"\n"),
        MORE.replace(b"\n", b"\r\n"),
    ],
    ids=["indent", "blank line", "no newline", "line ends"],
)
def test_another_change_is_new_even_if_only_white_space_differs(history: History, desk: Desk, second: bytes) -> None:
    base = history.commit({"cart.py": CODE})
    desk.accepts(git_event(history.folder, base, history.commit({"cart.py": MORE}, base)))
    assert noted(desk, git_event(history.folder, base, history.commit({"cart.py": second}, base))) == NEWS


def test_another_binary_file_is_new(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    desk.accepts(git_event(history.folder, base, history.commit({"cart.py": CODE, "a.png": b"\0one"}, base)))
    second = history.commit({"cart.py": CODE, "a.png": b"\0two"}, base)
    assert noted(desk, git_event(history.folder, base, second)) == NEWS


def test_the_same_change_under_another_configuration_is_new(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    desk.accepts(git_event(history.folder, base, history.commit({"cart.py": MORE}, base)))
    config = {".saga.toml": b"[review]\nmin_severity = 'high'\n"}
    moved = history.commit({"cart.py": CODE} | config, base)
    head = history.commit({"cart.py": MORE} | config, moved)
    assert noted(desk, git_event(history.folder, moved, head)) == NEWS


def test_a_saga_that_repeats_its_step_is_not_held_against_itself(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    event = git_event(history.folder, base, history.commit({"cart.py": MORE}, base))
    assert noted(desk, event) == noted(desk, event) == NEWS


def test_the_same_head_under_another_saga_is_reviewed_since_it_supersedes_the_other(
    history: History, desk: Desk
) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    desk.accepts(git_event(history.folder, base, head))
    assert noted(desk, git_event(history.folder, base, head[:8])) == (
        f"{NEWS}; the very same head as acme/shop#7@{head[:12]}, which this saga supersedes"
    )


def test_a_rejected_head_is_not_remembered(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    assert desk.run(git_event(history.folder, base, base)).accepted is None


@pytest.mark.parametrize("state", [b"", b"\xff", b"[]", b'{"version":9,"head":"a","fingerprint":"b","saga_id":"c"}'])
def test_state_that_nobody_can_read_is_as_good_as_none(history: History, desk: Desk, state: bytes) -> None:
    base = history.commit({"cart.py": CODE})
    desk.state = state
    assert noted(desk, git_event(history.folder, base, history.commit({"cart.py": MORE}, base))) == NEWS


def test_what_others_put_on_base_is_not_in_the_change(history: History, desk: Desk) -> None:
    fork = history.commit({"cart.py": CODE, "other.py": b"1\n"})
    base = history.commit({"cart.py": CODE, "other.py": b"2\n"}, fork)
    head = history.commit({"cart.py": MORE, "other.py": b"1\n"}, fork)
    assert list(desk.files(git_event(history.folder, base, head))) == ["cart.py"]


def test_unrelated_histories_are_compared_as_they_are(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE, "gone.py": b"1\n"})
    head = history.commit({"cart.py": MORE})
    assert list(desk.files(git_event(history.folder, base, head))) == ["cart.py", "gone.py"]


def test_a_shallow_history_without_its_fork_says_what_to_do(history: History, desk: Desk, tmp_path: Path) -> None:
    fork = history.commit({"cart.py": CODE})
    base = history.commit({"cart.py": CODE, "other.py": b"2\n"}, fork)
    head = history.commit({"cart.py": MORE}, fork)
    (history.folder / "shallow").write_text(f"{base}\n{head}\n")
    rejected = desk.rejects(git_event(history.folder, base, head))
    assert rejected.code == "shallow_history"
    assert "git fetch --unshallow" in rejected.reason


@pytest.mark.parametrize("path", ["/nowhere/at/all", "relative/shop", "/dev/null", "/\0", "/x\n"])
def test_a_path_without_repository_is_said(desk: Desk, path: str) -> None:
    rejected = desk.rejects(git_event(path, BASE, HEAD))
    assert rejected.code == "unknown_repository"
    assert "\0" not in rejected.reason


def test_a_folder_that_is_no_repository_is_said_and_its_parents_are_not_searched(history: History, desk: Desk) -> None:
    inside = history.folder / "inside"
    inside.mkdir()
    rejected = desk.rejects(git_event(inside, BASE, HEAD))
    assert rejected.code == "unknown_repository"
    assert str(inside) in rejected.reason


def test_a_repository_with_a_worktree_works_and_its_files_are_not_touched(tmp_path: Path, desk: Desk) -> None:
    history = History(tmp_path / "shop", bare=False)
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    desk.accepts(git_event(history.folder, base, head))
    assert [path.name for path in history.folder.iterdir()] == [".git"]


def test_a_folder_that_cannot_be_read_now_is_tried_again(desk: Desk, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(RetryableError, match="cannot be read"):
        desk.run(git_event(loop, BASE, HEAD))


def test_a_tree_that_is_missing_is_tried_again(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    tree = str(history.repository[head].peel(pygit2.Tree).id)
    _remove(history, tree)
    with pytest.raises(RetryableError, match=r"git fsck|cannot be read"):
        desk.run(git_event(history.folder, base, head))


def _remove(history: History, oid: str) -> None:
    path = history.folder / "objects" / oid[:2] / oid[2:]
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    path.unlink()


def test_a_damaged_object_is_tried_again(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    path = history.folder / "objects" / base[:2] / base[2:]
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    path.write_bytes(b"rubbish")
    with pytest.raises(RetryableError, match="cannot be read"):
        desk.run(git_event(history.folder, base, head))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_is_read(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    os.chown(history.folder, 12345, 12345)
    desk.accepts(git_event(history.folder, base, head))


def test_hooks_and_commands_of_the_repository_are_never_run(history: History, desk: Desk, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    command = f"touch {trap}"
    with (history.folder / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "{command}"\n\tsshCommand = "{command}"\n')
        config.write(f'[diff "x"]\n\tcommand = "{command}"\n\ttextconv = "{command}"\n')
        config.write(f'[filter "x"]\n\tsmudge = "{command}"\n\tclean = "{command}"\n')
    base = history.commit({"cart.py": CODE, ".gitattributes": b"* diff=x filter=x\n"})
    desk.accepts(git_event(history.folder, base, history.commit({"cart.py": MORE}, base)))
    assert not trap.exists()


def test_too_many_changed_files_are_rejected(history: History, desk: Desk) -> None:
    desk.limits = Limits(entries=3)
    base = history.commit({})
    for count, code in ((4, "too_large"), (9, "too_large")):
        head = history.commit({f"{number}.py": b"%d\n" % number for number in range(count)}, base)
        rejected = desk.rejects(git_event(history.folder, base, head))
        assert (rejected.code, rejected.reason) == (code, f"{count} changed files, limit 3: split the pull request")


@pytest.mark.skipif(shutil.which("git") is None, reason="git packs the repository")
def test_a_packed_repository_works(history: History, desk: Desk) -> None:
    base = history.commit({"cart.py": CODE})
    head = history.commit({"cart.py": MORE}, base)
    history.repository.create_reference("refs/heads/main", head)
    subprocess.run(["git", "-C", str(history.folder), "gc", "-q"], check=True)
    assert desk.after(desk.files(git_event(history.folder, base, head))["cart.py"]) == MORE
