"""The diff of a file is git's own where its content is known, the sent one where that is all there is."""

from __future__ import annotations

import pytest

from schemas.documents.code_review import ChangedFile, LineRange
from schemas.events.code_review import ChangeKind
from services.app.patches import patch_of, shown_lines

SENT = """\
diff --git a/one.py b/one.py
index 1..2 100644
--- a/one.py
+++ b/one.py
@@ -1,2 +1,3 @@ def f():
 a
+diff --git a/no b/no
+++ b/two.py
 b
diff --git a/two.py b/two.py
--- a/two.py
+++ b/two.py
@@ -10 +10 @@
-x
+y
"""


def changed(path: str = "two.py", **more: object) -> ChangedFile:
    return ChangedFile.model_validate({"path": path, "change": ChangeKind.MODIFIED, **more})


def test_known_content_makes_gits_own_diff() -> None:
    patch = patch_of(changed(old_path="old.py"), "a\nb\n", "a\nc\n", None)
    assert patch is not None
    assert patch.splitlines()[-6:] == ["--- a/old.py", "+++ b/two.py", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]


@pytest.mark.parametrize(("before", "after"), [(None, "é\n"), ("é\n", None), (None, "no line end")])
def test_files_that_come_or_go_are_all_added_or_all_removed(before: str | None, after: str | None) -> None:
    patch = patch_of(changed(), before, after, None)
    assert patch is not None
    assert ("+" if after else "-") + (after or before or "").strip() in patch.splitlines()


def test_a_sent_diff_is_cut_at_its_files_whatever_its_lines_hold() -> None:
    patch = patch_of(changed(), None, "y\n", SENT)
    assert patch == SENT[SENT.index("diff --git a/two.py") :]


def test_of_a_file_that_the_sent_diff_names_otherwise_the_added_lines_are_shown() -> None:
    file = changed("ä.py", partial="only added lines are known", added=(LineRange(start=2, end=3),))
    patch = patch_of(file, None, "\nb\nc\n", SENT)
    assert patch == "--- a/ä.py\n+++ b/ä.py\n@@ -1,0 +2,2 @@\n+b\n+c\n"


def test_what_nobody_read_has_no_diff() -> None:
    assert patch_of(changed(skipped="binary"), "a", "b", SENT) is None
    assert patch_of(changed(), None, None, None) is None


def test_the_lines_that_a_diff_shows_are_those_of_its_hunks() -> None:
    assert list(shown_lines(SENT)) == [range(1, 4), range(10, 11)]
