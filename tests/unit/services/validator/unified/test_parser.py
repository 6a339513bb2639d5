"""Unified diffs as tools print them, and as nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.code_review import ChangeKind
from services.validator.rejection import RejectionError
from services.validator.unified.model import FileDiff
from services.validator.unified.parser import parse

HUNK = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
FILE = f"--- a/x.py\n+++ b/x.py\n{HUNK}"
GIT = f"diff --git a/x.py b/x.py\nindex 1234567..89abcde 100644\n{FILE}"


def _one(text: str) -> FileDiff:
    (file,) = parse(text)
    return file


@pytest.mark.parametrize(
    ("text", "path", "change"),
    [
        (FILE, b"x.py", ChangeKind.MODIFIED),
        (GIT, b"x.py", ChangeKind.MODIFIED),
        (FILE.replace("x.py\n", "x.py\t2024-01-01 10:00:00.000000000 +0100\n"), b"x.py", ChangeKind.MODIFIED),
        (f"--- old/lib/x.py\t2024\n+++ new/lib/x.py\t2024\n{HUNK}", b"lib/x.py", ChangeKind.MODIFIED),
        (f"--- x.py.orig\n+++ x.py\n{HUNK}", b"x.py", ChangeKind.MODIFIED),
        (f"Index: x.py\n=====\n--- x.py\t(revision 1)\n+++ x.py\t(working copy)\n{HUNK}", b"x.py", ChangeKind.MODIFIED),
        (
            f'--- "a/\\303\\244 \\"b\\".txt"\n+++ "b/\\303\\244 \\"b\\".txt"\n{HUNK}',
            'ä "b".txt'.encode(),
            ChangeKind.MODIFIED,
        ),
        ("--- a/x\t1970-01-01 00:00:00 +0000\n+++ b/x\t2024\n@@ -0,0 +1 @@\n+1\n", b"x", ChangeKind.ADDED),
        ("--- a/x\t2024\n+++ b/x\t1970-01-01 00:00:00 +0000\n@@ -1 +0,0 @@\n-1\n", b"x", ChangeKind.DELETED),
        ("--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+1\n", b"x", ChangeKind.ADDED),
        ("--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n", b"x", ChangeKind.DELETED),
        ("Binary files a/x.png and b/x.png differ\n", b"x.png", ChangeKind.MODIFIED),
        ("Binary files /dev/null and b/x.png differ\n", b"x.png", ChangeKind.ADDED),
        ("Binary files a/x.png and /dev/null differ\n", b"x.png", ChangeKind.DELETED),
        ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", b"x", ChangeKind.MODIFIED),
        (f"diff --git i/x.py w/x.py\n{FILE.replace('a/', 'i/').replace('b/', 'w/')}", b"x.py", ChangeKind.MODIFIED),
        (f"diff --git x.py x.py\n--- x.py\n+++ x.py\n{HUNK}", b"x.py", ChangeKind.MODIFIED),
        ("diff --git a/a b/a b/a b/a\nold mode 100644\nnew mode 100755\n", b"a b/a", ChangeKind.MODIFIED),
        ("diff --git a/x b/y\nsimilarity index 90%\ncopy from x\ncopy to y\n", b"y", ChangeKind.ADDED),
    ],
)
def test_every_way_to_name_a_file(text: str, path: bytes, change: ChangeKind) -> None:
    file = _one(text)
    assert (file.path, file.change) == (path, change)


def test_a_patch_mail_is_read_past_its_words() -> None:
    mail = (
        "From 1234 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n- a list\n+ another\n---\n x.py | 2 +-\n\n"
        f"{GIT}-- \n2.39.5\n\nFrom 5678 Mon\nSubject: y\n\n---\n y | 1 +\n\n{GIT.replace('x.py', 'y.py')}-- \n2.39.5\n"
    )
    assert [file.path for file in parse(mail)] == [b"x.py", b"y.py"]


def test_a_diff_whose_line_ends_were_changed_reads_the_same() -> None:
    assert _one(GIT.replace("\n", "\r\n")) == _one(GIT)


def test_a_file_with_cr_lf_keeps_them() -> None:
    lines = _one("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\r\n-two\r\n+2\r\n").hunks[0].lines
    assert [line.content for line in lines] == [b"one\r\n", b"two\r\n", b"2\r\n"]


def test_a_blank_line_that_lost_its_space_is_context() -> None:
    lines = _one("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n one\n\n-two\n+2\n").hunks[0].lines
    assert (lines[1].origin, lines[1].number, lines[1].content) == (" ", 2, b"\n")


def test_a_line_without_newline_has_none() -> None:
    no = "\\ No newline at end of file\n"
    lines = _one(f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n{no}+two\n{no}").hunks[0].lines
    assert [line.content for line in lines] == [b"one", b"two"]


def test_a_diff_without_a_last_newline_is_whole() -> None:
    assert _one(GIT.removesuffix("\n")) == _one(GIT)


def test_binary_patches_are_read_past() -> None:
    data = "GIT binary patch\nliteral 5\nMcmZ?wbhEHbRA^-\n\nliteral 3\nKcmZQzV_*OP0RR9E\n\n"
    text = f"diff --git a/x.png b/x.png\nindex 1..2 100644\n{data}{GIT}"
    binary, rest = parse(text)
    assert (binary.path, binary.binary, rest.path) == (b"x.png", True, b"x.py")
    assert binary.identity != parse(text.replace("McmZ", "McmX"))[0].identity


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("hello\n", None, "has no file of a unified diff"),
        (HUNK, 1, "a hunk before any file"),
        ("diff --cc x.py\nindex 1,2..3\n", 1, "a combined diff of a merge"),
        ("diff --combined x.py\n", 1, "a combined diff of a merge"),
        ("--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n  x\n", 3, "a hunk's header reads"),
        ("--- a/x\n+++ b/x\n@@ -1,b +1 @@\n", 3, "a hunk's header reads"),
        ("--- a/x\n+++ b/x\n", 3, "the file in line 1 has no hunk"),
        ("diff --git a/x b/x\n--- a/x\n@@ -1 +1 @@\n", 3, "a `+++` line follows"),
        ("diff --git a/x b/y\n", 2, "the names in line 1 cannot be told apart"),
        ("diff --git a/x b/x\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n", 7, "name another file than line 1"),
        ("diff --git a/x b/x\nnew mode rwx\n", 3, "a mode is six octal digits"),
        (FILE + "+3\n", 7, "more lines than the header of the hunk in line 3"),
        (FILE + " 3\n", 7, "more lines than the header of the hunk in line 3"),
        (FILE.removesuffix("+2\n"), 6, "the hunk in line 3 lacks 0 old and 1 new lines"),
        (FILE.replace(" one", "*one"), 4, "a line of a hunk begins with"),
        (FILE.replace("+1,2", "+1,1"), 6, "more lines than the header of the hunk in line 3"),
        ("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-1\n+2\n+3\n-2\n", 6, "more lines than the hunk's header promises"),
        (FILE.replace("-1,2", "-0,2"), 3, "lines count from 1"),
        (FILE + "@@ -2 +2 @@\n-2\n+3\n", 7, "this hunk overlaps the one in line 3"),
        (FILE + "@@ -5,0 +5,0 @@\n", 7, "a hunk without lines"),
        ("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-1\n\\ No newline\n-2\n+2\n", 6, "after the one without newline"),
        ("--- /dev/null\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n", 3, "a new file has one hunk"),
        ("--- a/x\n+++ /dev/null\n@@ -1 +1 @@\n-1\n+2\n", 3, "a deleted file has one hunk"),
    ],
)
def test_what_is_malformed_is_rejected_with_its_line(text: str, line: int | None, what: str) -> None:
    with pytest.raises(RejectionError) as rejection:
        parse(text)
    assert rejection.value.code == "bad_diff"
    assert what in rejection.value.reason
    assert line is None or rejection.value.reason.startswith(f"source.text line {line}")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*GIT.splitlines(), "+x", "-", "", "\\ No", "@@ -0,0 +1 @@", "--- /dev/null", "rename to y"])
    )
)
def test_any_shuffle_of_diff_lines_is_read_or_rejected(lines: list[str]) -> None:
    try:
        parse("\n".join(lines))
    except RejectionError as rejection:
        assert rejection.code == "bad_diff"  # noqa: PT017


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_is_read_or_rejected(text: str) -> None:
    try:
        parse(text)
        parse(f"diff --git {text}")
        parse(FILE + text)
    except RejectionError as rejection:
        assert rejection.code == "bad_diff"  # noqa: PT017
