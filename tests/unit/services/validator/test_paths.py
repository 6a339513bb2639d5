"""Paths as data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.validator.paths import MAX_PATH_BYTES, path_problem, printable


@pytest.mark.parametrize(
    "path", ["a.py", "src/ä b.py", ".github/x", ".gitignore", "a/...", "日本語/絵文字👩‍💻.py", '"q"']
)
def test_ordinary_paths_are_left_alone(path: str) -> None:
    assert (path_problem(path.encode()), printable(path.encode())) == (None, path)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a\nb", '"a\\nb"'),
        (b"\xe4.txt", '"\\344.txt"'),
        (b"a\x1b[31m", '"a\\033[31m"'),
        (b'\x01"\\', '"\\001\\"\\\\"'),
    ],
)
def test_what_cannot_be_printed_is_escaped_as_git_does(raw: bytes, shown: str) -> None:
    assert printable(raw) == shown


@given(st.binary(max_size=3000))
def test_any_path_can_be_printed_and_judged(raw: bytes) -> None:
    shown = printable(raw)
    assert len(shown) <= MAX_PATH_BYTES
    assert "\n" not in shown
    shown.encode()
    if path_problem(raw) is None:
        assert shown == raw.decode()


@given(st.lists(st.sampled_from(["..", ".", "", "a", ".git", "C:"]), min_size=1).map("/".join))
def test_no_path_that_is_allowed_leaves_the_repository(path: str) -> None:
    if path_problem(path.encode()) is None:
        assert not {"..", ".git", ""} & set(path.split("/"))
