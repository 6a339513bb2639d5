"""Added lines against an oracle, and the inline diff against the repository it was printed from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.validator.limits import Limits
from services.validator.lines import LineChanges
from services.validator.sources.git_repository import GitRepository
from services.validator.sources.source import FileChange, Source
from services.validator.sources.unified_diff import UnifiedDiff
from tests.unit.services.validator.given import BASE, HEAD, History

LINES = st.sampled_from(
    ["", "a", "b", "    a", "\tb", "c\r", "é\u2028", "-- ", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "\\ x"]
)
TEXTS = st.builds(
    lambda lines, end: ("\n".join(lines) + end).encode(), st.lists(LINES, max_size=40), st.sampled_from(["", "\n"])
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("shared") / "shop.git")


def _commits(shared: History, before: bytes, after: bytes) -> tuple[str, str]:
    base = shared.commit({"x.txt": before})
    return base, shared.commit({"x.txt": after}, base)


def _one(source: Source) -> FileChange:
    (change,) = source.changes()
    return change


def _from_git(shared: History, base: str, head: str) -> FileChange:
    return _one(GitRepository(str(shared.folder), base, head, Limits()))


def _by_newline(content: bytes) -> list[bytes]:
    *ended, last = content.split(b"\n")
    return [line + b"\n" for line in ended] + ([last] if last else [])


def _is_subsequence(part: list[bytes], whole: list[bytes]) -> bool:
    rest: Iterator[bytes] = iter(whole)
    return all(any(line == other for other in rest) for line in part)


@settings(deadline=None, max_examples=150)
@given(before=TEXTS, after=TEXTS)
def test_without_its_added_lines_after_is_a_part_of_before(shared: History, before: bytes, after: bytes) -> None:
    if before == after:
        return
    lines = _from_git(shared, *_commits(shared, before, after)).lines
    numbers = set(_numbers(lines))
    kept = [line for number, line in enumerate(_by_newline(after), start=1) if number not in numbers]
    assert _is_subsequence(kept, _by_newline(before))
    assert len(kept) == len(_by_newline(before)) - lines.deletions
    assert len(numbers) == lines.additions
    assert max(numbers, default=0) <= len(_by_newline(after))


def _numbers(lines: LineChanges) -> list[int]:
    return list(itertools.chain.from_iterable(range(added.start, added.end + 1) for added in lines.added))


@settings(deadline=None, max_examples=100)
@given(before=TEXTS, after=TEXTS, context=st.sampled_from([0, 1, 3, 10]))
def test_a_printed_diff_tells_what_the_repository_tells(
    shared: History, before: bytes, after: bytes, context: int
) -> None:
    if before == after:
        return
    base, head = _commits(shared, before, after)
    expected = _from_git(shared, base, head)
    found = _one(UnifiedDiff(shared.diff(f"-U{context}", base, head), BASE, HEAD, Limits()))
    assert found.lines.added == expected.lines.added
    assert (found.lines.additions, found.lines.deletions) == (expected.lines.additions, expected.lines.deletions)
    if context == 3:
        assert found.lines.digest == expected.lines.digest
    assert found.after is not None
    shown, whole = _by_newline(found.after.read()), _by_newline(after)
    assert found.after.size == len(found.after.read())
    assert all(shown[number - 1] == whole[number - 1] for number in _numbers(found.lines))
    assert all(line in {b"\n", real} for line, real in zip(shown, whole, strict=False))


@settings(deadline=None, max_examples=40)
@given(after=TEXTS)
def test_a_new_file_is_whole_in_a_diff(shared: History, after: bytes) -> None:
    base = shared.commit({})
    head = shared.commit({"x.txt": after}, base)
    found = _one(UnifiedDiff(shared.diff(base, head), BASE, HEAD, Limits()))
    assert found.after is not None
    assert (found.after.read(), found.partial, found.lines.added) == (
        after,
        None,
        _from_git(shared, base, head).lines.added,
    )


@settings(deadline=None, max_examples=40)
@given(before=TEXTS)
def test_a_deleted_file_is_whole_in_a_diff(shared: History, before: bytes) -> None:
    base = shared.commit({"x.txt": before})
    found = _one(UnifiedDiff(shared.diff(base, shared.commit({}, base)), BASE, HEAD, Limits()))
    assert found.before is not None
    assert (found.before.read(), found.after, found.problem) == (before, None, None)
