"""What git prints of every kind of change, against what the repository itself tells."""

from __future__ import annotations

import pytest

from schemas.events.code_review import ChangeKind
from services.validator.limits import Limits
from services.validator.sources.unified_diff import PARTIAL
from tests.unit.services.validator.given import (
    Desk,
    Files,
    History,
    diff_event,
    git_event,
    lines_of,
    link,
    script,
    submodule,
)

CODE = b"".join(b"line %d\n" % number for number in range(1, 21))
CASES: dict[str, tuple[Files, Files]] = {
    "modified": ({"a.py": CODE}, {"a.py": CODE.replace(b"line 5\n", b"five\n")}),
    "renamed": ({"a.py": CODE}, {"b.py": CODE}),
    "renamed and changed": ({"a.py": CODE}, {"b.py": CODE + b"more\n"}),
    "renamed, with spaces": ({"a b/a b.py": CODE}, {"c d.py": CODE + b"more\n"}),
    "deleted": ({"a.py": CODE}, {}),
    "empty deleted": ({"a.py": b""}, {}),
    "empty added": ({}, {"a b.py": b""}),
    "mode": ({"a b.sh": CODE}, {"a b.sh": script(CODE)}),
    "mode and content": ({"a.sh": CODE}, {"a.sh": script(CODE + b"x\n")}),
    "binary": ({"a b.png": b"\0one"}, {"a b.png": b"\0two", "c.png": b"\0three"}),
    "binary deleted": ({"a.png": b"\0one"}, {}),
    "link": ({"l": link("x")}, {"l": link("y"), "m": link("/etc/passwd")}),
    "submodule": ({"s": submodule("a" * 40)}, {"s": submodule("b" * 40)}),
    "file to link": ({"a": CODE}, {"a": link("x")}),
    "link to file": ({"a": link("x")}, {"a": CODE}),
    "no newline": ({"a": b"x\ny"}, {"a": b"x\ny\n", "b": b"new"}),
    "line ends": ({"a": b"x\r\ny\r\n"}, {"a": b"x\r\nz\r\n"}),
    "quoted": ({'ä/"q"\\t.py': CODE}, {'ä/"q"\\t.py': CODE + b"1\n", "ö ü": b"1\n"}),
    "tab": ({"a\tb.py": CODE}, {"a\tb.py": CODE + b"1\n"}),
    "not UTF-8 name": ({}, {"\udce4 b.py": b"1\n"}),
    "lines like headers": ({"a.sql": b"-- a\n++ b\nx\n"}, {"a.sql": b"-- c\n++ d\nx\n"}),
}


@pytest.mark.parametrize("options", [(), ("-M",), ("--binary",), ("--no-prefix",), ("--src-prefix=old/",), ("-U0",)])
@pytest.mark.parametrize("case", CASES)
def test_a_printed_diff_lists_what_the_repository_lists(
    history: History, desk: Desk, case: str, options: tuple[str, ...]
) -> None:
    before, after = CASES[case]
    base = history.commit(before)
    head = history.commit(after, base)
    expected = desk.files(git_event(history.folder, base, head))
    found = desk.files(diff_event(history.diff(*options, base, head), base[:-1] + "0", head))
    assert list(found) == list(expected)
    for path, file in found.items():
        known = expected[path]
        assert (file.change, file.old_path, file.added) == (known.change, known.old_path, known.added)
        assert (file.additions, file.deletions) == (known.additions, known.deletions) or known.skipped is not None
        assert (file.skipped is None) == (known.skipped is None)


def test_lines_stand_where_they_stand_in_the_file(desk: Desk) -> None:
    text = "--- a/x.py\n+++ b/x.py\n@@ -4,2 +4,3 @@ def f():\n one\n-two\n+2\n+3\n@@ -9 +10 @@\n-nine\n+9\n"
    file = desk.files(diff_event(text))["x.py"]
    assert desk.after(file) == b"\n\n\none\n2\n3\n\n\n\n9\n"
    assert (lines_of(file), file.before, file.partial) == ([(5, 6), (10, 10)], None, PARTIAL)


def test_a_new_file_is_not_partial(desk: Desk) -> None:
    file = desk.files(diff_event("--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+1\n"))["x.py"]
    assert (file.change, file.partial, desk.after(file)) == (ChangeKind.ADDED, None, b"1\n")


def test_a_hunk_at_an_absurd_line_is_not_built(desk: Desk) -> None:
    text = "--- a/x.py\n+++ b/x.py\n@@ -999999999 +999999999 @@\n-1\n+2\n"
    file = desk.files(diff_event(text))["x.py"]
    assert (file.skipped, file.after) == ("too large: 1,000,000,000 bytes, limit 524,288", None)


def test_a_rename_without_hunks_knows_nothing_of_the_content(desk: Desk) -> None:
    text = "diff --git a/x.py b/y.py\nsimilarity index 100%\nrename from x.py\nrename to y.py\n"
    file = desk.files(diff_event(text))["y.py"]
    assert (file.change, file.old_path, file.partial, desk.after(file)) == (ChangeKind.RENAMED, "x.py", PARTIAL, b"")


def test_a_deletion_without_content_says_so(desk: Desk) -> None:
    text = "diff --git a/x.py b/x.py\ndeleted file mode 100644\nindex 1234567..0000000\n"
    assert desk.files(diff_event(text))["x.py"].skipped == "the inline diff does not show the content"


def test_an_empty_diff_is_no_changes(desk: Desk) -> None:
    assert desk.rejects(diff_event("\n")).code == "no_changes"


def test_a_diff_of_too_many_files_is_rejected(desk: Desk) -> None:
    desk.limits = Limits(entries=1)
    one = "--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-1\n+2\n"
    assert desk.rejects(diff_event(one.format("x") + one.format("y"))).code == "too_large"


def test_the_same_file_twice_is_rejected(desk: Desk) -> None:
    one = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n"
    rejected = desk.rejects(diff_event(one + one))
    assert (rejected.code, rejected.reason) == (
        "bad_diff",
        "source.text line 6: x occurs again (first in line 1): give one diff, `git diff base...head`",
    )


def test_the_same_diff_for_another_head_is_the_same_change(desk: Desk) -> None:
    text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n"
    desk.accepts(diff_event(text, head="1" * 40))
    stages = desk.accepts(diff_event(text.replace("-1 +1", "-8 +8"), head="2" * 40)).stages
    assert f"the same change as head {'1' * 12}," in (stages[0].note or "")


def test_a_diff_and_its_repository_are_the_same_change(history: History, desk: Desk) -> None:
    base = history.commit({"a.py": CODE})
    head = history.commit({"a.py": CODE + b"1\n"}, base)
    desk.accepts(git_event(history.folder, base, head))
    stages = desk.accepts(diff_event(history.diff(base, head), base, "f" * 40)).stages
    assert f"the same change as head {head[:12]}," in (stages[0].note or "")
